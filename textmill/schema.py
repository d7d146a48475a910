"""Generates the JSON schema of params.yaml, for editors, and docs/reference/params.md, for people, from the sections.

Run `python -m textmill.schema`. A key's meaning is the comment next to it in the code, trailing or above.
"""

import ast
import inspect
import io
import json
import re
import tokenize
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from textmill import models, tokenizers
from textmill.check import Params
from textmill.config import Section
from textmill.files import write_json, write_text
from textmill.models import FAMILIES
from textmill.networks.config import NetworkConfig, RecurrentConfig
from textmill.sections import SCHEMAS
from textmill.sources import SOURCES
from textmill.sources.dataset import Dataset, FileDataset
from textmill.tokenizers import pretrained
from textmill.tracking import TrackingConfig
from textmill.training.settings import TrainConfig
from textmill.vectors import config as vectors

SCHEMA, PAGE = Path("params.schema.json"), Path("docs/reference/params.md")
CITED = re.compile(r" ?\(([^()]*\b(?:19|20)\d\d\b[^()]*)\)")  # a method's source
PLAIN = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true or false", "null": "null"}

HEAD = """# Every key of params.yaml

Generated from the code by `python -m textmill.schema`; to change a meaning, edit the comment in the code. `textmill
check` checks a params file against all of this, and `textmill check --show` prints it with every default written out.
The first line of each preset names the JSON schema, `params.schema.json`, so that editors complete keys and mark
mistakes.

- **A key that you leave out** has its default. A default means "as it was before this key existed", so old files,
  bundles and tokenizers keep their meaning. Keys marked **required** must be in the file. dvc.yaml names some of them
  one by one (`seed`, `threads`, `compare.alpha`, each entry's `tokenizer`), and DVC reports them if they are missing.
- **Writing out a default** changes no result. But DVC compares what is in the file: if it tracks the whole section or
  entry, it runs the stage once more and gets the same bytes.
- **To experiment with a key that you left out**, add a plus sign: `dvc exp run -S +models.lstm.layers=2`. Without it,
  DVC changes only keys that are in the file.
- An entry of `models` may override any key of `train`, unless its family is linear.
"""


@cache
def _parsed(file: str) -> tuple[ast.Module, dict[int, tuple[str, bool]]]:
    """Returns a file's syntax tree, and its comments by line: the text, and whether it is alone on its line."""
    text = Path(file).read_text(encoding="utf-8")
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = {
        token.start[0]: (token.string.lstrip("# "), token.line.lstrip().startswith("#"))
        for token in tokens
        if token.type == tokenize.COMMENT
    }
    return ast.parse(text), comments


def _file(section: type[Section]) -> str:
    return str(inspect.getsourcefile(section))


def meanings(section: type[Section]) -> dict[str, str]:
    """Returns the comment of each key of a section, including inherited keys."""
    found: dict[str, str] = {}
    for owner in reversed([base for base in section.__mro__ if issubclass(base, Section)]):
        tree, comments = _parsed(_file(owner))
        body = next(node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == owner.__name__)
        for node in body.body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                first = node.lineno
                while comments.get(first - 1, ("", False))[1]:
                    first -= 1
                lines = [comments[line][0] for line in range(first, (node.end_lineno or first) + 1) if line in comments]
                if lines:
                    found[node.target.id] = " ".join(lines)
    return found


class _Described(GenerateJsonSchema):
    """Pydantic's schema, with our comments as descriptions and our error messages as constraints."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def model_schema(self, schema: Any) -> dict[str, Any]:
        made = super().model_schema(schema)
        made.pop("title", None)
        for key, text in meanings(schema["cls"]).items():
            if key in made["properties"]:
                made["properties"][key] |= {"description": text}
        return made

    def function_after_schema(self, schema: Any) -> dict[str, Any]:
        made, words = super().function_after_schema(schema), getattr(schema["function"]["function"], "words", None)
        return made | {"$comment": words} if words else made


def schema_of(section: type[Section]) -> dict[str, Any]:
    """Returns the JSON schema of one section, with references inlined."""
    made = section.model_json_schema(schema_generator=_Described)
    parts = made.pop("$defs", {})

    def inlined(part: Any) -> Any:
        if isinstance(part, dict):
            own = {key: inlined(value) for key, value in part.items() if key != "$ref"}
            return inlined(parts[part["$ref"].split("/")[-1]]) | own if "$ref" in part else own
        return [inlined(value) for value in part] if isinstance(part, list) else part

    return inlined(made)


def _one_of(sections: Mapping[str, type[Section]]) -> dict[str, Any]:
    return {"oneOf": [schema_of(section) for section in sections.values()]}


def _with(schema: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    return schema | {"properties": schema["properties"] | more}


def whole_schema() -> dict[str, Any]:
    """Returns the JSON schema of params.yaml."""
    some = [{"type": "null"}, *_one_of(vectors.SOURCES)["oneOf"], *_one_of(vectors.METHODS)["oneOf"]]
    own = {"vectors": {"$ref": "#/$defs/vectors"}}
    kinds = [tokenizers.of_kind(kind).CONFIG for kind in tokenizers.KINDS if kind != "pretrained"]
    entries = [_with(schema_of(kind), own) for kind in [*kinds, *pretrained.SOURCES.values()]]
    settings = {key: {"$ref": f"#/properties/train/properties/{key}"} for key in TrainConfig.model_fields}
    families = [models.family(name) for name in FAMILIES]
    networks = [_with(schema_of(each.config), settings if each.settings else {}) for each in families]
    whole = schema_of(Params)
    parts = {key: schema_of(section) for key, section in SCHEMAS.items()} | {"tracking": schema_of(TrackingConfig)}
    parts["dataset"] = _one_of(SOURCES)
    parts["tokenizers"] = {"type": "object", "minProperties": 1, "additionalProperties": {"oneOf": entries}}
    parts["models"] = {"type": "object", "minProperties": 1, "additionalProperties": {"oneOf": networks}}
    for key, part in parts.items():
        part["description"] = whole["properties"][key]["description"]
    whole = _with(whole, parts) | {"$defs": {"vectors": {"anyOf": some, "default": None, "description": VECTORS}}}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "params.yaml of Textmill", **whole}


VECTORS = "word vectors that models may begin with: a file that holds them, or how to train them here"


def page() -> str:
    """Returns docs/reference/params.md."""
    parts = [HEAD, *_part("The whole file", Params)]
    parts += _part("dataset", Dataset)
    parts += _part("dataset, of the sources wheel, url and path", FileDataset, Dataset)
    for name, source in SOURCES.items():
        parts += _part(f"dataset, source: {name}", source, *source.__mro__[1:])
    parts += [*_part("clean", SCHEMAS["clean"]), *_part("split", SCHEMAS["split"])]
    for kind in tokenizers.KINDS:
        parts += _part(f"tokenizers.NAME, kind: {kind}", tokenizers.of_kind(kind).CONFIG)
    config: type[Section]
    for name, config in pretrained.SOURCES.items():
        parts += _part(
            f"tokenizers.NAME, kind: pretrained, source: {name}", config, pretrained.PretrainedTokenizerConfig
        )
    parts.append(f"\n## tokenizers.NAME.vectors\n\nOf every kind; null, the default: none. {VECTORS.capitalize()}.\n")
    for name, config in vectors.SOURCES.items():
        parts += _part(f"tokenizers.NAME.vectors, source: {name}", config)
    parts += _part("tokenizers.NAME.vectors, source: trained", vectors.Trained)
    for name, config in vectors.METHODS.items():
        parts += _part(f"tokenizers.NAME.vectors, source: trained, method: {name}", config, *config.__mro__[1:])
    parts += _part("train", TrainConfig)
    parts += _part("models.NAME, of every network trained here", NetworkConfig)
    parts += _part("models.NAME, of rnn, gru and lstm", RecurrentConfig, NetworkConfig)
    for name in FAMILIES:
        config = models.family(name).config
        parts += _part(f"models.NAME, family: {name}", config, *config.__mro__[1:])
    parts += [*_part("evaluate", SCHEMAS["evaluate"]), *_part("compare", SCHEMAS["compare"])]
    return "".join([*parts, *_part("tracking", TrackingConfig)])


def _part(title: str, section: type[Section], *listed: type) -> Iterator[str]:
    """Yields a heading and a table of a section's keys, without those of sections that are `listed` already."""
    above = {key for base in listed if issubclass(base, Section) for key in base.model_fields}
    file = Path(_file(section)).relative_to(Path(models.__file__).parents[2]).as_posix()
    rows = [row for row in _rows(schema_of(section)) if row[0].strip("`").split(".")[0] not in above]
    yield f"\n## {title}\n\n{inspect.getdoc(section)} ([{file}](../../{file}))\n"
    if not rows:
        return
    head = ("key", "meaning", "type", "default", "range", "source")
    columns = len(head) if any(row[-1] for row in rows) else len(head) - 1  # an empty last column takes room
    yield "\n"
    for row in (head, ["---"] * len(head), *rows):
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("<", "&lt;") for cell in row[:columns]) + " |\n"


def _rows(schema: dict[str, Any], above: str = "") -> Iterator[tuple[str, ...]]:
    for key, value in schema["properties"].items():
        meaning = value.get("description", "")
        cited = CITED.search(meaning)
        default = f"`{json.dumps(value['default'], ensure_ascii=False)}`" if "default" in value else "**required**"
        cells = (CITED.sub("", meaning), " or ".join(_types(value)), default, ", ".join(dict.fromkeys(_ranges(value))))
        yield (f"`{above}{key}`", *cells, cited[1] if cited else "")
        for part in _branches(value):
            if "properties" in part:
                yield from _rows(part, f"{above}{key}.")


def _branches(value: dict[str, Any]) -> list[dict[str, Any]]:
    return value.get("anyOf") or value.get("oneOf") or [value]


def _types(value: dict[str, Any]) -> list[str]:
    found = []
    for part in _branches(value):
        if part.get("type") == "array":
            found.append(f"list of {_types(part['items'])[0]}s")
        elif part.get("type") == "object":
            found.append("section" if "properties" in part else "names and values")
        else:
            found.append(PLAIN.get(part.get("type", ""), "section"))
    return found


def _ranges(value: dict[str, Any]) -> Iterator[str]:
    """Yields what a value, or the values in it, may be."""
    for part in _branches(value):
        if part.get("type") == "array":
            yield from _ranges(part["items"])
        elif part.get("type") == "object" and isinstance(part.get("additionalProperties"), dict):
            yield from _ranges(part["additionalProperties"])
        if "const" in part:
            yield f"`{part['const']}`"
        yield from (f"`{choice}`" for choice in part.get("enum", []))
        if "$comment" in part:
            yield part["$comment"]
        low = part.get("minimum", part.get("exclusiveMinimum"))
        if low is not None:
            high = part.get("maximum", part.get("exclusiveMaximum"))
            above, below = (" (excluded)" if key in part else "" for key in ("exclusiveMinimum", "exclusiveMaximum"))
            yield f"{low:,.10g}{above} to {high:,.10g}{below}"


if __name__ == "__main__":
    write_json(SCHEMA, whole_schema())
    write_text(PAGE, page())
