"""A user's project, made from the built wheel: running, sharing, and upgrading it."""

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

from textmill.code.stages import listings
from textmill.config import load_params
from textmill.files import write_text

pytestmark = pytest.mark.slow

EXAMPLE = (ROOT / "textmill/project/template/families/README.md").read_text()
NETWORK = re.search(r"```python\n(.*?)```", EXAMPLE, re.S)[1]
IDENTITY = {f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def environment(package: Path) -> dict[str, str]:
    """The processes' environment, in which this installed package is textmill."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "DVC_", "GIT_"))}
    path = f"{package / 'bin'}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "DVC_NO_ANALYTICS": "true"}
    return {**kept, **IDENTITY, **quiet, "PATH": path, "PYTHONPATH": str(package)}


def run(package: Path, folder: Path, *words: str | Path, code: int = 0) -> str:
    done = subprocess.run(
        words,
        cwd=folder,
        env=environment(package),
        capture_output=True,
        text=True,
        timeout=HANGS,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def ran(output: str) -> list[str]:
    """Stages whose command was run, not restored."""
    return [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")]


def installed(source: Path, folder: Path) -> Path:
    """A checkout's wheel, built and put into a folder that Python looks at first."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "-q", "--no-deps", "-w", folder, source], check=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([*pip, "install", "-q", "--no-deps", "--target", folder / "package", wheel], check=True)
    return folder / "package"


def sources(folder: Path) -> Path:
    """What a wheel is built from."""
    shutil.copytree(ROOT / "textmill", folder / "textmill", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture(scope="module")
def package(tmp_path_factory) -> Path:
    return installed(sources(tmp_path_factory.mktemp("source")), tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def project(package, tmp_path_factory, reviews) -> Path:
    """A project on a csv of made-up reviews, with a model of its own family, run and committed."""
    folder = tmp_path_factory.mktemp("users")
    reviews.write_csv(folder / "my reviews.csv")
    told = run(package, folder, "textmill", "new", "project", "my reviews.csv", "--group", "film", "--yes")
    assert "240 documents of 240 rows\n2 classes: bad 120, good 120\n" in told
    project = folder / "project"
    write_text(project / "families/averaging.py", NETWORK)
    own = {"family": "averaging", "tokenizer": "word", "embedding": 8}
    edit(project, train={**TRAIN, "epochs": 2}, models={"linear": MODELS["linear"], "own": own})
    run(package, project, "dvc", "repro")
    commit(package, project, "First results")
    return project


def edit(project: Path, **sections: dict) -> None:
    params = load_params(project / "params.yaml")
    with open(project / "params.yaml", "w") as file:
        YAML().dump(params | sections, file)


def commit(package: Path, project: Path, message: str) -> None:
    run(package, project, "git", "add", "-A")
    run(package, project, "git", "commit", "-q", "-m", message)


def runs(project: Path) -> dict[str, tuple[int, float]]:
    """Returns each MLflow run's milliseconds, and the seconds of training that it records."""
    with closing(sqlite3.connect(project / "mlflow.db")) as store:
        found = "SELECT name, end_time - start_time, value FROM runs JOIN latest_metrics USING (run_uuid) WHERE key = ?"
        return {name: (took, told) for name, took, told in store.execute(found, ["train_seconds"])}


def test_it_runs_what_this_repository_runs(project):
    ours, own = load_params(ROOT / "dvc.yaml")["stages"], load_params(project / "dvc.yaml")["stages"]
    assert own.pop("code") | {"deps": ours["code"]["deps"]} == ours.pop("code")
    assert own == ours
    for script in (ROOT / "stages").glob("*.py"):
        assert (project / "stages" / script.name).read_bytes() == script.read_bytes()
    digests = {path.stem: path.read_text() for path in (project / "digests").glob("*.txt")}
    assert {name: digests[name] for name in digests if not name.endswith("-averaging")} == listings(ROOT)
    assert "families.averaging" in digests["train-averaging"]


def test_nothing_is_left_to_commit_and_no_text_is_in_git(package, project):
    assert run(package, project, "git", "status", "--porcelain") == ""
    texts = run(package, project, "git", "grep", "-I", "-l", "-E", "brilliant|pointless", "HEAD", code=1)
    assert texts == ""
    listed = run(package, project, "git", "ls-files").splitlines()
    assert {"data/input/my reviews.csv.dvc", "metrics/models/own/timing.json", "digests/train-lstm.txt"} <= set(listed)
    assert "data/input/my reviews.csv" not in listed


LOADS = """
import os, mlflow, pandas
mlflow.set_tracking_uri(f"sqlite:///{os.getcwd()}/mlflow.db")
(run,) = mlflow.search_runs(search_all_experiments=True, filter_string="run_name = 'own'", output_format="list")
os.chdir("/")
model = mlflow.pyfunc.load_model(f"models:/{run.outputs.model_outputs[0].model_id}")
print(list(model.predict(pandas.DataFrame({"text": ["great"]})).columns))
"""


def test_a_family_of_ones_own_is_tracked_and_loads_elsewhere(package, project):
    assert runs(project).keys() == {"linear", "own"}
    assert "'p:bad', 'p:good'" in run(package, project, sys.executable, "-c", LOADS)
    assert run(package, project, "textmill", "predict", "data/models/own", "great").count("good") >= 1


def test_params_name_what_was_found(project):
    params = load_params(project / "params.yaml")["dataset"]
    assert params == {
        "name": "my-reviews",
        "source": "path",
        "path": "data/input/my reviews.csv",
        "text": "text",
        "label": "label",
        "group": "film",
    }


def test_an_edit_of_it_trains_it_alone(package, project):
    path = project / "families/averaging.py"
    before = path.read_text()
    try:
        write_text(path, before.replace("embedding: Width = 64", "embedding: Width = 32"))
        told = run(package, project, "textmill", "why")
        assert re.findall(r"^train@.*$", told, re.M) == ["train@own will run:"]
        assert "code: families.averaging changed" in told
    finally:
        write_text(path, before)


def test_a_file_in_an_output_is_refused_and_stays(package, project):
    mine = project / "data/raw/mine.csv"
    shutil.copy(project / "data/input/my reviews.csv", mine)
    before = load_params(project / "params.yaml")
    try:
        edit(project, dataset=before["dataset"] | {"path": "data/raw/mine.csv"})
        told = run(package, project, "dvc", "repro", code=255)
        assert "dataset.path: data/raw/mine.csv is in an output of download" in told
        assert mine.exists()
    finally:
        run(package, project, "git", "checkout", "-q", "params.yaml")
        mine.unlink()


def test_a_colleague_trains_nothing(package, project, tmp_path):
    run(package, project, "dvc", "remote", "add", "-q", "--default", "storage", tmp_path / "storage")
    commit(package, project, "Name a remote")
    run(package, project, "dvc", "push", "-q", "--run-cache")
    run(package, tmp_path, "git", "clone", "-q", project, "clone")
    clone = tmp_path / "clone"
    run(package, clone, "dvc", "pull", "-q")
    assert ran(run(package, clone, "dvc", "repro")) == ["track"]
    assert runs(clone) == runs(project)
    assert all(took > 0 and told > 0 for took, told in runs(clone).values())
    assert run(package, clone, "git", "status", "--porcelain") == ""


def test_another_version_is_refused_until_the_project_is_moved_to_it(package, project, tmp_path):
    source = sources(tmp_path)
    swap(source / "pyproject.toml", 'version = "', 'version = "9.')
    swap(source / "textmill/training/batching.py", "JITTER = 0.05", "JITTER = 0.06")
    swap(source / "textmill/project/template/stages/clean.py", "config.max_chars", "config.max_chars + 0")
    (tmp_path / "wheel").mkdir()
    newer, copy = installed(source, tmp_path / "wheel"), tmp_path / "project"
    shutil.copytree(project, copy, symlinks=True)
    swap(copy / "dvc.yaml", "desc: Choose the", "desc: Pick the")  # the user's own edit
    refused = run(newer, copy, "dvc", "repro", "-f", "-s", "clean", code=255)
    assert "error: clean: pyproject.toml pins textmill 0." in refused
    told = run(newer, copy, "textmill", "upgrade")
    assert re.search(r"^\+.*config\.max_chars \+ 0", told, re.M)
    assert "will run again: train@own, evaluate@own, curve@own (changed: textmill.training.batching)" in told
    assert "will run again: clean (changed: stages.clean)" in told
    run(newer, copy, "textmill", "upgrade", "--apply")
    assert "desc: Pick the" in (copy / "dvc.yaml").read_text()
    assert "config.max_chars + 0" in (copy / "stages/clean.py").read_text()
    (wheel,) = (tmp_path / "wheel").glob("*.whl")
    assert [path.name for path in (copy / "wheels").iterdir()] == [wheel.name]
    assert f"./wheels/{wheel.name}[" in (copy / "requirements.txt").read_text()
    assert "clean" in ran(run(newer, copy, "dvc", "repro", "clean"))
    assert "has textmill 9." in run(newer, copy, "textmill", "upgrade")


def swap(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    write_text(path, text.replace(old, new, 1))


def test_its_own_tests_pass(package, project):
    told = run(package, project, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert "2 passed" in told


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (["full"], 2, "full: not empty (it has x.txt); name a new folder"),
        (["full/x.txt"], 2, "full/x.txt: this is a file; name a folder"),
        (["none/project"], 2, "none: no such folder; create it first"),
        (["project", "--preset", "cvs"], 2, "--preset cvs: unknown; did you mean 'csv'?"),
        (
            ["project", "--textmill", "https://host/textmill.whl"],
            2,
            "this URL has no hash, so what it holds",
        ),
        (["project", "--textmill", "no.whl"], 4, "no.whl: no such file; use --textmill SOURCE"),
        (["project", "full/x.txt", "--yes"], 3, "full/x.txt: "),
        (["project", "full/x.csv", "--yes"], 4, "full/x.csv: no such file"),
        (["project", "--text", "a"], 2, "options for a file, but no file; name it: textmill new FOLDER FILE ..."),
    ],
)
def test_what_cannot_be_made_is_one_line_and_nothing_is_written(package, tmp_path, words, code, line):
    write_text(tmp_path / "full/x.txt", "x")
    told = run(package, tmp_path, "textmill", "new", *words, code=code)
    assert told.startswith("error: new: ")
    assert line in told
    assert told.count("\n") == 1
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["full", "x.txt"]
