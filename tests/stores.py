"""A repository with two trained models, stores of its results, and what they hold: fixtures of the tests of `track`."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import chdir, closing
from pathlib import Path

import polars as pl
import pytest
from conftest import HANGS, MODELS, ROOT, TRAIN, no_columns
from ruamel.yaml import YAML

from stages import encode, evaluate, train, vectors, vocab
from textmill.files import write_json
from textmill.judging.comparison import REPORTED
from textmill.lockfile import hash_of
from textmill.records.comparison import Baseline, Comparison, Entry, Pair, Power
from textmill.tracking import artifacts, store, track

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


@pytest.fixture(scope="session")
def empty(tmp_path_factory) -> Path:
    """A store without runs: MLflow takes a second to make its tables."""
    file = tmp_path_factory.mktemp("empty") / "mlflow.db"
    store.create(file)
    return file


@pytest.fixture
def plain(monkeypatch, empty):
    """No settings of the user; new stores are copies of the empty one."""
    for name in [name for name in os.environ if name.startswith(("MLFLOW_", "DVC_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setattr("textmill.tracking.create", lambda file: shutil.copy(empty, file))
    forget()


def forget():
    """Makes MLflow forget where the files of runs are: it keeps that by id, for copies of a store too."""
    from mlflow.tracking._tracking_service.utils import _artifact_repos_cache

    _artifact_repos_cache.clear()


@pytest.fixture(scope="session")
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


def choose(champion: str, dataset: str = "reviews") -> None:
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
        dataset=dataset, metric="accuracy", rows=50, labels=["bad", "good"], absent=[], rare={}, alpha=0.05,
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


@pytest.fixture(scope="session")
def tracked(finished, tmp_path_factory) -> Path:
    """The same repository with its store, written by two `track` at once, inside another MLflow run."""
    root = tmp_path_factory.mktemp("tracked") / "with a space, ñ"
    shutil.copytree(finished, root)
    code = "from stores import *; print(project())"
    with chdir(root), pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("MLFLOW_", "DVC_"))]:
            patch.delenv(name)
        patch.setenv("MLFLOW_RUN_ID", "0" * 32)
        patch.setenv("MLFLOW_EXPERIMENT_NAME", "another")
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "tests")]))
        both = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        other = subprocess.Popen([sys.executable, "-c", code], **both)
        here = project() + "\n"
        there, errors = other.communicate(timeout=HANGS)
        assert errors == ""
    line = "track: 2 runs in sqlite:///mlflow.db ({} new), champion linear = {} v1; `textmill ui` shows them: {}\n"
    view = "http://127.0.0.1:5000/#/experiments/1/runs?viewStateShareKey=scores&workflowType=machine_learning"
    assert {here, there} == {line.format(new, REGISTERED, view) for new in (0, 2)}
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
def fresh(finished, tmp_path, monkeypatch):
    """A copy of the repository without a store, as the current folder."""
    shutil.copytree(finished, tmp_path / "fresh")
    monkeypatch.chdir(tmp_path / "fresh")
    return tmp_path / "fresh"


@pytest.fixture
def committed(fresh, monkeypatch):
    """The same in git, with its results in DVC's cache; returns the commit."""
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
