"""The JSON schema and docs/reference/params.md match the code, are complete, and bound every number."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import ROOT

from textmill import schema
from textmill.check import check_params
from textmill.config import as_yaml, load_params
from textmill.files import read_json

PRESETS = sorted(path.stem for path in (ROOT / "presets").glob("*.yaml"))


def test_the_schema_and_the_page_are_current():
    again = "run `python -m textmill.schema`, and commit what it changed"
    assert read_json(ROOT / schema.SCHEMA) == json.loads(json.dumps(schema.whole_schema())), again
    assert (ROOT / schema.PAGE).read_text() == schema.page(), again


def test_every_key_of_the_page_has_a_meaning_and_a_bound():
    rows = [line.split(" | ") for line in schema.page().splitlines() if line.startswith("| `")]
    assert len(rows) > 100
    for key, meaning, kind, _, bounds, *_ in rows:
        assert meaning.strip(), key
        assert "number" not in kind or re.search(r"\d( \(excluded\))? to \d", bounds), key


def parts(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else []:
        yield from parts(child)


def test_every_number_ends_on_both_sides():
    numbers = [part for part in parts(schema.whole_schema()) if part.get("type") in ("integer", "number")]
    assert len(numbers) > 50
    for part in numbers:
        assert part.keys() & {"minimum", "exclusiveMinimum"}, part
        assert part.keys() & {"maximum", "exclusiveMaximum"}, part


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_names_the_schema_and_is_what_it_describes(name):
    path = ROOT / f"presets/{name}.yaml"
    assert path.read_text().splitlines()[0] == "# yaml-language-server: $schema=params.schema.json"
    found = schema.whole_schema()
    assert misfit(load_params(path), found, found) == []
    assert misfit(check_params(path), found, found) == []


@pytest.mark.parametrize(
    "change",
    [{"layers": 10**12}, {"hiden": 3}, {"dropout": 1.0}, {"pretrain": {"window": 1}}, {"lr": "fast"}, {"epochs": True}],
)
def test_the_schema_marks_what_check_refuses(change):
    found, params = schema.whole_schema(), load_params(ROOT / "params.yaml")
    params["models"]["lstm"] |= change
    assert misfit(params, found, found)


def test_what_applies_is_shown_as_a_file_that_says_the_same(tmp_path):
    shown = tmp_path / "shown.yaml"
    for name in PRESETS:
        whole = check_params(ROOT / f"presets/{name}.yaml")
        shown.write_text(as_yaml(whole))
        assert check_params(shown) == whole
        assert list(load_params(shown)) == list(whole)


def test_params_fit_a_screen():
    lines = (ROOT / "params.yaml").read_text().splitlines()
    assert lines[0] == "# yaml-language-server: $schema=params.schema.json"
    assert len(lines) <= 70
    for folder in (ROOT, ROOT / "presets"):  # the schema is next to every such file
        assert read_json(folder / "params.schema.json")["title"] == "params.yaml of Textmill"


KINDS = {"string": str, "array": list, "object": dict, "boolean": bool, "null": type(None), "integer": int}


def misfit(value: Any, part: dict[str, Any], whole: dict[str, Any], at: str = "") -> list[str]:
    """Returns where a value does not match a JSON schema, for the keywords that ours uses."""
    if "$ref" in part:
        target = whole
        for step in part["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        return misfit(value, target, whole, at)
    for several in ("anyOf", "oneOf"):
        if several in part:
            fitting = sum(not misfit(value, one, whole, at) for one in part[several])
            if fitting == 0 or (several == "oneOf" and fitting > 1):
                return [f"{at}: fits {fitting} of {several}"]
    kind, found = part.get("type"), []
    number = isinstance(value, int | float) and not isinstance(value, bool)
    fits = number if kind == "number" else isinstance(value, KINDS.get(kind, object))
    if not fits or (kind == "integer" and not number):
        return [f"{at}: no {kind}"]
    if ("const" in part and value != part["const"]) or ("enum" in part and value not in part["enum"]):
        return [f"{at}: {value!r}"]
    if kind in ("integer", "number"):
        low, high = part.get("minimum", -1e99), part.get("maximum", 1e99)
        above, below = part.get("exclusiveMinimum", -1e99), part.get("exclusiveMaximum", 1e99)
        return [] if low <= value <= high and above < value < below else [f"{at}: {value}"]
    if kind == "array":
        return [wrong for one in value for wrong in misfit(one, part["items"], whole, f"{at}[]")]
    if kind == "object":
        known, more = part.get("properties", {}), part.get("additionalProperties", {})
        found += [f"{at}.{key}: missing" for key in part.get("required", []) if key not in value]
        found += [f"{at}.{key}: unknown" for key in value if key not in known and more is False]
        for key, own in value.items():
            if key in known or isinstance(more, dict):
                found += misfit(own, known.get(key, more), whole, f"{at}.{key}")
    return found
