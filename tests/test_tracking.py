import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from contextlib import chdir, closing
from pathlib import Path

import polars as pl
import pytest
from conftest import HANGS, MODELS, ROOT, TRAIN, no_columns
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from stages import encode, evaluate, train, vectors, vocab
from textmill.errors import ArtifactError, ParamsError, ResourceError
from textmill.files import read_json, write_json
from textmill.lockfile import hash_of
from textmill.results.comparison import Baseline, Comparison, Entry, Power
from textmill.tracking import entities, store, track
from textmill.tracking.sanitizing import safe_metrics, safe_params

pytestmark = pytest.mark.slow

NAMES = ["linear", "rnn"]
REGISTERED = "textmill-reviews"
LOCK, COMPARISON, METRICS = Path("dvc.lock"), Path("report/comparison.json"), Path("metrics")
PARAMS = {
    "seed": 42,
    "threads": 1,
    "dataset": {
        "name": "reviews",
        "source": "url",
        "url": "https://me:secret@example.org/reviews.csv",
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
    """A repository in which two models were trained and evaluated by the stages; no store yet."""
    root = tmp_path_factory.mktemp("finished")
    with chdir(root):
        write_json(Path("params.yaml"), PARAMS)
        write_json(Path("data/clean/labels.json"), ["bad", "good"])
        documents = reviews.with_row_index("id").with_columns(pl.col("id").cast(pl.String).str.zfill(4))
        documents = documents.with_columns(group=pl.lit(None, pl.String))
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
    entry = {"tokenizer": "word", "parameters": 9, "members": [], "seeds": 1, "sd": None, "wins": None, "gain_low": 0.1}
    entry |= dict.fromkeys(("validation", "validation_low", "validation_high", "score", "low", "high"), 0.9)
    power = Power(rows=50, by="document", units=50, effective=50.0, least=None)
    families = {name: MODELS[name]["family"] for name in NAMES} | {"both": "ensemble"}
    Comparison(
        dataset="reviews",
        metric="accuracy",
        rows=50,
        labels=["bad", "good"],
        absent=[],
        rare={},
        alpha=0.05,
        validation=power,
        test=power,
        champion=champion,
        champion_by="validation accuracy",
        equal=[],
        decided_by=None,
        baseline=Baseline(label="bad"),
        models=[Entry(name=name, family=family, **entry) for name, family in families.items()],
        pairs=[],
    ).write(COMPARISON)


def write_lock(code: str = "0" * 32, params: dict = PARAMS) -> None:
    """dvc.lock as `dvc repro` leaves it. `code`: md5 of what evaluates."""

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
        stages[f"evaluate@{name}"] = stage(["threads", "evaluate", "compare.alpha"], scored, deps)
    YAML().dump({"schema": "2.0", "stages": stages}, LOCK)


def md5(path: Path) -> str:
    return hash_of(path)


@pytest.fixture(scope="module")
def tracked(finished, tmp_path_factory) -> Path:
    """The same repository with its store, made by three projections started at once, inside somebody's run."""
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
    line = "track: 2 runs in sqlite:///mlflow.db ({} new), champion linear = {} v1; see them with `textmill ui`\n"
    assert sorted(told) == sorted(line.format(new, REGISTERED) for new in (0, 0, 2))
    return root


@pytest.fixture
def copy(tracked, tmp_path, monkeypatch):
    """A copy to change, and the current folder."""
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


def project():
    return track(LOCK, COMPARISON, METRICS)


def test_a_run_holds_all_that_is_known(client):
    found = {run.info.run_name: run for run in runs(client)}
    assert sorted(found) == NAMES
    run, scores, fit = found["rnn"], read_json(Path("metrics/rnn/scores.json")), read_json(Path("metrics/rnn/fit.json"))

    params = run.data.params
    expected = {
        "dataset": "reviews",
        "seed": "42",
        "seeds": "[42, 7]",
        "epochs": "3",
        "hidden": "8",
        "dropout": "0.1",
        "tokenizer": "word",
    }
    assert params | expected | {"tokenizer.min_freq": "1", "split.by": "text", "patience": "null"} == params
    assert params["dataset.url"] == "https://***@example.org/reviews.csv"
    left_out = {"clean.on_bad_row": "drop", "split.test": "0.2", "dataset.separator": ",", "dataset.group": "null"}
    assert params | left_out | {"evaluate.negations": '["not"]', "compare.alpha": "0.05"} == params  # what applied
    assert "epochs" not in found["linear"].data.params  # the train section is about the others

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
    assert {f"test_accuracy/seed_{one['seed']}": one["accuracy"] for one in scores["seeds"]}.items() <= metrics.items()
    columns = {name: [key for key in run.data.metrics if "/" not in key] for name, run in found.items()}
    assert len(columns["rnn"]) <= 16  # that a person can look over
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
    assert not [path for path in logged if (path.parent / "seeds").exists()]  # what is served has one seed's weights
    (data,) = run.inputs.dataset_inputs
    assert (data.dataset.name, data.dataset.digest) == ("reviews", md5(Path("data/clean/docs.parquet")))
    assert run.data.tags["textmill.bundle"] == md5(Path("data/models/rnn"))
    assert [run.data.tags.get("champion") for run in (found["linear"], run)] == ["yes", None]
    assert client.get_experiment_by_name("another") is None


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
    assert table["p:bad"][1] + table["p:good"][1] == pytest.approx(1)
    assert "mlartifacts" in package  # the code that was logged, not this checkout's
    logged = next(Path(package).parents[2].glob("**/MLmodel")).parent
    assert not list(logged.rglob("*.pkl"))


def test_the_second_time_writes_nothing_and_needs_no_mlflow(copy, monkeypatch):
    monkeypatch.setattr("textmill.tracking.opened", lambda uri: pytest.fail("mlflow was opened"))
    before = Path("mlflow.db").read_bytes()
    assert "(0 new), champion linear = textmill-reviews v1" in project()
    assert Path("mlflow.db").read_bytes() == before


def test_new_code_is_a_new_run_of_the_same_version(client):
    write_lock(code="1" * 32)
    assert "(2 new)" in project()
    assert (len(runs(client)), len(versions(client))) == (4, 2)
    champions = runs(client, filter_string="tags.champion = 'yes'")
    assert [run.info.run_name for run in champions] == ["linear"]


def test_new_weights_are_a_new_version_and_the_champion_moves(client):
    config = Path("data/models/rnn/config.json")
    config.write_text(config.read_text() + "\n")
    write_lock()
    choose("rnn")
    assert "(1 new), champion rnn = textmill-reviews v3" in project()
    assert str(client.get_model_version_by_alias(REGISTERED, "champion").version) == "3"
    assert versions(client)[3].tags["model"] == "rnn"
    assert (len(runs(client)), len(versions(client))) == (3, 3)
    (champion,) = runs(client, filter_string="tags.champion = 'yes'")
    assert champion.data.tags["textmill.bundle"] == md5(config.parent)


def test_params_of_an_older_time_stand_as_they_were():
    assert entities._applied("clean", {"max_chars": 10}) == {"on_bad_row": "drop", "max_chars": 10}
    for key, value in {"clean": {"gone": 1}, "split": None, "tokenizers.t": {"kind": "gone"}, "seed": 1}.items():
        assert entities._applied(key, value) == value


def test_what_a_kill_or_a_person_left_is_made_whole(client):
    first, second = runs(client)
    client.delete_tag(first.info.run_id, "textmill.complete")
    client.delete_run(second.info.run_id)
    client.delete_registered_model_alias(REGISTERED, "champion")
    client.delete_model_version(REGISTERED, "2")
    assert "(2 new)" in project()
    assert len(runs(client)) == 2
    assert {run.info.run_id for run in runs(client)}.isdisjoint({first.info.run_id, second.info.run_id})
    assert len(versions(client)) == 2
    assert str(client.get_model_version_by_alias(REGISTERED, "champion").version) == "1"

    client.delete_experiment(client.get_experiment_by_name("reviews").experiment_id)
    assert "(0 new)" in project()


def test_a_model_that_predicts_other_than_recorded_is_not_promoted(client):
    errors = Path("metrics/rnn/errors.json")
    texts = {"id": "1", "label": "bad", "prediction": "good", "confidence": 0.9, "tokens": 2, "unknown": 0.0}
    write_json(errors, [texts | {"text": text} for text in ("dull awful", "superb lovely", "weak flat")])
    write_lock()
    choose("rnn")
    with pytest.raises(ArtifactError, match=r"textmill-reviews v2: predicts other than `evaluate` recorded"):
        project()
    assert str(client.get_model_version_by_alias(REGISTERED, "champion").version) == "1"


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
