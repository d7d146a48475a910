"""`textmill predict` on texts and files, and its errors for files that it cannot read."""

import csv
import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from conftest import ROOT
from typer.testing import CliRunner

import textmill
from textmill import labelling
from textmill.classifier import load_together
from textmill.cli import app
from textmill.labelling import as_line, reading
from textmill.labelling.answers import Answer
from textmill.rows.joining import joined

BUNDLES = ROOT / "tests/formats/bundle-5"
LINEAR, PAIRS = BUNDLES / "linear", BUNDLES / "lstm"  # the second was trained on a title and a body
ADDED = ["predicted", "p:bad", "p:good", "empty", "unknown"]
TEXTS = ["zuli ti a", "zuli, 'ti'\n\"a\"", "", "nothing of it", " 007"]
FULL = "error: predict: stdout: No space left on device; make room, or check the folder's permissions\n"


def predict(*words: object, stdin: str | None = None, code: int = 0):
    done = CliRunner().invoke(app, ["predict", *map(str, words)], input=stdin)
    assert done.exit_code == code, (done.stdout, done.stderr, done.exception)
    return done


def write(folder: Path, kind: str, names: list[str], rows: list[tuple]) -> Path:
    path = folder / f"in.{kind}"
    records = [dict(zip(names, row, strict=True)) for row in rows]
    if kind == "parquet":
        pl.DataFrame(records).write_parquet(path)
    elif kind == "jsonl":
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
    else:
        with open(path, "w", newline="") as file:
            csv.writer(file, delimiter="\t" if kind == "tsv" else ",").writerows([names, *rows])
    return path


def records_of(path: Path) -> list[dict]:
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text().splitlines()]
    mark = "\t" if path.suffix == ".tsv" else ","
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file, delimiter=mark))
    for row in rows:
        row |= {name: float(row[name]) for name in ("p:bad", "p:good", "unknown")} | {"empty": row["empty"] == "true"}
    return rows


@pytest.mark.parametrize("to", ["csv", "tsv", "jsonl"])
@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
def test_every_format_gets_the_same_labels(tmp_path, kind, to):
    source = write(tmp_path, kind, ["id", "text"], [(str(number), text) for number, text in enumerate(TEXTS)])
    done = predict(LINEAR, "--file", source, "--out", tmp_path / f"out.{to}")
    expected = "5 rows (1 empty, 2 without a known word: their labels are guesses) in "
    assert done.stdout.startswith(f"predict: {expected}")
    found, scores = records_of(tmp_path / f"out.{to}"), textmill.load(LINEAR).predict_proba(TEXTS)
    assert [list(row) for row in found] == [["id", "text", *ADDED]] * len(TEXTS)
    assert [row["text"] for row in found] == TEXTS
    np.testing.assert_allclose([(row["p:bad"], row["p:good"]) for row in found], scores, atol=1e-6)
    assert [row["predicted"] for row in found] == textmill.load(LINEAR).predict(TEXTS)
    assert [row["empty"] for row in found] == [not text for text in TEXTS]
    assert [row["unknown"] for row in found] == pytest.approx([0, 0, 1, 1, 1], abs=0.34)


def test_a_text_is_made_of_the_columns_that_the_model_was_trained_on(tmp_path):
    rows = [("zuli", "ti a", "x"), ("zuli", " ", "y"), ("", "ti a", "z"), ("", "", "")]
    source = write(tmp_path, "csv", ["title", "body", "text"], rows)
    predict(PAIRS, "--file", source, "--out", tmp_path / "out.jsonl")
    found = [row["p:good"] for row in records_of(tmp_path / "out.jsonl")]
    model = textmill.load(PAIRS)
    assert found == pytest.approx(model.predict_proba(["zuli\nti a", "zuli", "ti a", ""])[:, 1], abs=1e-6)
    predict(PAIRS, "--file", source, "--column", "text", "--out", tmp_path / "out.jsonl")
    found = [row["p:good"] for row in records_of(tmp_path / "out.jsonl")]
    assert found == pytest.approx(model.predict_proba(["x", "y", "z", ""])[:, 1], abs=1e-6)
    lines = pl.DataFrame({"a": ["1", None, " 2 "], "b": ["x", "y", ""]})
    assert lines.select(joined(["a", "b"])).to_series().to_list() == ["1\nx", "y", " 2 "]
    assert lines.select(joined(["a"])).to_series().to_list() == ["1", None, " 2 "]


def test_records_need_not_have_the_same_keys(tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_text('{"data": {"text": "zuli"}, "n": NaN}\n\n{"tags": ["a", {"b": 1}], "data": {}}\n')
    predict(LINEAR, "--file", source, "--column", "data.text", "--out", tmp_path / "out.csv")
    header, one, two = csv.reader((tmp_path / "out.csv").open(newline=""))
    assert header == ["data", "n", "tags", *ADDED]
    assert (one[0], one[2], two[:3]) == ('{"text": "zuli"}', "", ["{}", "", '["a", {"b": 1}]'])
    predict(LINEAR, "--file", source, "--column", "data.text", "--out", tmp_path / "out.jsonl")
    assert [row["empty"] for row in records_of(tmp_path / "out.jsonl")] == [False, True]
    assert records_of(tmp_path / "out.jsonl")[0]["n"] is None


def test_people_read_what_a_label_is_worth(tmp_path):
    known, empty, strange = predict(LINEAR, stdin="zuli ti a\n \nwhat is it\n").stdout.splitlines()
    assert known.split("\t")[0] == "good"
    assert len(known.split("\t")) == 2
    assert empty.endswith("\tan empty text: the label is a guess")
    assert strange.endswith("\tthe model knows none of its words: the label is a guess")
    one, two = map(json.loads, predict(LINEAR, "--json", "zuli \u202e", "b b").stdout.splitlines())
    assert list(one) == ["text", *ADDED]
    assert (one["text"], one["unknown"], two["unknown"], two["empty"]) == ("zuli \u202e", 0, 1, False)


def test_packed_files_are_read(tmp_path):
    with gzip.open(tmp_path / "in.tsv.gz", "wt") as file:
        file.write("text\tid\nzuli\t1\n")
    assert predict(LINEAR, "--file", tmp_path / "in.tsv.gz").stdout.splitlines()[1].startswith("zuli\t1\tgood\t")


def test_files_go_to_the_terminal_too(tmp_path):
    source = write(tmp_path, "csv", ["text"], [("zuli",), ("ti",)])
    assert predict(LINEAR, "--file", source).stdout.splitlines()[0] == ",".join(["text", *ADDED])
    assert [list(json.loads(line)) for line in predict(LINEAR, "--file", source, "--json").stdout.splitlines()] == [
        ["text", *ADDED]
    ] * 2


GOOD = "text,id\nzuli,1\n"


@pytest.mark.parametrize(
    ("name", "content", "options", "code", "message"),
    [
        (
            "in.csv",
            GOOD + '"never,2\nclosed,3\n',
            [],
            3,
            "line 3: unexpected end of data; does it have a quote",
        ),
        ("in.csv", GOOD + '"a"b,2\n', [], 3, "in.csv: line 3: ',' expected after '\"'"),
        ("in.csv", GOOD + "a,2,3\n", [], 3, "3: 3 cells, but the header has 2; put texts with ',' in quotes"),
        ("in.csv", GOOD + "a\0,2\n", [], 3, "in.csv: line 3: a NUL character"),
        ("in.csv", "text;id\na;1\n", [], 2, "no column 'text' among text;id; is --separator ';'?"),
        ("in.csv", "a,b\n1,2\n", [], 2, "no column 'text' among a, b; name yours with --column"),
        ("in.csv", "zuli,1\n", [], 2, "or add a first row of names if the file has none"),
        ("in.csv", "", [], 3, "in.csv: no rows: the file is empty"),
        ("in.csv", "\n\n", [], 3, "in.csv: no rows: the file is empty"),
        ("in.csv", "sep=;\ntext;id\nzuli;1;2\n", [], 3, "in.csv: line 3: 3 cells, but the header has 2"),
        ("in.csv", "text,empty\na,1\n", [], 3, "there is already a column 'empty'; rename it"),
        (
            "in.csv",
            "text,a,a\nx,1,2\n",
            ["--out", "{}/o.jsonl"],
            3,
            "two columns are called 'a'; rename one",
        ),
        ("in.tsv", "text\tid\nzuli\t1\n'a\t2\n\"a\t3\n", [], 3, "in.tsv: line 4: unexpected end of data"),
        ("in.jsonl", '{"text": "a"}\n{"text": \n', [], 3, "in.jsonl: line 2: not json"),
        ("in.jsonl", '{"text": "a"}\n[1]\n', [], 3, "in.jsonl: line 2: expected a record"),
        (
            "in.jsonl",
            '{"text": "a"}\n{"text": [1]}\n',
            [],
            3,
            "in.jsonl: line 2: 'text': expected a text, found",
        ),
        ("in.jsonl", '{"a": {"b": "a"}}\n', [], 2, "no column 'text' among a.b; name yours with --column"),
        ("in.parquet", "PAR1 no", [], 4, "in.parquet: not a complete parquet file"),
        ("in.csv.gz", "no", [], 4, "in.csv.gz: "),
        ("in.xlsx", "", [], 2, "in.xlsx: its name does not end in .csv, .tsv, .jsonl, .parquet"),
        ("in.csv", GOOD, ["--out", "{}/in.csv"], 2, "is the input; name another file"),
        ("in.csv", GOOD, ["--out", "{}/../{}/in.csv"], 2, "is the input; name another file"),
        ("in.csv", GOOD, ["--out", "{}"], 2, "is a folder; name a file"),
        ("in.csv", GOOD, ["--out", "{}/none/o.csv"], 5, "there is no folder"),
        ("in.csv", GOOD, ["--out", "{}/o.csv.gz"], 2, "o.csv.gz: its name does not end in .csv, .tsv, .jsonl"),
        ("in.csv", GOOD, ["--out", "{}/o.txt"], 2, "o.txt: its name does not end in .csv, .tsv, .jsonl"),
        ("in.csv", GOOD, ["--separator", '"'], 2, "--separator: expected one character, found '\"'"),
        ("in.csv", GOOD, ["--separator", "\n"], 2, "--separator: expected one character, found '\\n'"),
        ("in.csv", GOOD, ["--separator", ""], 2, "--separator: expected one character, found ''"),
        ("in.csv", GOOD, ["--json", "--out", "{}/o.jsonl"], 2, "--json is for the terminal"),
    ],
)
def test_what_cannot_be_labelled_is_one_line_and_leaves_nothing(tmp_path, name, content, options, code, message):
    (tmp_path / name).write_text(content)
    options = [option.replace("{}/../{}", f"{tmp_path}/../{tmp_path.name}").format(tmp_path) for option in options]
    if "--out" not in options and "--json" not in options:
        options += ["--out", str(tmp_path / "out.csv")]
    done = predict(LINEAR, "--file", tmp_path / name, *options, code=code)
    assert message in done.stderr
    assert (done.stdout, done.stderr.count("\n")) == ("", 1)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == content


@pytest.mark.parametrize("words", [["--column", "a", "x"], ["--separator", ";", "x"], ["--out", "o.csv", "x"]])
def test_options_of_a_file_need_one(words):
    assert "needs --file" in predict(LINEAR, *words, code=2).stderr


def test_spreadsheets_add_empty_cells(tmp_path):
    (tmp_path / "in.csv").write_text("\ufefftext,id\r\nzuli,1,,\r\n\r\nti,2\r\n")
    predict(LINEAR, "--file", tmp_path / "in.csv", "--out", tmp_path / "out.csv")
    assert [row["id"] for row in records_of(tmp_path / "out.csv")] == ["1", "2"]


def test_a_first_line_may_tell_the_separator(tmp_path):
    (tmp_path / "in.csv").write_text('\ufeffsep=;\n\ntext;id\n"zuli; ti";1\n')
    predict(LINEAR, "--file", tmp_path / "in.csv", "--out", tmp_path / "out.csv")
    header, row = (tmp_path / "out.csv").read_text().splitlines()
    assert header == ";".join(["text", "id", *ADDED])
    assert row.startswith('"zuli; ti";1;good;')


def test_a_column_may_be_written_otherwise_than_in_training(tmp_path):
    (tmp_path / "in.csv").write_text("te\u0301xt ,id\nzuli ti,1\n")
    output = predict(LINEAR, "--file", tmp_path / "in.csv", "--column", "t\u00e9xt", "--json").stdout
    assert json.loads(output)["predicted"] == "good"


def test_people_read_the_likeliest_of_many_classes():
    many = Answer("c7", {f"c{n}": 0.5 if n == 7 else 0.5 / 99 for n in range(100)}, False, 0)
    assert as_line(many).startswith("c7\tc7 0.5000  c0 0.0051  ")
    assert as_line(many).endswith("  and 95 others")
    assert as_line(Answer("a", {"b": 0.2, "a": 0.8}, False, 0)) == "a\tb 0.2000  a 0.8000"


def test_rows_are_held_a_batch_at_a_time(tmp_path, monkeypatch):
    source = write(tmp_path, "csv", ["text", "long"], [("zuli", "x" * 40)] * 10)
    sizes = []

    class Counting:
        labels, columns, model = ["bad", "good"], ["text"], textmill.load(LINEAR)

        def scores(self, texts):
            sizes.append(len(texts))
            return self.model.scores(texts)

    monkeypatch.setattr(labelling, "SIZE", 120)
    labelling.to_file(Counting(), source, tmp_path / "out.csv", [], ",")
    assert sizes == [3, 3, 3, 1]
    monkeypatch.setattr(reading, "LONGEST", 1000)
    source.write_text("text,id\n" + '"open,1\n' + "filler,2\n" * 1000)
    done = predict(LINEAR, "--file", source, code=3)
    assert "line 2: field larger than field limit (1000); does it have a quote that is not closed" in done.stderr


def test_an_average_knows_what_one_of_its_models_knows():
    both = load_together([LINEAR, PAIRS])
    one, two = (textmill.load(path).scores(["zuli x", "y"]) for path in (LINEAR, PAIRS))
    np.testing.assert_allclose(both.scores(["zuli x", "y"]).unknown, (one.unknown + two.unknown) / 2)
    assert both.columns == ["text"]


CLOSED = [sys.executable, "-m", "textmill", "predict", str(LINEAR)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shell", "code", "message"),
    [
        ('"$@" <&-', 2, "error: predict: stdin is closed; give texts, or --file\n"),
        ('"$@" zuli >/dev/full', 5, FULL),
        ('"$@" --file in.csv >/dev/full', 5, FULL),
        ('"$@" --file in.csv >&-', 5, "error: predict: stdout is closed; use --out\n"),
        ('yes zuli | head -30000 | "$@" | head -1 >/dev/null; exit ${PIPESTATUS[2]}', 0, ""),
        ('"$@" </dev/null', 0, ""),
    ],
)
def test_what_is_closed_or_full_is_one_line(tmp_path, shell, code, message):
    (tmp_path / "in.csv").write_text(GOOD)
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        ["bash", "-c", shell, "sh", *CLOSED], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (code, message)


# The kept bundle has two thresholds: 20 answers and no error above 0.75, 40 answers and 4 errors above 0.
RISKS = {
    "0.05": ([None] * 3, "answered none of 3: its 40 validation documents cannot show that at most 5 % are wrong; "
             "--risk 0.17 would answer 50 % of these documents"),
    "0.2": (["good", None, None], "answered 1 of 3 (with 95 % confidence, at most 20 % of such answers are wrong)"),
    "0.3": (["good", "good", "good"], "answered 3 of 3 (with 95 % confidence, at most 30 % of such answers are wrong)"),
}  # fmt: skip


@pytest.mark.parametrize("risk", RISKS)
def test_what_is_less_sure_than_promised_gets_no_label(tmp_path, risk):
    labels, output = RISKS[risk]
    texts = ["zuli ti a", "", "nothing of it"]
    found = predict(LINEAR, "--risk", risk, *texts, "--json")
    assert found.stderr == f"predict: {output}\n"
    lines = [json.loads(line) for line in found.stdout.splitlines()]
    plain = [json.loads(line) for line in predict(LINEAR, *texts, "--json").stdout.splitlines()]
    assert [line["predicted"] for line in lines] == labels
    assert [line | {"predicted": None} for line in lines] == [line | {"predicted": None} for line in plain]
    source = write(tmp_path, "csv", ["id", "text"], list(enumerate(texts)))
    for kind in ("csv", "jsonl"):
        done = predict(LINEAR, "--risk", risk, "--file", source, "--out", tmp_path / f"out.{kind}")
        assert done.stderr == f"predict: {output}\n"
        rows = records_of(tmp_path / f"out.{kind}")
        assert [row["predicted"] or None for row in rows] == labels
        assert [row["p:good"] for row in rows] == pytest.approx([line["p:good"] for line in plain])
        assert ("their labels are guesses" in done.stdout) == (labels[1] is not None)
    shown = predict(LINEAR, "--risk", risk, *texts).stdout.splitlines()
    assert [line.split("\t")[0] for line in shown] == [label or "(no answer)" for label in labels]
    assert shown[1].endswith("\tan empty text" + (": the label is a guess" if labels[1] else ""))


@pytest.mark.parametrize("risk", ["0", "1", "-0.1", "5", "5%", "nan", "inf", "few", ""])
def test_a_risk_is_a_share(risk):
    done = predict(LINEAR, f"--risk={risk}", "x", code=2)
    assert done.stderr.startswith("error: predict: --risk: expected a share of wrong answers between 0 and 1, such as")
    assert (done.stdout, done.stderr.count("\n")) == ("", 1)


def test_what_has_no_thresholds_promises_nothing():
    old = BUNDLES.with_name("bundle-4") / "linear"
    done = predict(old, "--risk", "0.1", "x", code=2)
    assert done.stderr == "error: predict: --risk: model 'linear' has no thresholds; train it again\n"
    done = predict(LINEAR, "--with", PAIRS, "--risk", "0.1", "x", code=2)
    assert done.stderr.startswith("error: predict: --risk: an average of models has no thresholds")
