"""Params with mistakes that nobody thought of: `textmill check` reads them, or refuses them in one line.

`make fuzz` tries 2,000 of each.
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT, no_hang
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mutating import damaged, mistaken
from typer.testing import CliRunner

from textmill.cli import app
from textmill.config import as_yaml, load_params

EXAMPLES = int(os.environ.get("EXAMPLES", "100"))  # of each test
FILES = [ROOT / "params.yaml", *sorted((ROOT / "presets").glob("*.yaml"))]
SOUND = [load_params(path) for path in FILES]
TEXTS = [path.read_bytes() for path in FILES]
SNIPPETS = [
    *("\t", "  ", "\n", ":", ": ", "- ", ", ", "#", "'", '"', "|\n", ">\n", "[", "]", "{", "}", "?"),
    *("? [a]\n", "!", "=", "0x", "&a ", "*a", "<<: *a\n", "<<: [*a]\n", "<<: 7\n", "&a [*a]", "&a {<<: *a}"),
    *("7: x\n", "~: x\n", "[a]: x\n", "0o9", "---\n", "!!int x", "!!float x", "!!bool x", "!!binary x"),
    *("!!timestamp x", "!!set {a}", "!!omap [a: 1]", "!!pairs [a: 1]", "!!merge x", "!!null x", "!!str [a]"),
    *("!!map a", "!!seq {}", "!!python/object:os.system x", "!<a>", "!a!b", "...\n", "%YAML 1.1\n"),
    *("%TAG ! a\n", "\0", "\ufeff", "\x85", "\u2028", "\ud7ff", "1_000", "1e999", ".nan", "-.inf"),
    *("2020-99-99", "seed: 1\n", "dataset:\n", "models: {}\n", "a: &a 1\n", "9" * 5000, "[" * 1000),
    *("{a: " * 1000, "x" * 70_000),
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


@settings(max_examples=EXAMPLES)
@given(st.sampled_from(SOUND), st.integers(1, 3), st.randoms(use_true_random=False))
def test_wrong_values_and_keys_are_refused_in_one_line(params, times, draw):
    for _ in range(times):
        params = mistaken(params, draw)
    if isinstance(params, dict):
        checked(as_yaml(params).encode("utf-8", "surrogatepass"))


@settings(max_examples=EXAMPLES)
@given(st.sampled_from(TEXTS), st.integers(1, 3), st.randoms(use_true_random=False))
@example(b"", 0, random.Random(0))
def test_text_that_is_hardly_yaml_is_refused_in_one_line(text, times, draw):
    for _ in range(times):
        text = damaged(text, draw, [snippet.encode() for snippet in SNIPPETS])
    checked(text)
