"""Params with mistakes that nobody thought of: `textmill check` reads them or refuses them in one line."""

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, no_hang
from hypothesis import example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from textmill.cli import app
from textmill.config import as_yaml, load_params

EXAMPLES = int(os.environ.get("EXAMPLES", "100"))  # of each test
FILES = [ROOT / "params.yaml", *sorted((ROOT / "presets").glob("*.yaml"))]
SOUND = [load_params(path) for path in FILES]
TEXTS = [path.read_bytes() for path in FILES]

VALUES: list[Any] = [
    *(None, True, False, 0, -1, 1, 2, 7, 0.5, -0.5, 1.0, 1e-320, 1e308, float("nan"), float("inf"), -float("inf")),
    *(
        2**31,
        2**32,
        2**63,
        10**12,
        10**400,
        "",
        " ",
        "a",
        "a b",
        "../up",
        "/",
        ".",
        "-",
        "*",
        "null",
        "~",
        "nan",
        "0.1",
    ),
    *("1e3", "yes", "x" * 300, "a\nb", "a\0b", "\u202e", "\x85", "\ufeff", "[a{2}", "(a+)+$", "{0}", "%s", "${seed}"),
    *([], [[]], [None], [1, "a"], ["a", "a"], [[["a"]]], {}, {"a": {}}, {"a": None}, {7: "x"}, {None: 1}, {True: 1}),
    *({"kind": "word"}, {"family": []}, {"source": {}}, {"path": []}, list(range(300)), {str(n): n for n in range(99)}),
]
SNIPPETS = [
    *(
        "\t",
        "  ",
        "\n",
        ":",
        ": ",
        "- ",
        ", ",
        "#",
        "'",
        '"',
        "|\n",
        ">\n",
        "[",
        "]",
        "{",
        "}",
        "?",
        "? [a]\n",
        "!",
        "&a ",
        "*a",
    ),
    *(
        "<<: *a\n",
        "<<: [*a]\n",
        "<<: 7\n",
        "&a [*a]",
        "&a {<<: *a}",
        "7: x\n",
        "~: x\n",
        "[a]: x\n",
        "!!int x",
        "!!float x",
    ),
    *(
        "!!bool x",
        "!!binary x",
        "!!timestamp x",
        "!!set {a}",
        "!!omap [a: 1]",
        "!!pairs [a: 1]",
        "!!merge x",
        "!!null x",
    ),
    *("!!str [a]", "!!map a", "!!seq {}", "!!python/object:os.system x", "!<a>", "!a!b", "%YAML 1.1\n", "%TAG ! a\n"),
    *(
        "---\n",
        "...\n",
        "\0",
        "\ufeff",
        "\x85",
        "\u2028",
        "\ud7ff",
        "0o9",
        "0x",
        "1_000",
        "1e999",
        ".nan",
        "-.inf",
        "2020-99-99",
    ),
    *("seed: 1\n", "dataset:\n", "models: {}\n", "a: &a 1\n", "=", "9" * 5000, "[" * 1000, "{a: " * 1000, "x" * 70_000),
]


@pytest.fixture(autouse=True, scope="module")
def folder(tmp_path_factory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("mutated")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        yield path


def checked(text: bytes) -> None:
    Path("params.yaml").write_bytes(text)
    with no_hang():
        done = CliRunner().invoke(app, ["check"])
    assert done.exit_code in (0, 2, 3, 4), (done.stderr, done.exception)
    assert done.stderr.count("\n") == (done.exit_code != 0), done.stderr
    assert not done.stderr or done.stderr.startswith("error: check: ")
    assert len(done.stderr) < 1000
    assert os.listdir() == ["params.yaml"]


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yields each map or list in params with each of its keys."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from places(value[key])


def copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: copied(one) for key, one in value.items()}
    return [copied(one) for one in value] if isinstance(value, list) else value


def turned(value: Any, draw: random.Random) -> Any:
    """Returns another value that is near."""
    others = [[value], {"a": value}, str(value), repr(value)]
    if isinstance(value, int | float) and not isinstance(value, bool):
        others += [-value, value * 10**6, value + 0.5, value / 3, value - 1]
    if isinstance(value, str):
        others += [value.upper(), value[:-1], value + "x", f" {value}", value * 50]
    return draw.choice(others)


def change(params: dict[str, Any], draw: random.Random) -> None:
    """Makes one mistake."""
    found = list(places(params))
    if not found:
        return
    (holder, key), (other, theirs) = draw.choice(found), draw.choice(found)
    how = draw.choice(["value", "near", "drop", "rename", "add", "move"])
    if how == "value":
        holder[key] = copied(draw.choice(VALUES))
    elif how == "near":
        holder[key] = turned(holder[key], draw)
    elif how == "drop":
        del holder[key]
    elif how == "move":
        holder[key] = copied(other[theirs])
    elif isinstance(holder, dict):
        value = holder.pop(key) if how == "rename" else holder[key]
        name = draw.choice(
            [theirs, f"{key}s", str(key)[:-1], 7, None, True, 1.5, "", "__class__", "a.b", "model_config"]
        )
        holder[name] = copied(value)
    else:
        holder.append(copied(draw.choice(VALUES)))


@settings(max_examples=EXAMPLES)
@given(st.sampled_from(SOUND), st.integers(1, 3), st.randoms(use_true_random=False))
def test_wrong_values_and_keys_are_refused_in_one_line(params, times, draw):
    params = copied(params)
    for _ in range(times):
        change(params, draw)
    checked(as_yaml(params).encode("utf-8", "surrogatepass"))


@settings(max_examples=EXAMPLES)
@given(st.sampled_from(TEXTS), st.integers(1, 3), st.randoms(use_true_random=False))
@example(b"", 0, random.Random(0))
def test_text_that_is_hardly_yaml_is_refused_in_one_line(text, times, draw):
    for _ in range(times):
        lines = text.splitlines(keepends=True) or [b""]
        place, line = draw.randint(0, len(text)), draw.randrange(len(lines))
        how = draw.choice(["snippet", "after colon", "byte", "cut", "lines", "drop line", "indent"])
        if how == "snippet":
            text = text[:place] + draw.choice(SNIPPETS).encode() + text[place:]
        elif how == "after colon":
            name, colon, rest = lines[line].partition(b": ")
            text = b"".join([*lines[:line], name, colon, draw.choice(SNIPPETS).encode(), rest, *lines[line + 1 :]])
        elif how == "byte":
            text = text[:place] + bytes([draw.randrange(256)]) + text[place + draw.randint(0, 3) :]
        elif how == "cut":
            text = text[:place] if draw.random() < 0.3 else text[place:]
        elif how == "lines":
            text = b"".join([*lines[:line], lines[draw.randrange(len(lines))], *lines[line:]])
        elif how == "drop line":
            text = b"".join([*lines[:line], *lines[line + 1 :]])
        else:
            text = b"".join([*lines[:line], draw.choice([b" ", b"    ", b"\t"]), *lines[line:]])
    checked(text)
