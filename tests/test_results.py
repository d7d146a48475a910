"""What stages hand to each other: exactly what its type says, or one line that says which file and stage it is."""

import json

import pytest
from test_report import made_up

from textmill.errors import ArtifactError
from textmill.files import write_json
from textmill.records.curve import Curve
from textmill.records.data import Clean, Vectors
from textmill.records.fit import Fit
from textmill.records.history import read_history, write_history
from textmill.records.mistakes import Mistakes
from textmill.records.scores import Scores
from textmill.records.slices import Slices
from textmill.records.suspects import Suspects

FIT = made_up()[0]["lstm"]["fit"]
ROW = {"epoch": 1, "train_loss": 0.1234567, "validation_loss": 0.5, "validation_accuracy": 1.0, "validation_f1": 1.0}
ROW |= {"learning_rate": None, "seconds": 9.0}


def without(key: str) -> dict:
    return {name: value for name, value in FIT.items() if name != key}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (without("epochs"), "fit.epochs: missing"),
        (FIT | {"epcohs": 3}, "fit.epcohs: unknown key; did you mean 'epochs'?"),
        (FIT | {"parameters": 1.5}, "fit.parameters: expected a valid integer"),
        (FIT | {"seed": "7"}, "fit.seed: expected a valid integer, found '7'"),
        (FIT | {"validation": {"accuracy": 1.0, "f1_macro": 1.0}}, "fit.validation.log_loss: missing"),
        ([], "fit: expected"),
    ],
)
def test_another_content_is_one_line_that_names_file_and_stage(tmp_path, content, message):
    path = tmp_path / "gru" / "fit.json"
    write_json(path, content)
    with pytest.raises(ArtifactError) as refused:
        Fit.read(path)
    line = str(refused.value)
    assert line.startswith(f"{path}: {message}")
    assert line.endswith("; run `dvc repro -f train@gru` to make it")
    assert "\n" not in line


@pytest.mark.parametrize(
    ("record", "file", "stage"),
    [
        (Fit, "lstm/fit.json", "train@lstm"),
        (Scores, "lstm/scores.json", "evaluate@lstm"),
        (Vectors, "vectors-word.json", "vectors@word"),
        (Curve, "lstm/curve.json", "curve@lstm"),
        (Suspects, "suspects.json", "suspects"),
        (Clean, "clean.json", "clean"),
    ],
)
def test_a_missing_file_names_the_stage_that_makes_it(tmp_path, record, file, stage):
    with pytest.raises(ArtifactError, match=rf"{file}: missing; run `dvc repro {stage}` to make it"):
        record.read(tmp_path / file)


def test_what_is_written_is_what_was_read(tmp_path):
    model, clean = made_up()[0]["lstm"], made_up()[4]
    contents = {Fit: model["fit"], Scores: model["scores"], Slices: model["analysis"], Mistakes: model["errors"]}
    contents |= {Clean: clean, Vectors: {"source": None}}
    for record, content in contents.items():
        write_json(tmp_path / "a.json", content)
        record.read(tmp_path / "a.json").write(tmp_path / "b.json")
        assert json.loads((tmp_path / "b.json").read_text()) == content


def test_a_learning_curve_has_six_digits_and_no_seconds(tmp_path):
    path = tmp_path / "lstm" / "history.csv"
    write_history(path, [ROW, ROW | {"epoch": 2}])
    assert path.read_text().splitlines()[1:] == ["1,0.123457,0.5,1.0,1.0,", "2,0.123457,0.5,1.0,1.0,"]
    assert [row.epoch for row in read_history(path)] == [1, 2]
    assert read_history(path)[0].learning_rate is None


@pytest.mark.parametrize("text", ["epoch,loss\n1,2\n", "epoch\nx\n", ""])
def test_what_is_no_learning_curve(tmp_path, text):
    path = tmp_path / "lstm" / "history.csv"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(ArtifactError, match=r"lstm/history.csv: .*; run `dvc repro -f train@lstm` to make it"):
        read_history(path)
