"""What `track` writes, and finds again."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stores import (
    LOCK,
    NAMES,
    REGISTERED,
    artifact,
    choose,
    content,
    md5,
    of_models,
    project,
    runs,
    versions,
    write_lock,
)

import textmill
from textmill.errors import ArtifactError
from textmill.files import read_json, write_json
from textmill.lockfile import hash_of
from textmill.tracking import artifacts, params, store
from textmill.tracking.safe import safe_metrics, safe_params
from textmill.tracking.snapshot import read_results

pytest_plugins = ["stores"]
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("plain")]


def test_a_run_holds_all_that_is_known(client):
    found = {run.info.run_name: run for run in runs(client)}
    assert sorted(found) == ["always bad", "both", "linear", "rnn", "rnn seed 42", "rnn seed 7"]
    run, scores, fit = found["rnn"], read_json(Path("metrics/rnn/scores.json")), read_json(Path("metrics/rnn/fit.json"))

    params, all_params = run.data.params, read_json(artifact(run, "params.json"))
    expected = {"seed": "42", "seeds": "[42, 7]", "epochs": "3", "hidden": "8", "family": "rnn"}
    assert params | expected | {"tokenizer.min_freq": "1", "tokenizer": "word"} == params
    assert not params.keys() & {"dataset.url", "split.test", "clean.on_bad_row"}  # the default in all models
    assert all_params | params == all_params
    assert all_params["dataset.url"] == "https://***@example.org/reviews.csv?token=***&raw=1"
    left_out = {"clean.on_bad_row": "drop", "split.test": "0.2", "dataset.separator": ",", "dataset.group": "null"}
    applied = left_out | {"evaluate.negations": '["not"]', "compare.alpha": "0.05", "patience": "null"}
    assert all_params | applied == all_params
    assert "epochs" not in read_json(artifact(found["linear"], "params.json"))  # the train section is for networks

    metrics = run.data.metrics
    assert metrics["test_accuracy"] == scores["accuracy"]
    assert metrics["test_f1/good"] == scores["classes"]["good"]["f1"]
    assert metrics["validation_accuracy"] == fit["validation"]["accuracy"]
    assert metrics["train_seconds"] > 0
    told = next(one for one in scores["temperatures"] if one["seed"] == fit["seed"])
    assert metrics["calibration/temperature"] == told["temperature"]
    assert metrics["calibration/test_log_loss_before"] == told["log_loss_before"]
    assert metrics["calibration/test_calibration_error_before"] == told["calibration_error_before"]
    for of in ("mean", "sd"):
        assert metrics[f"test_f1_macro_{of}"] == scores[of]["f1_macro"]
    assert (metrics["test_accuracy_low"], metrics["test_accuracy_high"]) == (0.85, 0.95)
    for one in scores["seeds"]:
        child = found[f"rnn seed {one['seed']}"]
        assert (
            child.data.tags | {"mlflow.parentRunId": run.info.run_id, "model": "rnn", "kind": "seed"} == child.data.tags
        )
        assert child.data.metrics["test_accuracy"] == one["accuracy"]
        assert not client.list_artifacts(child.info.run_id)
    assert found["both"].data.metrics["test_accuracy"] == 0.9
    assert found["always bad"].data.metrics == {"test_accuracy": 0.5, "test_f1_macro": 0.33}
    columns = {name: [key for key in run.data.metrics if "/" not in key] for name, run in found.items()}
    assert len(columns["rnn"]) <= 18  # few enough to read
    assert set(columns["rnn"]) - set(columns["linear"]) == {
        f"test_{name}_{of}" for name in ("accuracy", "f1_macro") for of in ("mean", "sd")
    }
    curve = client.get_metric_history(run.info.run_id, "epoch/train_loss")
    assert [point.step for point in curve] == [1, 2, 3]
    assert curve[-1].timestamp == run.info.end_time > run.info.start_time

    timing = read_json(Path("metrics/rnn/timing.json"))
    assert run.info.start_time == int(timing["started"] * 1000)
    files = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert files >= {
        "confusion.png",
        "confusion.json",
        "curves.png",
        "scores.json",
        "errors.json",
        "predictions.parquet",
        "seeds.parquet",
    }
    logged = list(Path("mlartifacts").glob("**/rnn/config.json"))
    assert logged
    assert not [path for path in logged if (path.parent / "seeds").exists()]  # the model has one seed's weights
    assert {one.dataset.name: one.dataset.digest for one in run.inputs.dataset_inputs} == {
        "reviews": md5(Path("data/clean/docs.parquet")),
        "reviews-test": md5(Path("data/split/test.parquet")),
        "reviews-validation": md5(Path("data/split/validation.parquet")),
    }
    models = client.search_logged_models([run.info.experiment_id])
    assert [model.name for model in models] == ["linear", "rnn"]  # the newest first
    assert {model.status for model in models} == {"READY"}
    linked = {metric.key: metric.dataset_name for metric in models[1].metrics}
    assert linked["test_f1/good"] == linked["test_accuracy"] == "reviews-test"
    assert linked["validation_accuracy"] == "reviews-validation"
    assert artifact(found["linear"], "report/index.html").read_text() == "<p>linear</p>"
    assert run.data.tags["textmill.bundle"] == md5(Path("data/models/rnn"))
    assert [run.data.tags.get("champion") for run in (found["linear"], run)] == ["yes", None]
    assert client.get_experiment_by_name("another") is None
    tags = client.get_experiment_by_name("reviews").tags
    assert tags["mlflow.note.content"].startswith("**linear** is the champion by validation accuracy; it ties with rnn")
    views = [tags[f"mlflow.sharedViewState.{name}"] for name in ("scores", "seeds")]
    assert all("columnOrder" in view for view in views)
    (version,) = versions(client).values()
    assert "best of 2 by validation accuracy" in version.description


def test_the_champion_loads_and_predicts_elsewhere(copy, tmp_path):
    code = (
        "import sys, json, mlflow, pandas; model = mlflow.pyfunc.load_model('models:/textmill-reviews@champion');"
        "table = model.predict(pandas.DataFrame({'text': ['a superb film', '']}));"
        "import textmill; print(json.dumps([table.to_dict('list'), textmill.__file__]))"
    )
    uri = f"sqlite:///{copy / 'mlflow.db'}"
    environment = {"PATH": os.environ["PATH"], "MLFLOW_TRACKING_URI": uri, "MLFLOW_DISABLE_TELEMETRY": "true"}
    told = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, check=True)
    table, package = json.loads(told.stdout)
    assert list(table) == ["prediction", "confidence", "p:bad", "p:good"]
    assert table["prediction"][0] == "good"
    recorded = textmill.load(copy / "data/models/linear").predict_proba(["a superb film", ""])
    np.testing.assert_allclose(np.stack([table["p:bad"], table["p:good"]], 1), recorded, atol=1e-6)
    assert "mlartifacts" in package  # the code that was logged, not this checkout's
    logged = next(Path(package).parents[2].glob("**/MLmodel")).parent
    assert not list(logged.rglob("*.pkl"))


def test_the_second_time_writes_nothing_and_needs_no_mlflow(copy, monkeypatch):
    assert "(0 new)" in project()  # updates the locations in the copied database
    monkeypatch.setattr("textmill.tracking.opened", lambda uri: pytest.fail("mlflow was opened"))
    before = Path("mlflow.db").read_bytes()
    assert "(0 new), champion linear = textmill-reviews v1" in project()
    assert Path("mlflow.db").read_bytes() == before


def test_new_code_is_a_new_run_of_the_same_version(client):
    write_lock(code="1" * 32)
    assert "(2 new)" in project()
    assert (len(of_models(client)), len(versions(client))) == (4, 1)
    latest = runs(client, filter_string="tags.latest = 'yes' and tags.kind = 'model'")
    assert {run.data.tags["textmill.key"] for run in latest} == {one.key for one in read_results(LOCK, NAMES)}
    champions = runs(client, filter_string="tags.champion = 'yes'")
    assert [run.info.run_name for run in champions] == ["linear"]


def test_new_weights_are_a_new_version_and_the_champion_moves(client):
    config = Path("data/models/rnn/config.json")
    config.write_text(config.read_text() + "\n")
    write_lock()
    choose("rnn")
    assert "(1 new), champion rnn = textmill-reviews v2" in project()
    aliases = client.get_registered_model(REGISTERED).aliases
    assert {alias: str(number) for alias, number in aliases.items()} == {"champion": "2", "previous": "1"}
    assert versions(client)[2].tags["model"] == "rnn"
    assert (len(of_models(client)), len(versions(client))) == (3, 2)
    (champion,) = runs(client, filter_string="tags.champion = 'yes'")
    assert champion.data.tags["textmill.bundle"] == md5(config.parent)


def test_params_that_this_version_refuses_are_recorded_as_they_are():
    assert params.with_defaults("clean", {"max_chars": 10}) == {"on_bad_row": "drop", "max_chars": 10}
    for key, value in {"clean": {"gone": 1}, "split": None, "tokenizers.t": {"kind": "gone"}, "seed": 1}.items():
        assert params.with_defaults(key, value) == value


def test_what_someone_deleted_comes_back(client):
    rnn, linear = sorted(of_models(client), key=lambda run: run.info.run_name, reverse=True)
    before = content()
    client.delete_tag(rnn.info.run_id, "textmill.complete")
    for run in [run for run in runs(client) if run.data.tags["kind"] in ("seed", "baseline")]:
        client.delete_run(run.info.run_id)
    client.delete_run(linear.info.run_id)
    client.delete_registered_model_alias(REGISTERED, "champion")
    assert "(1 new)" in project()
    assert content() == before

    client.delete_model_version(REGISTERED, "1")
    assert "(0 new), champion linear = textmill-reviews v2" in project()
    client.delete_experiment(client.get_experiment_by_name("reviews").experiment_id)
    assert "(0 new)" in project()
    client.delete_logged_model(client.search_logged_models([linear.info.experiment_id])[0].model_id)
    assert "(1 new)" in project()
    assert content()["runs"] == before["runs"]


def test_a_model_that_predicts_other_than_recorded_is_not_promoted(client):
    errors = Path("metrics/rnn/errors.json")
    texts = {"id": "1", "label": "bad", "prediction": "good", "confidence": 0.9, "tokens": 2, "unknown": 0.0}
    write_json(errors, [texts | {"text": text} for text in ("dull awful", "superb lovely", "weak flat")])
    write_lock()
    choose("rnn")
    with pytest.raises(ArtifactError, match=r"textmill-reviews v2: predicts other than `evaluate` recorded"):
        project()
    assert str(client.get_model_version_by_alias(REGISTERED, "champion").version) == "1"


def test_a_version_whose_files_are_not_those_of_dvc_lock_is_neither_loaded_nor_promoted(client):
    """Anyone who can write into the store can tag a version, and put code into it."""
    choose("linear")
    project()  # the copied store learns where its files are
    model = client.get_model_version_by_alias(REGISTERED, "champion").source.removeprefix("models:/")
    client.delete_registered_model_alias(REGISTERED, "champion")
    folder = artifacts.local(client.get_logged_model(model).artifact_location)
    # All files keep their sizes, which alone are looked at: files of other sizes are written again.
    evil = "open('ran', 'w')  # "
    for code in folder.rglob("pyfunc.py"):
        code.write_text(evil + code.read_text()[len(evil) :])
    (labels,) = folder.glob("artifacts/linear/config.json")
    good = labels.read_bytes()
    labels.write_bytes(good[:-1] + b" ")
    with pytest.raises(ArtifactError, match=r"v1: config\.json: not what dvc\.lock says; the alias was not moved"):
        project()
    assert "champion" not in client.get_registered_model(REGISTERED).aliases
    labels.write_bytes(good)
    project()
    assert str(client.get_model_version_by_alias(REGISTERED, "champion").version) == "1"
    assert not Path("ran").exists()
    assert evil in (folder / "pyfunc.py").read_text()


@pytest.mark.parametrize("file", ["metrics/rnn/scores.json", "data/models/rnn/model.safetensors"])
def test_a_file_that_is_not_what_dvc_lock_says_is_not_recorded(client, file):
    write_lock(code="2" * 32)
    Path(file).write_bytes(Path(file).read_bytes() + b" ")
    with pytest.raises(ArtifactError, match=r"rnn.*: not what dvc.lock says; run `dvc repro`"):
        project()
    Path(file).unlink()
    with pytest.raises(ArtifactError, match=r"rnn"):
        project()
    assert len(runs(client, filter_string="attributes.run_name = 'rnn'")) == 1


def test_a_result_that_dvc_lock_does_not_hold(copy):
    LOCK.write_text(LOCK.read_text().replace("evaluate@rnn", "evaluate@gone"))
    with pytest.raises(ArtifactError, match=r"dvc.lock: 'evaluate@rnn' is missing; run `dvc repro`"):
        project()
    LOCK.unlink()
    with pytest.raises(ArtifactError, match=r"dvc.lock: missing"):
        project()


def test_the_store_of_a_queued_experiment_is_the_repositorys(tmp_path, monkeypatch):
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    assert store.store_uri(Path("elsewhere")) == f"sqlite:///{tmp_path}/mlflow.db"


def test_the_lock_of_a_shared_store_is_next_to_it(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/shared/runs.db")
    for folder in ("one", "two"):
        with store.alone(tmp_path / folder):
            assert [path.name for path in (tmp_path / "shared").iterdir()] == ["runs.db.lock"]


def test_a_folders_md5_is_dvcs(tmp_path):
    (tmp_path / "sub").mkdir()
    for name, text in {"a.txt": "x", "config.json": "{}", "sub/Zoë.txt": "é"}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert hash_of(tmp_path) == "ee1f421327a6b6bcc31600bc071b685b.dir"  # as `dvc add` wrote it


@pytest.mark.parametrize(
    ("uri", "masked"),
    [
        ("https://me:pass@host/x", "https://***@host/x"),
        ("https://host/x?token=abc&raw=1", "https://host/x?token=***&raw=1"),
        ("https://host/x?raw=1&X-Amz-Signature=ab%2F", "https://host/x?raw=1&X-Amz-Signature=***"),
        ("[https://host/a?api_key=1, https://host/b#access_token=2]", "[https://host/a?api_key=***, https://host/b#access_token=***]"),
        ('["https://host/a?key=1", "b"]', '["https://host/a?key=***", "b"]'),
        ("https://host/x?page=2", "https://host/x?page=2"),
    ],
)  # fmt: skip
def test_passwords_and_tokens_are_masked(uri, masked):
    assert store.shown(uri) == masked


@given(st.dictionaries(st.text(min_size=1), st.one_of(st.floats(), st.none()), max_size=5), st.text(max_size=7000))
def test_no_name_and_no_value_makes_mlflow_raise(metrics, text):
    from mlflow.utils.validation import _validate_metric, _validate_param

    safe = safe_metrics(metrics)
    for name, value in safe.items():
        _validate_metric(name, value, 0, 0)
    assert len(safe) == sum(value is not None and abs(value) < float("inf") for value in metrics.values())
    params = safe_params({**metrics, "text": text, "a(b)%": [1], "a(b)&": True, "../x": {}})
    for name, value in params.items():
        _validate_param(name, value)
        assert len(value) <= 6000
    assert params["text"] == store.shown(text) or params["text"].endswith("characters; params.yaml has all)")
    assert len(params) == len({*metrics, "text", "a(b)%", "a(b)&", "../x"})
