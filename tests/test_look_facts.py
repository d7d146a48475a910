"""What users learn about their data, and which params follow from it, compared with counts by hand."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from conftest import ROOT
from typer.testing import CliRunner

from textmill.cli import app
from textmill.look import words
from textmill.look.advice import advice
from textmill.look.facts import Facts, as_config, facts
from textmill.look.similar import similar_labels
from textmill.rows.cleaning import CleanConfig
from textmill.rows.splits import SplitConfig
from textmill.text.patterns import PATTERNS

NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


def different(number: int) -> str:
    """A text that shares few words with any other."""
    return f"{NUMBERS[number % 10]} {NUMBERS[number // 10 % 10]} w{number} x{number} y{number}"


def look(folder: Path, rows: list[tuple[Any, ...]], columns: str = "text,label", **keys: Any) -> Facts:
    frame = pl.DataFrame(rows, schema=dict.fromkeys(columns.split(","), pl.String), orient="row")
    frame.write_csv(folder / "a.csv")
    dataset = {"name": "a", "source": "path", "path": "a.csv", "text": "text", "label": "label"}
    return facts(as_config(dataset | keys), CleanConfig(), SplitConfig(), folder)


def test_counts_are_those_of_the_rows(tmp_path):
    rows = [(different(n), ("good", "bad")[n % 2]) for n in range(40)]
    rows += [(different(0).upper(), "good"), (different(1), "good"), ("", "good"), (None, "bad"), (different(50), "")]
    found = look(tmp_path, rows)
    assert (found.rows, found.kept) == (45, 42)
    assert found.dropped == {"empty label": 1, "empty text": 2}
    assert found.labels == {"good": 22, "bad": 20}
    assert (found.doubled, found.conflicts, found.near) == (2, 1, 0)
    assert found.words == {"median": 5, "p95": 5}
    assert (found.needed, found.test, found.problem) == (3, 8, "")
    lines = words.lines(found)
    assert lines[0] == "42 documents of 45 rows; left out: 1 empty label, 2 empty text"
    assert "2 classes: good 22, bad 20" in lines
    assert "1 text has more than one label: no model can get all of these right" in lines


@pytest.mark.parametrize(
    ("labels", "expected", "named"),
    [
        (["good"] * 60 + ["bad"] * 60 + ["goood"], "label 'goood' (1) is probably 'good' (60)", {"goood": None}),
        (["BAD"] * 5 + ["bad"] * 20 + ["good"] * 20, "label 'BAD' (5) is probably 'bad' (20)", {"BAD": "bad"}),
        (["0"] * 20 + ["0.0"] * 20 + ["1"] * 20, "labels '0', '0.0' are read as one class, '0'", None),
        (
            ["fro\u0308h", "fr\xf6h"] * 20 + ["b"] * 20,
            "labels 'fro\\u0308h', 'fröh' are read as one class, 'fröh'",
            None,
        ),
        (["a", "a\u200b"] * 20 + ["b"] * 20, "labels 'a', 'a\\u200b' are read as one class, 'a'", None),
        (["a"] * 40 + ["b"] * 40 + ["c"] * 2, "a class needs 3 rows, one for each split, but 'c' has 2", {"c": None}),
        (["a"] * 9 + ["b"] * 9 + [different(n) for n in range(20)], "and 17 more have too few", None),
    ],
)
def test_labels_that_are_probably_one_and_rare_ones(tmp_path, labels, expected, named):
    found = look(tmp_path, [(different(n), label) for n, label in enumerate(labels)])
    assert any(expected in line for line in words.lines(found)), words.lines(found)
    given = advice(found).get("dataset.labels")
    assert (given and given.value) == named


@pytest.mark.parametrize(
    ("labels", "similar"),
    [
        ({"positive": 100, "negative": 2}, []),
        ({"intent_001": 100, "intent_002": 1}, []),
        ({"C": 50, "C++": 50, "C#": 50}, []),
        ({"not_spam": 50, "not spam": 40, "spam": 9}, [("not spam", "not_spam")]),
        ({"delivery": 50, "delivry": 40}, []),
        ({"delivery": 50, "delivry": 2}, [("delivry", "delivery")]),
    ],
)
def test_similar_labels(labels, similar):
    assert [tuple(one) for one in similar_labels(labels)] == similar


def test_imbalance_and_what_follows(tmp_path):
    found = look(tmp_path, [(different(n), "fault" if n < 3 else "ok") for n in range(250)])
    assert any("answering only 'ok' is right 98.8 % of the time" in line for line in words.lines(found))
    given = {key: one.value for key, one in advice(found).items()}
    assert given == {"compare.metric": "f1_macro", "train.class_weights": "balanced"}
    (line,) = [line for line in words.lines(found, {"compare.metric": "f1_macro"}) if line.startswith("answering only")]
    assert line.endswith("of the time: set train.class_weights: balanced")  # the other is what params say already
    assert any(line.endswith("of the time") for line in words.lines(found, given))


@pytest.mark.parametrize(
    ("text", "script", "spaced"),
    [
        ("房间很干净{n}", "Han", False),
        ("とてもよい{n}です", "Kana", False),
        ("ห้องสะอาดมาก{n}", "Thai", False),
        ("방이 깨끗해요 {n}", "Hangul", True),
        ("очень чисто {n}", "Cyrillic", True),
        ("साफ कमरा {n}", "Devanagari", True),
        ("غرفة نظيفة {n}", "Arabic", True),
        ("clean room 👍 {n}", "Latin", True),
    ],
)
def test_scripts(tmp_path, text, script, spaced):
    found = look(tmp_path, [(text.format(n=n), ("a", "b")[n % 2]) for n in range(20)])
    assert next(iter(found.scripts)) == script
    assert found.scripts[script] > 0.7
    assert found.emoji == ("👍" in text)
    assert any("kind: char" in line for line in words.lines(found)) is not spaced
    fits = {"tokenizers": {"a": {"kind": "word", "pattern": "any-script"}, "b": {"kind": "char"}}}
    fits["tokenizers"]["c"] = {"kind": "word", "pattern": PATTERNS["any-script"]}  # as effective params have it
    assert not any("kind: char" in line for line in words.lines(found, fits))
    default = {"tokenizers": {"a": {"kind": "word", "pattern": PATTERNS["spaced"]}}}
    assert any("kind: char" in line for line in words.lines(found, default)) is not spaced


def test_near_copies_and_groups(tmp_path):
    rows = [(f"{different(n)} a b c d e", ("a", "b")[n % 2], f"g{n % 40}") for n in range(80)]
    rows += [(f"RT @u{n}: {different(n)} a b c d e..", ("a", "b")[n % 2], f"g{n % 40}") for n in range(8)]
    found = look(tmp_path, rows, "text,label,who", group="who")
    assert (found.near, found.looked_up) == (16, 88)
    assert any(line.startswith("16 texts nearly equal another") for line in words.lines(found))
    assert (found.groups, round(found.group_gain, 1)) == (40, 0.5)
    assert advice(found)["split.by"].value == "group"
    assert any("set split.by: group, or scores are valid only for" in line for line in words.lines(found))
    assert not any("set split.by: group, or" in line for line in words.lines(found, {"split.by": "group"}))


def test_what_stops_the_pipeline_is_told_at_the_end(tmp_path):
    found = look(tmp_path, [(different(n), ("a,b", "a", "b", "b,c", "c")[n % 5]) for n in range(50)])
    assert "multi-label is not supported yet" in words.lines(found)[-1]
    assert (found.rows, found.kept) == (50, 50)
    nothing = look(tmp_path, [("", "a"), ("", "b")])
    assert words.lines(nothing)[0].startswith("0 documents of 2 rows")


def test_given_splits_are_compared(tmp_path):
    rows = [(different(n), "ab"[n % 2], "train") for n in range(20)]
    rows += [(different(n), "ab"[n % 2], "test") for n in range(15, 25)]
    found = look(tmp_path, rows, "text,label,part", split="part")
    assert (found.splits, found.overlap) == ({"train": 20, "test": 10}, {"train-test": 5})
    assert (found.needed, found.test, found.uncut) == (2, 10, {"a": 10, "b": 10})
    assert "5 documents of test are also in train: expect lower scores on new texts" in words.lines(found)
    assert not any("repeat" in line for line in words.lines(found))


def test_a_class_with_fewer_rows_than_splits_stops_the_pipeline(tmp_path):
    found = look(tmp_path, [(different(n), "a" if n > 1 else "b") for n in range(20)])
    assert "a class needs 3 rows, one for each split, but 'b' has 2" in found.problem
    assert "dataset.labels" not in advice(found)  # without b there is nothing to tell apart


def test_an_id_that_stands_twice_stops_the_pipeline(tmp_path):
    rows = [(different(n), "ab"[n % 2], f"n{n % 38}") for n in range(40)] + [("", "a", "n9")]
    found = look(tmp_path, rows, "text,label,number", id="number")
    assert found.problem.endswith("row 2, 40 (2 rows): id 'n0' is not unique; make it so, or set dataset.id: null")
    assert found.dropped == {"empty text": 1}
    assert look(tmp_path, rows[:38], "text,label,number", id="number").problem == ""


def test_a_screenful(tmp_path):
    rows = [(f"{different(n % 300)} a b c d e {'x' * (n % 3)}", f"class {n % 150}", f"g{n % 50}") for n in range(600)]
    rows += [("dÃ©jÃ vu", "CLASS 1", "g"), ("z", "classs 2", "g"), ("y", "class 3.0", "g"), ("", "", "")]
    lines = words.lines(look(tmp_path, rows, "text,label,who", group="who"))
    assert 5 < len(lines) <= 24
    assert max(map(len, lines)) < 400


def test_check_looks_at_the_data_when_it_is_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    params = (ROOT / "presets/csv.yaml").read_text()
    Path("params.yaml").write_text(params.replace("data/input/reviews.csv", "data/input/a.csv"))

    def check() -> tuple[int, str]:
        result = CliRunner().invoke(app, ["check"])
        return result.exit_code, result.output

    code, output = check()
    assert (code, output.splitlines()[0]) == (0, "check: params.yaml has no errors")
    assert "data/input/a.csv: not there yet; add it" in output
    Path("data/input").mkdir(parents=True)
    Path("data/input/a.csv").write_text("text,label\n" + "".join(f"{different(n)},{'ab'[n % 2]}\n" for n in range(40)))
    code, output = check()
    assert (code, "check: 40 documents of 40 rows\n" in output) == (0, True)
    Path("data/input/a.csv").write_text("text,label\n" + "".join(f"{different(n)},{'aA'[n % 2]}\n" for n in range(40)))
    code, output = check()
    assert (code, "labels 'A' and 'a' differ only in case" in output) == (3, True)
    Path("data/input/a.csv").write_text("what,label\nx,y\n")
    code, output = check()
    assert (code, "no column 'text'; found: what, label" in output) == (3, True)


def test_spellings_come_in_the_order_of_the_classes(tmp_path):
    rows = [(different(n), "hgfedcba"[n % 8] + "\u200b" * (n % 3 == 0)) for n in range(96)]
    assert list(look(tmp_path, rows).spellings) == [*"abcdefgh"]
