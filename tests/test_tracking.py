import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from contextlib import chdir, closing
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from conftest import HANGS, MODELS, ROOT, TRAIN, no_columns
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

import textmill
from stages import encode, evaluate, train, vectors, vocab
from textmill.errors import ArtifactError, ParamsError, ResourceError
from textmill.files import read_json, write_json
from textmill.judging.comparison import REPORTED
from textmill.lockfile import hash_of
from textmill.records.comparison import Baseline, Comparison, Entry, Pair, Power
from textmill.tracking import artifacts, params, store, track, track_all, track_commit
from textmill.tracking.experiment import Experiment
from textmill.tracking.safe import safe_metrics, safe_params
from textmill.tracking.snapshot import read_results

pytestmark = pytest.mark.slow

NAMES = ["linear", "rnn"]
REGISTERED = "textmill-reviews"
LOCK, COMPARISON, METRICS = Path("dvc.lock"), Path("report/comparison.json"), Path("metrics")
PAGE = Path("report/index.html")
PARAMS = {
    "seed": 42,
    "threads": 1,
    "dataset": {
        "name": "reviews",
        "source": "url",
        "url": "https://me:secret@example.org/reviews.csv?token=secret&raw=1",
        "sha256": ["0" * 64],
        "text": "text",
        "label": "label",
    },
    "clean": {"max_chars": 1000},
    "split": {"by": "text"},
    "tokenizers": {
        "word": {
            "kind": "word",
            "lowercase": True,
            "markup": "strip",
            "pattern": "[\\p{L}\\p{N}]+",
            "min_freq": 1,
            "max_size": 500,
            "vectors": None,
        }
    },
    "train": {**TRAIN, "epochs": 3},
    "models": {"linear": MODELS["linear"], "rnn": {**MODELS["rnn"], "seeds": [42, 7]}},
    "evaluate": {"negations": ["not"]},
    "compare": {"alpha": 0.05},
}


@pytest.fixture(autouse=True)
def no_settings_of_the_user(monkeypatch):
    for name in [name for name in os.environ if name.startswith(("MLFLOW_", "DVC_"))]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def finished(tmp_path_factory, reviews) -> Path:
    """A repository whose stages trained and evaluated two models; no store yet."""
    root = tmp_path_factory.mktemp("finished")
    with chdir(root):
        write_json(Path("params.yaml"), PARAMS)
        write_json(Path("data/clean/labels.json"), ["bad", "good"])
        documents = reviews.with_row_index("id").with_columns(pl.col("id").cast(pl.String).str.zfill(4))
        documents = documents.with_columns(group=pl.col("film"))
        documents.write_parquet("data/clean/docs.parquet")
        Path("data/split").mkdir()
        for name, start, rows in (
            ("train", 0, 140),
            ("validation", 140, 50),
            ("test", 190, 50),
            ("unlabelled", 240, 0),
        ):
            documents.slice(start, rows).write_parquet(f"data/split/{name}.parquet")
        write_json(Path("data/split/train_in_test.json"), [])
        labels, words = Path("data/clean/labels.json"), Path("data/vocab/word")
        encoded, tokenizer = Path("data/encoded/word"), words / "tokenizer.json"
        learned, train_ids, downloads = (
            Path("metrics/vocab-word.json"),
            encoded / "train.safetensors",
            Path("data/downloads"),
        )
        vocab.main("word", Path("data/split/train.parquet"), labels, downloads, words, train_ids, learned)
        encode.main(Path("data/split"), labels, tokenizer, learned, encoded, Path("metrics/encode-word.json"))
        found = Path("data/vectors/word.safetensors"), Path("metrics/vectors-word.json")
        Path("code.txt").write_text("0123 textmill\n")
        text = Path("code.txt"), learned, encoded, words, found[0], Path("data/split/train_in_test.json"), labels
        vectors.main("word", tokenizer, encoded, Path("data/split/train_in_test.json"), downloads, *found)
        for name in NAMES:
            bundle, metrics = Path(f"data/models/{name}"), Path(f"metrics/{name}")
            train.main(name, *text, bundle, metrics, Path("data/checkpoints"), Path("data/pretrained"))
            columns = no_columns(Path("data/columns.parquet"))
            evaluate.main(bundle, Path("data/encoded/word"), Path("data/split"), columns, metrics)
        choose("linear")
        write_lock()
    return root


def choose(champion: str) -> None:
    """Writes the comparison of both models and an ensemble, with this champion."""
    entry = {"tokenizer": "word", "parameters": 9, "members": [], "seeds": 1, "sd": None, "gain_low": None}
    entry |= {"validation_low": None, "validation_high": None, "wins": 0.5, "validation": 0.8, "score": 0.9}
    entry |= dict.fromkeys(REPORTED, 0.9) | {"low": 0.85, "high": 0.95}
    families = {name: MODELS[name]["family"] for name in sorted(NAMES, key=lambda name: name != champion)}
    seeds = {"linear": 1, "rnn": 2}
    models = [Entry(name=name, family=of, **entry | {"seeds": seeds[name]}) for name, of in families.items()]
    both = Entry(name="both", family="ensemble", **entry | {"members": NAMES, "wins": None})
    power = Power(rows=50, by="document", units=50, effective=50.0, least=None)
    Comparison(
        dataset="reviews", metric="accuracy", rows=50, labels=["bad", "good"], absent=[], rare={}, alpha=0.05,
        validation=power, test=power, champion=champion, champion_by="validation accuracy", equal=[champion],
        decided_by=None, baseline=Baseline(label="bad", accuracy=0.5, f1_macro=0.33), models=[both, *models],
        pairs=[Pair(a="linear", b="rnn", difference=0.01, low=-0.1, high=0.1, least=0.1, better=None)],
    ).write(COMPARISON)  # fmt: skip
    PAGE.write_text(f"<p>{champion}</p>")


def write_lock(code: str = "0" * 32, params: dict = PARAMS) -> None:
    """Writes dvc.lock as `dvc repro` does. code: md5 of the code that evaluates."""

    def stage(keys, outs, deps=()):
        found = {key: params[key] if "." not in key else params[key.split(".")[0]][key.split(".")[1]] for key in keys}
        entries = [{"path": path, "hash": "md5", "md5": md5(Path(path))} for path in outs]
        return {"cmd": "python", "deps": list(deps), "params": {"params.yaml": found}, "outs": entries}

    stages = {
        "download": stage(["dataset"], []),
        "clean": stage(["dataset", "clean"], ["data/clean/docs.parquet"]),
        "split": stage(["split", "seed"], []),
        "vocab@word": stage(["tokenizers.word"], []),
        "train@removed": stage(["seed"], []),
    }
    for name in NAMES:
        fitted = [f"metrics/{name}/{file}" for file in ("history.csv", "fit.json")]
        stages[f"train@{name}"] = stage(
            ["train", "seed", "threads", f"models.{name}"], [f"data/models/{name}", *fitted]
        )
        scored = [
            f"metrics/{name}/{file}" for file in ("predictions.parquet", "seeds.parquet", "scores.json", "errors.json")
        ]
        deps = [{"path": "textmill/scoring.py", "hash": "md5", "md5": code}]
        for split in ("test", "validation"):
            path = f"data/split/{split}.parquet"
            deps.append({"path": path, "hash": "md5", "md5": md5(Path(path))})
        stages[f"evaluate@{name}"] = stage(["threads", "evaluate", "compare.alpha"], scored, deps)
    stages["compare"] = stage([], [str(COMPARISON), str(PAGE)])
    YAML().dump(json.loads(json.dumps({"schema": "2.0", "stages": stages})), LOCK)  # without aliases, as DVC does


def md5(path: Path) -> str:
    return hash_of(path)


@pytest.fixture(scope="module")
def tracked(finished, tmp_path_factory) -> Path:
    """The same repository with its store, written by three `track` at once, inside another MLflow run."""
    root = tmp_path_factory.mktemp("tracked") / "with a space, ñ"
    shutil.copytree(finished, root)
    code = "from test_tracking import *; print(project())"
    with chdir(root), pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("MLFLOW_", "DVC_"))]:
            patch.delenv(name)
        patch.setenv("MLFLOW_RUN_ID", "0" * 32)
        patch.setenv("MLFLOW_EXPERIMENT_NAME", "another")
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "tests")]))
        both = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        others = [subprocess.Popen([sys.executable, "-c", code], **both) for _ in range(2)]
        told = [project() + "\n"]
        for other in others:
            out, err = other.communicate(timeout=HANGS)
            assert err == ""
            told.append(out)
    line = "track: 2 runs in sqlite:///mlflow.db ({} new), champion linear = {} v1; `textmill ui` shows them: {}\n"
    view = "http://127.0.0.1:5000/#/experiments/1/runs?viewStateShareKey=scores&workflowType=machine_learning"
    assert sorted(told) == sorted(line.format(new, REGISTERED, view) for new in (0, 0, 2))
    return root


@pytest.fixture
def copy(tracked, tmp_path, monkeypatch):
    """A copy that a test may change, as the current folder."""
    shutil.copytree(tracked, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    return tmp_path / "copy"


@pytest.fixture
def client(copy):
    from mlflow import MlflowClient

    return MlflowClient(f"sqlite:///{copy / 'mlflow.db'}")


def runs(client, **names):
    return client.search_runs([client.get_experiment_by_name("reviews").experiment_id], **names)


def versions(client):
    return {int(version.version): version for version in client.search_model_versions(f"name = '{REGISTERED}'")}


def artifact(run, name):
    return Path(artifacts.local(run.info.artifact_uri)) / name


def of_models(client):
    return runs(client, filter_string="tags.kind = 'model'")


def project():
    return track(LOCK, COMPARISON, METRICS)


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


def test_what_is_removed_is_no_longer_in_the_database(client):
    """Fails if MLflow removes the private methods that `purge` calls: deleted rows would pile up."""
    (run,) = runs(client, filter_string="attributes.run_name = 'rnn'")
    found = Experiment(client, run.info.experiment_id)
    found.remove(run)
    assert sorted(one.info.run_name for one in found.runs()) == ["always bad", "both", "linear"]
    with closing(sqlite3.connect("mlflow.db")) as connection:
        assert connection.execute("SELECT name FROM logged_models").fetchall() == [("linear",)]


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
    ran = Path("ran")
    for code in folder.rglob("pyfunc.py"):
        code.write_text(f"open({str(ran)!r}, 'w')\n" + code.read_text())
    (labels,) = folder.glob("artifacts/linear/config.json")
    good = labels.read_bytes()
    labels.write_bytes(good[:-1] + b" ")  # of the same size, which alone is looked at when nothing moves
    with pytest.raises(ArtifactError, match=r"v1: config\.json: not what dvc\.lock says; the alias was not moved"):
        project()
    assert "champion" not in client.get_registered_model(REGISTERED).aliases
    labels.write_bytes(good)
    project()
    assert str(client.get_model_version_by_alias(REGISTERED, "champion").version) == "1"
    assert not ran.exists()


CONTENT = {
    "runs": "SELECT name, lifecycle_stage, status, start_time, end_time FROM runs",
    "tags": "SELECT name, key, value FROM tags JOIN runs USING (run_uuid) WHERE key != 'mlflow.parentRunId'",
    "params": "SELECT name, key, value FROM params JOIN runs USING (run_uuid)",
    "metrics": "SELECT name, key, value, timestamp, step FROM metrics JOIN runs USING (run_uuid)",
    "models": "SELECT name, status, lifecycle_stage FROM logged_models",
    "scores": "SELECT metric_name, metric_value, dataset_name, dataset_digest FROM logged_model_metrics",
    "versions": "SELECT version, description FROM model_versions WHERE current_stage != 'Deleted_Internal'",
    "version tags": "SELECT version, key, value FROM model_version_tags JOIN model_versions USING (name, version)"
    " WHERE current_stage != 'Deleted_Internal'",
    "aliases": "SELECT alias, version FROM registered_model_aliases",
    "experiments": "SELECT name, key, value FROM experiment_tags JOIN experiments USING (experiment_id)",
}


def content():
    """Returns all that a store holds, field by field, except ids and times of writing; and the names of its files."""
    with closing(sqlite3.connect("mlflow.db")) as connection:
        found = {name: sorted(map(repr, connection.execute(query))) for name, query in CONTENT.items()}
        (location,) = connection.execute("SELECT artifact_location FROM experiments WHERE name = 'reviews'").fetchone()
    loading = "__pycache__", "registered_model_meta"  # appear when a model is loaded
    places = [
        path for path in artifacts.local(location).rglob("*") if path.is_file() and not {*loading} & {*path.parts}
    ]
    kinds = [path.name if "images" not in path.parts else path.suffix for path in places]
    return found | {"files": sorted(kinds)}


@pytest.fixture
def alone(finished, tmp_path, monkeypatch):
    """A repository with its own store, as the current folder; in git, with its results in DVC's cache."""
    shutil.copytree(finished, tmp_path / "alone")
    monkeypatch.chdir(tmp_path / "alone")
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "someone")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "someone@example.org")
    git("init", "-q")
    Path(".gitignore").write_text("mlflow.db*\nmlartifacts\n.dvc\ndata\nreport\nmetrics/*/*\n!metrics/*/timing.json\n")
    return commit("linear")


def git(*words):
    return subprocess.run(["git", *words], check=True, capture_output=True, text=True).stdout.strip()


def commit(champion, suffix="", code="0" * 32):
    """Commits results and returns the hash. suffix: ends a file of linear's bundle, to make it another one."""
    config = Path("data/models/linear/config.json")
    config.write_text(config.read_text().rstrip() + suffix + "\n")
    choose(champion)
    write_lock(code)
    for out in [out for stage in YAML(typ="safe").load(LOCK)["stages"].values() for out in stage["outs"]]:
        cache(Path(out["path"]), out["md5"])
    git("add", "-A")
    git("commit", "-qm", f"{champion} {suffix!r} {code}", "--allow-empty")
    return git("rev-parse", "HEAD")


def cache(path, known):
    """Copies a file or a folder to where `dvc commit` puts it."""
    held = Path(".dvc/cache/files/md5") / known[:2] / known[2:]
    held.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file():
        shutil.copy(path, held)
        return
    names = sorted(one.relative_to(path).as_posix() for one in path.rglob("*") if one.is_file())
    write_json(held, [{"md5": md5(path / name), "relpath": name} for name in names])
    for name in names:
        cache(path / name, md5(path / name))


def elsewhere(code, monkeypatch):
    """Returns the lines that a new process prints: MLflow caches opened stores and locations of files."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "tests")]))
    words = [sys.executable, "-c", f"from test_tracking import *; {code}"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=HANGS, check=True)
    return done.stdout.splitlines()


def delete_store():
    Path("mlflow.db").unlink()
    shutil.rmtree("mlartifacts")


def test_the_store_of_all_commits_is_what_track_had_written_commit_by_commit(alone, monkeypatch):
    project()
    for state in (("rnn",), ("linear", " "), ("rnn", "", "1" * 32), ("linear",)):
        commit(*state)
        project()
    before = content()
    assert len(before["versions"]) == 3  # linear, rnn and the other linear; the first is the champion again
    delete_store()
    *lines, last = elsewhere("print(*track_all(Path()), sep='\\n')", monkeypatch)
    assert lines == ["track: 5 of 5 commits (5 runs are new)"]
    assert "(0 new), champion linear = textmill-reviews v1" in last
    assert content() == before

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("textmill.tracking.opened", lambda uri: pytest.fail("mlflow was opened"))
        assert list(track_all(Path()))[-1] == last
    assert "(0 new)" in project()
    assert content() == before


def test_an_older_commit_adds_its_runs_and_leaves_the_champion(alone):
    commit("rnn", " ")
    project()
    assert "(1 new)" in track_commit(alone, Path())
    with closing(sqlite3.connect("mlflow.db")) as connection:
        rows = connection.execute(
            "SELECT name, value FROM runs JOIN tags USING (run_uuid) WHERE key = 'mlflow.source.git.commit'"
        ).fetchall()
        assert connection.execute("SELECT alias, version FROM registered_model_aliases").fetchall() == [("champion", 1)]
    assert sorted(name for name, value in rows if value == alone) == ["both", "linear"]
    assert "(0 new)" in project()


def test_results_that_are_committed_later_get_their_commit(alone):
    Path("params.yaml").write_text(Path("params.yaml").read_text() + "\n")
    project()
    with closing(sqlite3.connect("mlflow.db")) as connection:
        tags = (
            "SELECT DISTINCT value FROM tags WHERE key = ?",
            "SELECT DISTINCT tag_value FROM logged_model_tags WHERE tag_key = ?",
        )

        def origin():
            keys = "git.dirty", "mlflow.source.git.commit"
            return [{value for query in tags for (value,) in connection.execute(query, [key])} for key in keys]

        assert origin() == [{"yes"}, {alone}]
        git("commit", "-qam", "results")
        now = git("rev-parse", "HEAD")
        assert "(0 new)" in project()
        assert origin() == [{"no"}, {now}]
        ((reason,),) = connection.execute("SELECT description FROM model_versions")
    assert reason.endswith(f"; commit {now[:7]}.")


def test_what_cannot_be_recorded_is_one_line(alone):
    for name, text in {"empty": None, "other": "schema: '2.0'\nstages:\n  a:\n    cmd: b\n"}.items():
        LOCK.write_text(text) if text else LOCK.unlink()
        git("add", "-A")
        git("commit", "-qm", name)
        git("branch", name)
    commit("linear", " ")
    held = md5(Path("data/models/linear/config.json"))
    (Path(".dvc/cache/files/md5") / held[:2] / held[2:]).unlink()
    for revision, error, says in (
        ("nothing", ParamsError, r"'nothing': no such revision"),
        ("-x", ParamsError, r"'-x': no such revision"),
        ("empty", ArtifactError, r"empty .*: no dvc.lock in it"),
        ("other", ArtifactError, r"other .*: its dvc.lock names no comparison.json"),
        ("HEAD", ArtifactError, r"^data/models/linear: not in DVC's cache"),
    ):
        with pytest.raises(error, match=says):
            track_commit(revision, Path())
    *left_out, found, last = track_all(Path())
    assert [line.partition(":")[0] for line in left_out] == ["track"] * 3
    assert found == "track: 1 of 4 commits (2 runs are new)"
    assert "champion linear" in last


def test_deleted_files_come_back(alone):
    project()
    before = content()
    with closing(sqlite3.connect("mlflow.db")) as connection:
        (model,) = connection.execute("SELECT artifact_location FROM logged_models WHERE name = 'linear'").fetchone()
        (run,) = connection.execute("SELECT artifact_uri FROM runs WHERE name = 'linear'").fetchone()
    model, run = artifacts.local(model), artifacts.local(run)
    bundle = next(model.rglob("model.safetensors"))
    for gone in (Path("mlartifacts"), run, model, run / "scores.json", run / "images", run / "report", bundle):
        shutil.rmtree(gone) if gone.is_dir() else gone.unlink()
        assert "(0 new)" in project()
        assert content() == before, gone
    bundle.write_bytes(b"cut")
    assert "(0 new)" in project()
    assert content() == before


KILLED = """
import os, sys
from mlflow import MlflowClient
from textmill.tracking import store
from test_tracking import project

left = int(sys.argv[1])
def counted(name, does):
    def call(*args, **kwargs):
        global left
        left -= 1
        if left < 0:
            os._exit(9)
        return does(*args, **kwargs)
    return call
for name in CHANGES:
    setattr(MlflowClient, name, counted(name, getattr(MlflowClient, name)))
project()
"""
CHANGES = [
    *(
        "create_experiment",
        "create_run",
        "create_logged_model",
        "log_outputs",
        "log_inputs",
        "log_batch",
        "log_artifacts",
    ),
    *("log_image", "log_model_artifacts", "finalize_logged_model", "log_dict", "set_terminated", "set_tag"),
    *("update_model_version", "set_registered_model_alias", "set_experiment_tag", "delete_run"),
]


def test_killed_inside_it_leaves_nothing_twice(alone, monkeypatch):
    project()
    before = content()
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "tests")]))
    code, ends = KILLED.replace("CHANGES", repr(CHANGES)), []
    delete_store()
    for calls in (4, 15, 28, 45, 1000):  # each continues where the one before it was killed
        ends.append(subprocess.run([sys.executable, "-c", code, str(calls)], timeout=HANGS, check=False).returncode)
    assert ends[:3] == [9] * 3
    assert ends[-1] == 0
    assert content() == before
    assert not list(Path().glob(".*.part"))


@pytest.mark.parametrize("how", [shutil.move, shutil.copytree])
def test_a_folder_that_was_moved_or_copied_has_files_of_its_own(alone, monkeypatch, how):
    project()
    before, first = content(), Path.cwd()
    how(first, first.parent / "second")
    monkeypatch.chdir(first.parent / "second")
    shutil.rmtree("mlartifacts")
    assert "(0 new), champion linear" in elsewhere("print(project())", monkeypatch)[0]
    assert content() == before
    if how is shutil.copytree:
        monkeypatch.chdir(first)
        assert content() == before


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


@pytest.mark.parametrize("uri", ["./mlruns", "mlruns", "file:///tmp/mlruns", "foo://me:secret@host/x"])
def test_a_uri_that_can_never_work_is_a_params_error(copy, monkeypatch, uri):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(ParamsError, match=r"MLFLOW_TRACKING_URI: .*sqlite:///") as refused:
        project()
    assert "secret" not in str(refused.value)
    assert os.environ["MLFLOW_TRACKING_URI"] == uri


def test_a_dead_server_is_one_line_soon(copy, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://me:secret@127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(
            ResourceError, match=r"^http://\*\*\*@127.0.0.1:\d+: Connection refused; .*`textmill track`$"
        ):
            project()


def test_a_damaged_store_is_named_and_left_alone(copy):
    Path("mlflow.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(ResourceError, match=r"mlflow.db: file is not a database; move it away"):
        project()
    assert Path("mlflow.db").read_bytes() == b"not a database" * 1000


def test_a_locked_store_is_named(copy, monkeypatch):
    monkeypatch.setattr("textmill.tracking.lookup.PATIENCE", 0.1)
    with closing(sqlite3.connect("mlflow.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(ResourceError, match=r"mlflow.db: locked by another process"):
            project()


def test_the_store_of_a_queued_experiment_is_the_repositorys(tmp_path, monkeypatch):
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    assert store.store_uri(Path("elsewhere")) == f"sqlite:///{tmp_path}/mlflow.db"


def test_a_folders_md5_is_dvcs(tmp_path):
    (tmp_path / "sub").mkdir()
    for name, content in {"a.txt": "x", "config.json": "{}", "sub/Zoë.txt": "é"}.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
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
    assert len(params) == len({*metrics, "text", "a(b)%", "a(b)&", "../x"})
