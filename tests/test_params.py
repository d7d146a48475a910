"""Every key of every section of params.yaml refuses what is out of its range, and something reads it."""

import ast
from collections.abc import Iterator
from functools import cache
from typing import Any, get_args

import pytest
from conftest import ROOT
from pydantic import ValidationError

from textmill import models, schema, tokenizers
from textmill.check import Params
from textmill.config import Section
from textmill.judging.comparison import CompareConfig
from textmill.judging.slicing import EvaluateConfig
from textmill.models.pretrained import DropoutByPlace as EncoderDropout
from textmill.networks.config import DropoutByPlace, NetworkConfig, Pretraining
from textmill.rows.cleaning import CleanConfig
from textmill.rows.reading import COLUMNS
from textmill.rows.splits import SPLITS, Sizes, SplitConfig
from textmill.sections import SCHEMAS
from textmill.sources import SOURCES
from textmill.sources.dataset import Dataset, Member
from textmill.text.tokenizer import TokenizerConfig
from textmill.tokenizers import pretrained
from textmill.tracking import TrackingConfig
from textmill.training.settings import TrainConfig
from textmill.vectors import config as vectors


def sections() -> list[type[Section]]:
    """Every section that params.yaml may have, from the registries, and those inside them."""
    waiting: list[Any] = [Params, *SCHEMAS.values(), *SOURCES.values(), TrackingConfig]
    waiting += [tokenizers.of_kind(kind).CONFIG for kind in tokenizers.KINDS if kind != "pretrained"]
    waiting += [*pretrained.SOURCES.values(), *vectors.SOURCES.values(), *vectors.METHODS.values()]
    waiting += [models.family(name).config for name in models.FAMILIES]
    found: dict[type[Section], None] = {}
    while waiting:
        one = waiting.pop()
        if isinstance(one, type) and issubclass(one, Section) and one not in found:
            found[one] = None
            waiting += [field.annotation for field in one.model_fields.values()]
        waiting += get_args(one)
    return sorted(found, key=lambda one: (one.__module__, one.__name__))


KEYS = [(section, key) for section in sections() for key in section.model_fields]
each_key = pytest.mark.parametrize(("section", "key"), KEYS, ids=[f"{one.__name__}.{key}" for one, key in KEYS])


def refused(section: type[Section], key: str, value: Any) -> bool:
    """Whether a section with this value has an error at this key; other keys may be missing."""
    try:
        section.model_validate({key: value})
    except ValidationError as invalid:
        return any(error["loc"][:1] == (key,) for error in invalid.errors())
    return False


def beyond(part: dict[str, Any]) -> Iterator[Any]:
    """Values that a number, or a list of numbers, must not have."""
    if part.get("type") == "array":
        yield from ([value] for value in beyond(part["items"]))
    if part.get("type") in ("integer", "number"):
        yield part["minimum"] - 1 if "minimum" in part else part["exclusiveMinimum"]
        yield part["maximum"] + 1 if "maximum" in part else part["exclusiveMaximum"]
        yield from (float("nan"), float("inf"), float("-inf"), -1e308, 10**400)
    if part.get("type") == "integer":
        yield 1.5


@each_key
def test_a_value_out_of_range_is_refused_by_its_key(section, key):
    described = schema.schema_of(section)["properties"][key]
    branches = described.get("anyOf") or described.get("oneOf") or [described]
    if section is Params and section.model_fields[key].annotation is Any:
        assert key in {*SCHEMAS, "dataset", "tracking"}  # sections by themselves, which are in `sections()`
        return
    wrong = [[[[]]], object(), b"bytes", *(value for part in branches for value in beyond(part))]
    kinds = {part.get("type") for part in branches}
    wrong += [] if "string" in kinds or any("enum" in part or "const" in part for part in branches) else ["1"]
    wrong += [] if "boolean" in kinds else [True]
    wrong += [] if "null" in kinds else [None]
    assert [value for value in wrong if not refused(section, key, value)] == []


# Where a section's keys are read: as attributes of these names, in these rooms. Subclasses are read as their bases are.
READ: dict[type[Section], tuple[set[str], set[str]]] = {
    Dataset: ({"dataset", "given", "file", "self"}, {"sources", "rows", "fetch", "stages"}),
    Member: ({"own"}, {"sources"}),
    CleanConfig: ({"config"}, {"rows", "stages"}),
    SplitConfig: ({"config"}, {"rows", "stages"}),
    TokenizerConfig: ({"config", "self"}, {"tokenizers"}),
    vectors.Trained: ({"config"}, {"vectors", "stages"}),
    vectors.VectorsPath: ({"config", "file"}, {"vectors", "fetch"}),
    vectors.VectorsUrl: ({"config", "file"}, {"vectors", "fetch"}),
    vectors.WheelFile: ({"config", "file"}, {"vectors", "fetch"}),
    TrainConfig: ({"settings"}, {"training"}),
    NetworkConfig: ({"config"}, {"models", "networks", "training"}),
    models.family("linear").config: ({"config"}, {"models"}),
    models.family("pretrained").config: ({"config"}, {"models", "networks"}),
    DropoutByPlace: ({"dropout"}, {"networks", "models"}),
    EncoderDropout: ({"dropout"}, {"models"}),
    Pretraining: ({"plan"}, {"training"}),
    EvaluateConfig: ({"sliced", "call"}, {"stages"}),
    CompareConfig: ({"config", "compare", "self"}, {"judging", "stages"}),
    TrackingConfig: ({"call"}, {"stages"}),
}
DECIDES = {"kind", "family", "source", "method"}  # choose the section itself
ELSEWHERE = {
    (CompareConfig, "bootstrap"): "has no effect, as its comment says",
    (NetworkConfig, "tokenizer"): "dvc.yaml: the stage gets that tokenizer's files",
}


@cache
def attributes(room: str) -> frozenset[tuple[str, str]]:
    """The attributes that a room's code reads: (name of what has it, name of the attribute)."""
    folder = ROOT / room if room == "stages" else ROOT / "textmill" / room
    found = set()
    for node in (node for path in sorted(folder.rglob("*.py")) for node in ast.walk(ast.parse(path.read_text()))):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            owner = node.value
            call = "call" if isinstance(owner, ast.Call) else ""  # such as load_section(...)
            found.add((getattr(owner, "id", getattr(owner, "attr", call)), node.attr))
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "getattr":
            found.add((getattr(node.args[0], "id", ""), getattr(node.args[1], "value", "")))
    return frozenset(found)


@cache
def loaded() -> frozenset[str]:
    """The first parts of all keys that stages load or dvc.yaml loops over."""
    keys = {part.split("}")[0] for part in (ROOT / "dvc.yaml").read_text().split("foreach: ${")[1:]}
    for path in (ROOT / "stages").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "load_section":
                key = node.args[1]
                keys.add((key if isinstance(key, ast.Constant) else key.values[0]).value.split(".")[0])
    return frozenset(keys)


@each_key
def test_something_reads_each_key(section, key):
    if section is Params:
        assert key in loaded()
    elif section is Sizes:
        assert key in SPLITS  # read by a loop over them
    elif key in DECIDES or (issubclass(section, Dataset) and key in COLUMNS):  # as above
        pass
    elif not any(issubclass(section, of) and key == name for of, name in ELSEWHERE):
        names, rooms = next(where for of, where in READ.items() if issubclass(section, of))
        assert [name for room in rooms for name, read in attributes(room) if read == key and name in names]
