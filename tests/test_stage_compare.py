import csv
import json

import polars as pl
import pytest
from test_report import LABELS, made_up

from stages.compare import main
from textmill import timings
from textmill.errors import ArtifactError, ParamsError
from textmill.files import read_json, write_json

NAMES = ["linear", "gru", "lstm"]


@pytest.fixture
def folder(tmp_path):
    """Returns a folder with the metrics of three models, as earlier stages write them, and a params.yaml for them."""
    models, predictions, actual, ids, clean, split, encoded = made_up(NAMES)
    metrics = tmp_path / "metrics"
    write_json(metrics / "clean.json", clean)
    write_json(metrics / "split.json", split)
    write_json(metrics / "encode-word.json", encoded["word"])
    write_json(metrics / "vectors-word.json", {"source": None})
    write_json(metrics / "suspects.json", LABELS.suspects.model_dump())
    for name, model in models.items():
        write_json(metrics / name / "curve.json", {})
        for fact in ("fit", "scores", "errors", "analysis", "terms"):
            write_json(metrics / name / f"{fact}.json", model[fact])
        with open(metrics / name / "history.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, model["history"][0])
            writer.writeheader()
            writer.writerows(model["history"])
        rows = {"id": ids, "label": list(actual), "prediction": list(predictions[name])}
        rows |= {"p:fresh": [0.25 + 0.5 * (one == "fresh") for one in predictions[name]]}
        rows["confidence"] = pl.Series([0.9] * len(ids), dtype=pl.Float32)
        table = pl.DataFrame(rows | {"unit": pl.Series(range(len(ids)), dtype=pl.Int32)})
        table.write_parquet(metrics / name / "predictions.parquet")
        empty = table.clear().select(pl.lit(None, pl.Int64).alias("seed"), pl.all())
        empty.write_parquet(metrics / name / "seeds.parquet")
        table.select(pl.lit(7, pl.Int64).alias("seed"), pl.all()).write_parquet(metrics / name / "validation.parquet")
    pl.DataFrame({"id": ids, "text": [f"text {one}" for one in ids]}).write_parquet(tmp_path / "test.parquet")
    write_params(tmp_path, NAMES)
    return tmp_path


def write_params(folder, names):
    dataset = {"source": "path", "path": "a.csv", "name": "reviews", "text": "text", "label": "label"}
    params = {"seed": 42, "dataset": dataset, "tokenizers": {"word": {}}, "train": {}}
    compare = {"metric": "accuracy", "alpha": 0.05, "ensembles": {}}
    params |= {"compare": compare, "models": {n: {} for n in names}}
    (folder / "params.yaml").write_text(json.dumps(params))


def run(folder):
    report = folder / "report"
    written = report / "comparison.json", report / "index.html", report / "plots"
    metrics = folder / "metrics"
    counted = metrics / "clean.json", metrics / "split.json", metrics / "suspects.json", metrics, metrics
    main(folder / "test.parquet", *counted, *written, folder / "params.yaml")
    return read_json(report / "comparison.json"), (report / "index.html").read_text()


def ids_of_errors(folder):
    """Returns the ids of documents that at least one model gets wrong."""
    tables = [pl.read_parquet(folder / "metrics" / name / "predictions.parquet") for name in NAMES]
    return {one for table in tables for one in table.filter(pl.col("label") != pl.col("prediction"))["id"]}


def test_report_and_table(folder, capsys):
    result, page = run(folder)
    assert {model["name"] for model in result["models"]} == set(NAMES)
    assert (result["dataset"], result["rows"], result["champion_by"]) == ("reviews", 60, "validation accuracy")
    assert [len(result["pairs"]), result["pairs"][0]["a"]] == [3, result["champion"]]
    assert page.count('<tr id="d-') == len(ids_of_errors(folder))
    output = capsys.readouterr().out
    assert all(name in output for name in [*NAMES, f"always {result['baseline']['label']}"])
    assert f"Champion by validation accuracy: {result['champion']} (" in output
    assert "report/index.html" in output
    assert "textmill ui" in output


def test_a_model_removed_from_params_is_ignored(folder):
    write_params(folder, ["linear", "lstm"])
    result, page = run(folder)
    assert {model["name"] for model in result["models"]} == {"linear", "lstm"}
    assert "gru" not in page
    assert "gru" not in json.dumps(result)


def test_timings_are_printed_and_change_no_output(folder, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    run(folder)
    report = [path.read_bytes() for path in sorted((folder / "report").rglob("*.*"))]
    assert len(report) == 5
    capsys.readouterr()
    weights = read_json(folder / "metrics" / "gru" / "fit.json")["weights"]
    facts = {"train_seconds": 123.4, "predict_documents_per_second": 5678.0}
    timings.record(folder / "metrics" / "gru", weights, timings.Timing(**facts))
    timings.record(folder / "metrics" / "lstm", "0" * 64, timings.Timing(**facts | {"train_seconds": 99.9}))
    run(folder)
    output = capsys.readouterr().out
    assert ("123.4" in output, "5,678" in output, "99.9" in output) == (True, True, False)
    assert [path.read_bytes() for path in sorted((folder / "report").rglob("*.*"))] == report


@pytest.mark.parametrize(
    ("file", "stage"), [("scores.json", "evaluate"), ("predictions.parquet", "evaluate"), ("history.csv", "train")]
)
def test_an_error_about_a_missing_file_names_its_stage(folder, file, stage):
    (folder / "metrics" / "gru" / file).unlink()
    with pytest.raises(ArtifactError, match=rf"gru/{file}: missing; run `dvc repro {stage}@gru`"):
        run(folder)
    assert not (folder / "report").exists()


def test_damaged_predictions_are_named(folder):
    path = folder / "metrics" / "gru" / "predictions.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ArtifactError, match=r"gru/predictions.parquet: cannot be read .* `dvc repro`"):
        run(folder)


def test_params_without_models_are_refused(folder):
    write_params(folder, [])
    with pytest.raises(ParamsError, match="models"):
        run(folder)


def test_a_curve_of_an_unknown_model_is_refused(folder):
    params = json.loads((folder / "params.yaml").read_text())
    params["compare"]["curves"] = ["lstm", "grru"]
    (folder / "params.yaml").write_text(json.dumps(params))
    with pytest.raises(ParamsError, match=r"params.yaml: compare.curves: 'grru' is not a model; did you mean 'gru'\?"):
        run(folder)
