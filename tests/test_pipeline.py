"""The whole DAG, by DVC itself, on made-up reviews."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from conftest import HANGS, MODELS, ROOT, TRAIN
from ruamel.yaml import YAML

from textmill import lockfile
from textmill.code.closure import Closure
from textmill.config import load_params
from textmill.dag import dependencies, overlap, stage_names
from textmill.errors import ArtifactError
from textmill.files import read_json, write_text
from textmill.intact import check_inputs

pytestmark = pytest.mark.slow

NAMES = ("linear", "lstm", "transformer")
ENV = {
    **os.environ,
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DVC_NO_ANALYTICS": "true",
}
ENV.pop("MLFLOW_TRACKING_URI", None)


def workspace(folder: Path, reviews) -> Path:
    """A checkout with small models and the made-up reviews as its csv."""
    for name in ("stages", "textmill", ".dvc"):
        ignore = shutil.ignore_patterns("__pycache__", "cache", "tmp", "config.local")
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    for name in ("dvc.yaml", ".dvcignore", ".gitignore", "data/input/README.md"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    reviews.write_csv(folder / "data/input/reviews.csv")
    params = load_params(ROOT / "presets/csv.yaml")
    params["dataset"] |= {"text": "text", "label": "label", "group": "film"}
    params["split"]["by"] = "group"
    params["train"] = {**TRAIN, "epochs": 2}
    params["models"] = {name: MODELS[name] for name in NAMES}
    params["models"]["lstm"] = {**MODELS["lstm"], "seeds": [1, 0]}
    params["compare"] |= {"ensembles": {"both": ["linear", "lstm"]}}
    write(folder, params)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    return folder


def write(folder: Path, params: dict) -> None:
    with open(folder / "params.yaml", "w") as file:
        YAML().dump(params, file)


def repro(folder: Path, *more: str, cd: Path | None = None) -> str:
    """Runs `dvc repro` in a folder, or from it in another one; returns what it prints."""
    done = subprocess.run(
        ["dvc", *(["--cd", str(cd)] if cd else []), "repro", *more],
        cwd=folder,
        env=ENV,
        capture_output=True,
        text=True,
        timeout=HANGS,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ran(output: str) -> list[str]:
    """Stages whose command was run, not restored."""
    return [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")]


# Every process says at its end which of our modules it has run.
SAYS = """
import atexit, os, sys
def say():
    found = sorted(name for name in sys.modules if name.split(".")[0] in ("textmill", "stages"))
    if stage := os.environ.get("DVC_STAGE"):
        with open(os.path.join(os.environ["RAN"], stage), "a") as file:
            file.write("\\n".join(found) + "\\n")
atexit.register(say)
"""


@pytest.fixture(scope="module")
def first(tmp_path_factory, reviews):
    folder = workspace(tmp_path_factory.mktemp("first run"), reviews)  # a space in the path
    write_text(folder / "says/sitecustomize.py", SAYS)
    (folder / "ran").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ENV, "PYTHONPATH", str(folder / "says"))
        patch.setitem(ENV, "RAN", str(folder / "ran"))
        return folder, repro(folder)


def test_digests_name_all_that_a_stage_runs(first):
    folder, _ = first
    params = load_params(folder / "params.yaml")
    by = {name: entry["kind"] for name, entry in params["tokenizers"].items()}
    by |= {name: entry["family"] for name, entry in params["models"].items()}
    ran = {path.name: set(path.read_text().split()) for path in (folder / "ran").iterdir()}
    assert len(ran) == 10 + 3 * len(params["models"])
    starter = Closure({"textmill": folder / "textmill"}).digests("textmill.stage").keys()
    for name in sorted(ran.keys() - {"code"}):
        stage, _, item = name.partition("@")
        pattern = "*" if stage == "track" else f"{stage}-{by[item]}" if item else stage  # as dvc.yaml has it
        listed = {word for path in folder.glob(f"digests/{pattern}.txt") for word in path.read_text().split()}
        assert ran[name] - listed - starter == set(), name


def test_every_stage_ran_and_the_result_is_whole(first):
    folder, output = first
    trained = [f"{stage}@{name}" for stage in ("train", "evaluate", "curve") for name in NAMES]
    assert sorted(ran(output)) == sorted(
        [
            "code",
            "download",
            "clean",
            "split",
            "suspects",
            "vocab@word",
            "encode@word",
            "vectors@word",
            *trained,
            "compare",
            "track",
        ]
    )
    assert "Champion by validation accuracy" in output
    comparison = read_json(folder / "report/comparison.json")
    seeds = {"linear": 1, "lstm": 2, "transformer": 1, "both": 2}
    assert {model["name"]: model["seeds"] for model in comparison["models"]} == seeds
    assert comparison["champion"] in NAMES
    assert len(list((folder / "data/models/lstm/seeds").iterdir())) == 1
    assert read_json(folder / "metrics/suspects.json")["judged"] == 240
    assert read_json(folder / "metrics/models/linear/curve.json")["no_forecast"] == "train has too few documents"
    split = read_json(folder / "metrics/split.json")["splits"]
    for name in NAMES:
        assert read_json(folder / f"metrics/models/{name}/scores.json")["rows"] == split["test"]["rows"]
    assert read_json(folder / "metrics/models/linear/scores.json")["accuracy"] > 0.8
    assert (folder / "report/index.html").read_text().count('<tr id="d-') > 0
    with closing(sqlite3.connect(folder / "mlflow.db")) as store:
        kinds = store.execute("SELECT value, count(*) FROM tags WHERE key = 'kind' GROUP BY value").fetchall()
        assert dict(kinds) == {"model": len(NAMES), "seed": 2, "ensemble": 1, "baseline": 1}
        assert store.execute("SELECT count(*) FROM registered_model_aliases WHERE alias = 'champion'").fetchone() == (
            1,
        )


def test_again_runs_nothing(first):
    folder, _ = first
    lock = (folder / "dvc.lock").read_bytes()
    assert ran(repro(folder)) == []
    assert (folder / "dvc.lock").read_bytes() == lock


def test_a_share_of_the_faults(first, tmp_path):
    """`make test-faults` has the rest."""
    folder = shutil.copytree(first[0], tmp_path / "copy", symlinks=True)
    command = [sys.executable, "-m", "faults", "12", "5", str(folder)]
    path = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    done = subprocess.run(command, env=ENV | path, capture_output=True, text=True, timeout=HANGS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^in all +\d+ +\d+ +0$", done.stdout, re.MULTILINE)


# Python's clock goes back an hour, on a day, and on ten years, from call to call.
JUMPS = """
import itertools, time
plain, calls = time.time, itertools.count()
time.time = lambda: plain() + (0, -3600, 86400, 10 * 31536000)[next(calls) % 4]
time.time_ns = lambda: int(1e9 * time.time())
"""
FAR = "reseñas y críticas de películas 電影 " + "x" * 120  # a name of a folder
ENVIRONMENTS = {
    "far": {"LC_ALL": "C", "PYTHONHASHSEED": "3", "TZ": "Pacific/Kiritimati", "cd": f"{FAR}/{FAR}", "clock": JUMPS},
    "ascii": {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONHASHSEED": "0", "TZ": "Pacific/Marquesas"},
    "one thread": {"POLARS_MAX_THREADS": "1", "RAYON_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "1"},
    "threads": {"POLARS_MAX_THREADS": "7", "RAYON_NUM_THREADS": "5", "OMP_NUM_THREADS": "3", "PYTHONHASHSEED": "2"},
    "clock": {"LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "4", "TZ": "America/St_Johns", "clock": JUMPS},
}
MORE = pytest.mark.skipif("ENVIRONMENTS" not in os.environ, reason="run by make test-environments")


@pytest.mark.parametrize("name", ["far", *(pytest.param(name, marks=MORE) for name in ENVIRONMENTS if name != "far")])
def test_another_checkout_makes_the_same_bytes(first, tmp_path, reviews, name):
    """In another environment, from another folder, with the rows in another order."""
    folder, _ = first
    env = dict(ENVIRONMENTS[name])
    other = tmp_path / env.pop("cd", "b")
    workspace(other, reviews.sample(fraction=1, shuffle=True, seed=5))
    shutil.copy(folder / "dvc.lock", other)  # committed with the results; its outputs are not there
    write_text(tmp_path / "starts/sitecustomize.py", env.pop("clock", ""))
    env["PYTHONPATH"] = str(tmp_path / "starts")
    with pytest.MonkeyPatch.context() as patch:
        for key, value in env.items():
            patch.setitem(ENV, key, value)
        assert "track" in ran(repro(tmp_path, cd=other))
    assert (other / "mlflow.db").exists()
    ours, theirs = (YAML(typ="safe").load((f / "dvc.lock").read_text())["stages"] for f in (folder, other))
    for stage in theirs.keys() - {"download"}:
        outs = [{out["path"]: out["md5"] for out in stages[stage].get("outs", [])} for stages in (ours, theirs)]
        assert outs[0] == outs[1], stage


@pytest.mark.parametrize(
    ("stage", "damage", "code", "message"),
    [
        ("download", lambda f: (f / "data/input/reviews.csv").unlink(), 4, "error: download: data/input/reviews.csv"),
        ("train", lambda f: (f / "data/encoded/word/train.safetensors").write_bytes(b"x"), 4, "error: train"),
    ],
)
def test_a_failing_stage_ends_in_one_line_with_its_code(first, tmp_path, stage, damage, code, message):
    folder = shutil.copytree(first[0], tmp_path / "copy")
    damage(folder)
    entry = YAML(typ="safe").load((folder / "dvc.lock").read_text())["stages"]
    command = next(body["cmd"] for name, body in entry.items() if name.split("@")[0] == stage)
    done = subprocess.run([sys.executable, *command.split()[1:]], cwd=folder, env=ENV, capture_output=True, text=True)
    assert done.returncode == code
    assert done.stderr.startswith(message)
    assert len(done.stderr.splitlines()) == 1


def dvc(folder: Path, *words: str) -> str:
    command = ["dvc", *words]
    done = subprocess.run(command, cwd=folder, env=ENV, capture_output=True, text=True, timeout=HANGS)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_pictures_need_no_internet(first):
    folder, _ = first
    dvc(folder, "plots", "show", "report/plots")
    page = (folder / "dvc_plots/index.html").read_text()
    assert not re.search("<script|https?:", page)
    assert sorted(re.findall(r'src="(static/\w+\.png)"', page)) == [
        f"static/workspace_report_plots_{name}.png" for name in ("confusion", "curves", "scores")
    ]
    for name in ("confusion", "curves", "scores"):
        shown = folder / f"dvc_plots/static/workspace_report_plots_{name}.png"
        assert shown.read_bytes() == (folder / f"report/plots/{name}.png").read_bytes()


def test_an_experiment_elsewhere_reads_dvcs_data_and_tracks_into_this_store(first, tmp_path):
    folder = shutil.copytree(first[0], tmp_path / "copy")
    (folder / "mlflow.db").unlink()  # it knows the other folder's artifacts
    dvc(folder, "add", "data/input/reviews.csv")
    repro(folder)
    repro(folder, "--single-item", "--force", "track")
    for words in (["add", "-A"], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "results"]):
        subprocess.run(["git", *words], cwd=folder, check=True)

    def runs() -> int:
        with closing(sqlite3.connect(folder / "mlflow.db")) as store:
            return store.execute("SELECT count(*) FROM runs WHERE name = 'linear'").fetchone()[0]

    before = runs(), (folder / "params.yaml").read_bytes(), (folder / "dvc.lock").read_bytes()
    with pytest.MonkeyPatch.context() as patch:  # DVC commits the experiment
        for who in ("AUTHOR", "COMMITTER"):
            patch.setitem(ENV, f"GIT_{who}_NAME", "a")
            patch.setitem(ENV, f"GIT_{who}_EMAIL", "a@b")
        dvc(folder, "exp", "run", "--temp", "-n", "half", "-S", "models.linear.c=0.5")  # as a queued one
    assert (runs(), (folder / "params.yaml").read_bytes(), (folder / "dvc.lock").read_bytes()) == (
        before[0] + 1,
        *before[1:],
    )
    assert "half" in dvc(folder, "exp", "show", "--csv")
    dvc(folder, "exp", "apply", "half")
    assert load_params(folder / "params.yaml")["models"]["linear"]["c"] == 0.5
    changed = json.loads(dvc(folder, "params", "diff", "--json"))
    assert changed == {"params.yaml": {"models.linear.c": {"old": 1.0, "new": 0.5, "diff": -0.5}}}
    changed = json.loads(dvc(folder, "metrics", "diff", "--json"))["metrics/models/linear/summary.json"]
    assert changed["validation_log_loss"]["diff"]


# The last one: it leaves an experiment without the LSTM behind.
def test_one_changed_model_runs_alone_and_reverting_restores(first):
    folder, _ = first
    before = load_params(folder / "params.yaml")
    after = load_params(folder / "params.yaml")
    after["models"]["lstm"]["hidden"] = 9
    lock = (folder / "dvc.lock").read_bytes()
    write(folder, after)
    assert sorted(ran(repro(folder))) == sorted(["train@lstm", "evaluate@lstm", "curve@lstm", "compare", "track"])
    write(folder, before)
    output = repro(folder)
    assert ran(output) == ["track"]  # whose receipt is never restored; it writes nothing new
    assert "(0 new)" in output
    assert (folder / "dvc.lock").read_bytes() == lock
    removed = load_params(folder / "params.yaml")
    del removed["models"]["lstm"]
    removed["compare"]["ensembles"] = {}
    write(folder, removed)
    assert sorted(ran(repro(folder))) == ["compare", "curve@linear", "curve@transformer", "track"]
    assert "lstm" not in (folder / "report/index.html").read_text()


def flip(path: Path, place: float = 0.5) -> bytes:
    """Flips a bit in a file, at 0 to 1 of its length, and keeps its size and times. Returns what was there."""
    stat, before = path.stat(), path.read_bytes()
    after = bytearray(before)
    after[int(place * (len(after) - 1))] ^= 1
    path.chmod(0o644)
    path.write_bytes(after)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    return before


def test_a_flipped_bit_in_any_input_is_refused_by_its_reader(first):
    folder, _ = first
    pipeline, params = load_params(folder / "dvc.yaml"), load_params(folder / "params.yaml")
    entries = lockfile.entries((folder / "dvc.lock").read_text())
    recorded = {name: entries[name] for name in stage_names(pipeline, params, entries)}  # without removed models
    readers: dict[str, list[str]] = {}
    for stage in recorded:
        check_inputs(stage, pipeline, params, folder)
        for path in dependencies(stage, pipeline, params):
            readers.setdefault(path, []).append(stage)
    outs = {path: name for name, entry in recorded.items() for path in lockfile.read(entry, "").outs}
    read = {
        file: (outs[path], {stage for dep, stages in readers.items() if overlap(path, dep) for stage in stages})
        for path in outs
        for file in ([folder / path] if (folder / path).is_file() else [*(folder / path).rglob("*")])
        if file.is_file() and file.stat().st_size
    }
    assert len(read) > 60
    unread = {
        file.relative_to(folder).parts[:2] for file, (producer, stages) in read.items() if not stages - {producer}
    }
    assert unread == {
        ("data", "tracked.json"),
        ("metrics", "suspects.csv"),
        ("report", "index.html"),
        ("report", "plots"),
    }
    for number, (file, (producer, stages)) in enumerate(read.items()):
        before = flip(file, number % 3 / 2)  # its first byte, one in the middle, its last
        for stage in stages - {producer}:
            with pytest.raises(ArtifactError, match=f"not what {producer} wrote"):
                check_inputs(stage, pipeline, params, folder)
        file.write_bytes(before)


def test_dvc_stops_at_a_damaged_input_and_delete_mends_it(first, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(first[0], folder, symlinks=True)
    encoded = folder / "data/encoded/word/train.safetensors"
    flip(encoded)
    command = ["dvc", "repro", "--force", "--single-item", "train@linear"]
    options = {"cwd": folder, "env": ENV, "capture_output": True, "text": True, "timeout": HANGS}
    failed = subprocess.run(command, **options)
    assert "error: train@linear: data/encoded/word/train.safetensors: not what vocab@word wrote" in failed.stderr
    assert "Traceback" not in failed.stderr
    encoded.unlink()
    repro(folder)
    assert subprocess.run(["dvc", "status"], **options).stdout == "Data and pipelines are up to date.\n"
