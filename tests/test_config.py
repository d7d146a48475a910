from pathlib import Path

import pytest
from conftest import ROOT, no_hang

from textmill.check import check_params
from textmill.config import Count, Name, Section, load_params, load_section, validate
from textmill.errors import ArtifactError, ParamsError


class Sizes(Section):
    hidden: Count
    dropout: float


@pytest.fixture
def write(tmp_path):
    def to(text: str):
        path = tmp_path / "params.yaml"
        path.write_bytes(text.encode())
        return path

    return to


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lstm: {hiden: 3, dropout: 0.1}", "lstm.hiden: unknown key; did you mean 'hidden'?"),
        ("lstm: {dropout: 0.1}", "lstm.hidden: missing"),
        ("lstm: {hidden: 128x, dropout: 0.1}", "lstm.hidden: expected a valid integer, found '128x'"),
        ("lstm: {hidden: 0, dropout: 0.1}", "lstm.hidden: expected at least 1, found 0"),
        ("lstm: {hidden: true, dropout: 0.1}", "lstm.hidden: expected a valid integer, found True"),
        ("lstm: {hidden: 3, dropout: '0.1'}", "lstm.dropout: expected a valid number, found '0.1'"),
        ("lstm: null", "lstm: expected"),
        ("gru: {}", "lstm: missing"),
        ("lsmt: {}", "lstm: missing; found lsmt"),
    ],
)
def test_error_names_the_key_and_what_was_found(write, text, message):
    path = write(text)
    with pytest.raises(ParamsError) as error:
        load_section(path, "lstm", Sizes)
    assert str(error.value).startswith(f"{path}: {message}")


def test_numbers_are_read_as_dvc_reads_them(write):
    assert load_section(write("a: {hidden: 3, dropout: 1e-3}"), "a", Sizes) == Sizes(hidden=3, dropout=1e-3)
    assert load_params(write("word: no")) == {"word": "no"}  # YAML 1.2: not a bool


@pytest.mark.parametrize(
    ("text", "message"),
    [("a: 1\na: 2", "line 2"), ("a: [1", "line"), ("\ta: 1", "line 1"), ("", "expected sections"), ("- 1", "expected")],
)
def test_broken_yaml_names_the_line(write, text, message):
    with pytest.raises(ParamsError, match=message):
        load_params(write(text))


def test_missing_and_undecodable_files(write, tmp_path):
    with pytest.raises(ArtifactError, match="copy one from presets/"):
        load_params(tmp_path / "none.yaml")
    path = write("")
    path.write_bytes(b"a: \xff")
    with pytest.raises(ParamsError, match="not UTF-8"):
        load_params(path)


@pytest.mark.parametrize("name", ["../up", "", "a b", "a/b", ".hidden", "-rf"])
def test_names_cannot_leave_their_folder(name):
    with pytest.raises(ParamsError):
        validate(name, Name, "models")


PARAMS = (ROOT / "params.yaml").read_text()
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


def seed(value: str) -> str:
    return PARAMS.replace("seed: 42", f"seed: {value}", 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{PARAMS}\n7: x\n", "found the key 7; remove it"),
        (f"{PARAMS}\n~: x\n", "found the key None; remove it"),
        (f"{PARAMS}\n? [a, b]\n: 1\n", "found the key ('a', 'b'); remove it"),
        (PARAMS.replace("family: lstm", "family: [lstm]"), "models.lstm.family: expected one of"),
        (PARAMS.replace("tokenizer: word", "tokenizer: [word]"), "models.linear.tokenizer: expected"),
        (PARAMS.replace("kind: word", "kind: {word: 1}"), "tokenizers.word.kind: expected one of"),
        (PARAMS.replace("source: wheel", "source: [wheel]"), "dataset.source: expected"),
        (PARAMS.replace("  rnn: {", "  7: {"), "models.7: expected"),
        (seed("!!int x"), "params.yaml, line 4: not a valid int; correct it"),
        (seed("!!float x"), "params.yaml, line 4: not a valid float"),
        (seed("!!bool x"), "params.yaml, line 4: not a valid bool"),
        (seed("2020-99-99"), "params.yaml, line 4: not a valid timestamp"),
        (seed("!!python/object:os.system x"), "line 4: could not determine a constructor"),
        (seed("9" * 5000), "params.yaml, line 4: not a valid int"),
        (seed("0x" + "f" * 5000), "seed: expected less than 4294967296, found a number of thousands of digits"),
        (seed("[" * 1000), "line 4: more than 30 lists and maps inside one another"),
        (seed("[" * 1000 + "]" * 1000), "line 4: more than 30 lists and maps inside one another"),
        (seed("&a [*a]"), "line 4: *a is inside its own anchor"),
        (seed("&a {b: {c: *a}}"), "line 4: *a is inside its own anchor"),
        (LAUGHS, "line 5: more than 20,000 values"),
        (LAUGHS.replace("[*", "{<<: [*").replace("]", "]}").replace("x]}", "x]"), "more than 20,000 values"),
        (f"a: &a [{'x, ' * 8000}]\nb: [{'*a, ' * 8000}]\n", "line 2: more than 20,000 values"),
        (f"a: [{'1,' * 400_000}]", "line 1: more than 20,000 values"),
        ("".join(f"k{number}: 1\n" for number in range(80_000)), "more than 20,000 values"),
        (f"{PARAMS}\nbig: {'word ' * 220_000}\n", "more than 1,000,000 bytes"),
        (f"{PARAMS}\n{'k' * 900}: 1\n", "k…: unknown key"),
        (PARAMS.replace("  rnn: {", f"  rnn: {{{'k' * 900}: 1, "), "k…: unknown key"),
        (PARAMS.replace("name: rotten-tomatoes", "name: " + "a b" * 500), "dataset.name: expected a name of letters"),
        (PARAMS.replace("family: lstm", f"family: {'x' * 900}"), "models.lstm.family: expected one of"),
        (PARAMS.replace("labels: [rotten, fresh]", f"labels: [{'x' * 900}, {'x' * 900}]"), "a name occurs twice"),
    ],
)
def test_what_no_params_can_be_is_one_line_soon(tmp_path: Path, monkeypatch, text, words):
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(text)
    with no_hang(), pytest.raises(ParamsError) as caught:
        check_params(Path("params.yaml"))
    assert words in str(caught.value)
    assert len(str(caught.value)) < 700
    assert "\n" not in str(caught.value)


def test_aliases_and_merges_within_bounds_are_read(write):
    text = "a: &a {x: &x 1, y: 2}\nb: {<<: *a, y: 3}\nc: [*a, *x]\n"
    assert load_params(write(text)) == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}, "c": [{"x": 1, "y": 2}, 1]}


def test_an_anchor_may_be_used_again(write, recwarn):
    assert load_params(write("a: &a [1]\nb: &a [2]\nc: *a\n")) == {"a": [1], "b": [2], "c": [2]}
    assert not recwarn
