"""Realistic files through download, clean and split: what is kept, or the error."""

import os
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from conftest import ROOT
from ruamel.yaml import YAML

from stages import clean, download, split
from textmill.errors import TextmillError
from textmill.records.data import Clean, Split

CASES = Path(os.environ.get("TEXTMILL_CASES", ROOT.parent / "shared/cases"))
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the files are not here")


def taken(path: Path, monkeypatch: pytest.MonkeyPatch, files: list[str], keys: dict[str, Any]) -> tuple[Clean, Split]:
    """Returns the counts of clean and split for files; the first is dataset.path unless the keys say otherwise."""
    monkeypatch.chdir(path)
    Path("data/input").mkdir(parents=True)
    for file in files:
        shutil.copy(CASES / file, "data/input")
    dataset = {"name": "case", "source": "path", "path": f"data/input/{files[0]}", "text": "text", "label": "label"}
    others = {"clean": {"on_bad_row": keys.pop("on_bad_row", "drop")}, "split": {}, "evaluate": {}}
    YAML().dump({"seed": 42, "dataset": dataset | keys} | others, Path("params.yaml"))
    download.main(Path("data/input"), Path("data/downloads"), Path("data/raw"))
    clean.main(Path("data/raw"), Path("docs.parquet"), Path("labels.json"), Path("clean.json"), Path("columns.parquet"))
    split.main(Path("docs.parquet"), Path("labels.json"), Path("data/split"), Path("split.json"))
    return Clean.read(Path("clean.json")), Split.read(Path("split.json"))


BOTH = {"bad": 30, "good": 30}
SIZES = (42, 6, 12)
BY_SPLIT = {"path": {"train": "data/input/09-train.csv", "test": "data/input/09-test.csv"}}
EXCEL = {"text": "Texto", "label": "Etiqueta"}
EMPTY = "empty text"

# file(s), keys of `dataset`, documents by class, sizes of train, validation and test, rows dropped by reason
KEPT: list[tuple[str, dict[str, Any], dict[str, int], tuple[int, int, int], dict[str, int]]] = [
    ("02-labels-int-float.csv", {}, {"0": 40, "1": 40}, (56, 8, 16), {}),
    ("03-multiline.csv", {}, BOTH, SIZES, {}),
    ("04-mixed-encodings.csv", {"encodings": ["utf-8", "cp1252"]}, BOTH, SIZES, {}),
    ("05-excel-semicolon.csv", EXCEL | {"separator": ";"}, BOTH, SIZES, {}),
    ("05-excel-sep-line.csv", EXCEL, BOTH, SIZES, {}),
    ("05-excel-sep-line.csv", EXCEL | {"separator": ";"}, BOTH, SIZES, {}),
    ("06-na-texts.csv", {}, {"bad": 34, "good": 35}, (48, 7, 14), {EMPTY: 2}),
    ("06-na-labels.csv", {}, {"NA": 30, "None": 30, "bad": 15, "good": 15}, (62, 10, 18), {}),
    ("08-names-collide.csv", {}, dict.fromkeys(["accuracy", "all", "id", "label", "macro", "predicted", "text"], 14),
     (68, 10, 20), {}),
    ("09-train.csv 09-test.csv", BY_SPLIT, {"bad": 45, "good": 45}, (62, 8, 20), {}),
    ("09-both.zip", {}, {"bad": 45, "good": 45}, (62, 8, 20), {}),
    ("09-both.zip", {"members": {"train.csv": None, "test.csv": None}}, {"bad": 45, "good": 45}, (62, 8, 20), {}),
    ("09-both.zip", {"members": {name: {"split": None} for name in ("train.csv", "test.csv")}}, {"bad": 45, "good": 45},
     (62, 10, 18), {}),
    ("10-split-dev-valid.csv", {"split": "split"}, {"bad": 60, "good": 60}, (70, 20, 30), {}),
    ("11-nested.jsonl", {"text": "data.text", "label": "annotations.0.label"}, BOTH, SIZES, {}),
    ("12-no-header.tsv", {"header": ["label", "text"]}, BOTH, SIZES, {}),
    ("13-quotes.tsv", {"quotes": "none"}, BOTH, SIZES, {}),
    ("14-comma-then-label.csv", {}, {"bad": 15, "good": 30}, (31, 5, 9), {"more cells than columns": 15}),
    ("15-multilabel-onehot.csv", {"label": "price"}, {"0": 58, "1": 62}, (83, 12, 25), {}),
    ("17-title-body.csv", {"text": ["title", "body"]}, {"bad": 60, "good": 60}, (84, 12, 24), {}),
    ("18-chinese.csv", {}, {"好": 80, "差": 80}, (112, 16, 32), {}),
    ("20-emoji.csv", {}, {"neg": 80, "pos": 80}, (112, 16, 32), {}),
    ("22-code.csv", {}, {"java": 40, "python": 40, "sql": 40}, (84, 12, 24), {}),
    ("23-conflicts.csv", {}, {"bad": 42, "good": 43}, (58, 9, 18), {}),
    ("24-groups.csv", {"group": "author"}, {"left": 72, "right": 88}, (111, 16, 33), {}),
    ("25-test-lacks-class.csv", {"split": "split"}, {"bad": 60, "good": 60}, (94, 11, 15), {}),
    ("26-many-classes.csv", {}, {f"intent_{number:03}": 3 for number in range(105)}, (220, 32, 63), {}),
    ("27-imbalance.csv", {}, {"fault": 3, "ok": 250}, (176, 26, 51), {}),
    ("28-label-case.csv", {"labels": {"BAD": "bad"}}, {"Good": 30, "bad": 30}, SIZES, {}),
    ("28-label-case.csv", {"labels": {"BAD": None}}, {"Good": 30, "bad": 24}, (37, 6, 11), {"label not listed": 6}),
    ("30-index-column.csv", {}, BOTH, SIZES, {}),
    ("31-ragged.csv", {}, BOTH, SIZES, {}),
    ("31-ragged.csv", {"on_bad_row": "error"}, BOTH, SIZES, {}),
    ("33-utf16.csv", {"encodings": ["utf-16"], "separator": "\t"}, BOTH, SIZES, {}),
    ("34-packed.csv.gz", {}, {"bad": 36, "good": 36}, (50, 8, 14), {}),
    ("34-UPPER.CSV", {}, {"bad": 36, "good": 36}, (50, 8, 14), {}),
    ("36-stars.csv", {}, {"1": 41, "2": 31, "3": 17, "4": 27, "5": 34}, (104, 15, 31), {}),
    ("37-near-duplicates.csv", {}, {"a": 45, "b": 55}, (69, 11, 20), {}),
    ("38-label-invisible.csv", {}, {"bad": 50, "good": 50}, (70, 10, 20), {}),
    ("40-codes.csv", {}, {"part": 100, "tool": 100}, (140, 20, 40), {}),
    ("41-all-rare.csv", {}, {"a": 30, "b": 30}, SIZES, {}),
    ("42-unlabelled-mixed.csv", {}, {"bad": 40, "good": 40}, (56, 8, 16), {"empty label": 40}),
]  # fmt: skip

# file(s), keys of `dataset`, exit code, the line
REFUSED: list[tuple[str, dict[str, Any], int, str]] = [
    ("04-mixed-encodings.csv", {}, 3, r"byte 39 is not utf-8; name the file's encoding in dataset\.encodings"),
    ("05-excel-semicolon.csv", {}, 3, r"is dataset\.separator ';'\?"),
    ("09-train.csv 09-test-nolabel.csv", {"path": {"train": "data/input/09-train.csv",
     "test": "data/input/09-test-nolabel.csv"}}, 3, "a test split needs labels; use `textmill predict`"),
    ("11-nested.jsonl", {}, 3, r"no column 'text'; found: id, data\.text, data\.meta\.lang, annotations\.0\.label"),
    ("11-nested.jsonl", {"text": "data", "label": "id"}, 3, r"list or record for a text; a dotted name such as"),
    ("12-no-header.tsv", {}, 3, r"if the first row is not a header .* name its 2 columns in dataset\.header"),
    ("13-quotes.tsv", {}, 3, r"a quote opens here and runs over 3 lines .*set dataset\.quotes: none"),
    ("14-unquoted-commas.csv", {}, 3, r"no rows are left.* row 2, 3, 4, 5, 6 \(60 rows\): more cells than columns"),
    ("14-unquoted-commas.csv", {"on_bad_row": "error"}, 3, "more cells than columns; .*clean.on_bad_row: drop"),
    ("14-comma-then-label.csv", {"on_bad_row": "error"}, 3, r"row 2, 6, 10, 14, 18 \(15 rows\): more cells"),
    ("15-multilabel-commas.csv", {}, 3, r"10 labels look like lists .*: multi-label is not supported yet"),
    ("25-test-only-class.csv", {"split": "split"}, 3, "row 122: label 'new' of split test is not in train"),
    ("28-label-case.csv", {}, 3, r"'BAD' and 'bad' differ only in case; .* dataset\.labels: {BAD: bad}"),
    ("30-duplicate-header.csv", {}, 3, "2 columns 'label'"),
    ("33-utf16.csv", {}, 3, r"byte 0 is not utf-8; name the file's encoding, which looks like utf-16"),
    ("33-utf16.csv", {"encodings": ["utf-16"]}, 3, r"is dataset\.separator '\\t'\?"),
    ("35-book.xlsx", {}, 2, "is a spreadsheet; save it as csv"),
    ("35-book.xlsx", {"format": "csv"}, 3, "this is the beginning of a zip or Excel file"),
    ("42-unlabelled-mixed.csv", {"on_bad_row": "error"}, 3, r"\(40 rows\): empty label; .*clean\.on_bad_row: drop"),
]  # fmt: skip

# What else is reported: file, keys, a line of the console
TOLD = [
    ("04-mixed-encodings.csv", {"encodings": ["utf-8", "cp1252"]}, "read as cp1252 (byte 39 is not utf-8)"),
    ("04-mixed-encodings.csv", {"encodings": ["utf-8", "cp1252"]}, "10 texts look twice encoded"),
    ("05-excel-sep-line.csv", EXCEL, "separated by ';' as its first line says"),
    ("09-both.zip", {}, "train.csv is train, test.csv is test"),
    ("23-conflicts.csv", {}, "25 texts have more than one label"),
    ("25-test-lacks-class.csv", {"split": "split"}, "test has no document of 'bad'"),
]


@pytest.mark.parametrize(("files", "keys", "labels", "sizes", "dropped"), KEPT)
def test_a_file_is_read_as_its_owner_means_it(tmp_path, monkeypatch, files, keys, labels, sizes, dropped):
    cleaned, parts = taken(tmp_path, monkeypatch, files.split(), dict(keys))
    assert (cleaned.labels, cleaned.dropped) == (labels, dropped)
    assert tuple(parts.splits[name].rows for name in ("train", "validation", "test")) == sizes
    assert all(parts.splits["train"].labels.values())


@pytest.mark.parametrize(("files", "keys", "code", "line"), REFUSED)
def test_a_file_is_refused_in_a_line_that_helps(tmp_path, monkeypatch, files, keys, code, line):
    with pytest.raises(TextmillError, match=line) as refused:
        taken(tmp_path, monkeypatch, files.split(), dict(keys))
    assert refused.value.exit_code == code
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("file", "keys", "line"), TOLD)
def test_what_its_owner_should_know_is_told(tmp_path, monkeypatch, capsys, file, keys, line):
    taken(tmp_path, monkeypatch, [file], dict(keys))
    assert line in capsys.readouterr().out


def test_each_file_has_its_row():
    tried = {file for files, *_ in [*KEPT, *REFUSED] for file in files.split()}
    assert tried == {path.name for path in CASES.iterdir() if path.suffix != ".md"}


def test_a_title_stands_above_its_text(tmp_path, monkeypatch):
    taken(tmp_path, monkeypatch, ["17-title-body.csv"], {"text": ["title", "body"]})
    assert pl.read_parquet("docs.parquet")["text"].str.contains(r"^(refund|praise)\nmy|^\w+\n\w").all()
