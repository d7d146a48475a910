"""Arms side by side, by real DVC, against the `dvc repro` that they have to equal."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from conftest import MODELS
from test_pipeline import ENV, workspace, write
from test_pipeline import repro as serial

from textmill.config import load_params
from textmill.reproduce.arms import gpus, longest_first  # noqa
from textmill.reproduce.order import settle, want  # noqa

LINEAR = MODELS["linear"]
ARMS = {"zeta": LINEAR, "alpha": {**LINEAR, "c": 0.5}, "mid": {**LINEAR, "weighting": "tfidf"}}
ENDLESS = {**MODELS["rnn"], "epochs": 1_000_000}
TEXTMILL = Path(sys.executable).parent / "textmill"


def start(folder: Path, *words: str) -> subprocess.Popen:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([TEXTMILL, "repro", *words], cwd=folder, env=ENV, **pipes)


def run(folder: Path, *words: str) -> tuple[int, str, str]:
    process = start(folder, *words)
    out, error = process.communicate(timeout=120)
    return process.returncode, out, error


def models(folder: Path, entries: dict) -> None:
    write(folder, load_params(folder / "params.yaml") | {"models": entries})


def results(folder: Path) -> dict[str, bytes]:
    """dvc.lock and all that it says was made for people, by path."""
    files = [folder / "dvc.lock", *(f for top in ("metrics", "report") for f in (folder / top).rglob("*"))]
    return {str(f.relative_to(folder)): f.read_bytes() for f in files if f.is_file()}


def wait_for(condition, seconds: float = 60):
    """The first true value of the condition."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
    return value


def pid_of(folder: Path, stage: str) -> int | None:
    lock = folder / f"data/.locks/{stage}.lock"
    return int(lock.read_text() or 0) if lock.exists() else None


@pytest.fixture(scope="module")
def encoded(tmp_path_factory, reviews):
    """Everything above the arms is made; the arms are not."""
    folder = workspace(tmp_path_factory.mktemp("side by side") / "base", reviews)
    params = load_params(folder / "params.yaml")
    params["models"] = ARMS
    params["tracking"]["enabled"] = False
    write(folder, params)
    serial(folder, "encode")
    return folder


@pytest.fixture(scope="module")
def reference(encoded):
    """What `dvc repro` makes of it."""
    folder = shutil.copytree(encoded, encoded.parent / "reference")
    serial(folder)
    return folder


@pytest.fixture
def copy(encoded, tmp_path):
    return shutil.copytree(encoded, tmp_path / "copy")


def test_side_by_side_equals_one_by_one(reference, copy):
    (copy / "dvc.lock").unlink()  # what is above is found in the run cache
    code, out, error = run(copy, "-j", "3")
    assert (code, error) == (0, "")
    assert "repro: 3 models, 3 at a time" in out
    for name in ARMS:
        assert f"{name:5} | train@{name}: " in out
    assert results(copy) == results(reference)
    assert run(copy) == (0, "repro: everything is up to date\n", "")

    other = shutil.copytree(reference, copy.parent / "other")
    more = {"omega": {**LINEAR, "c": 2.0}, **ARMS, "beta": {**LINEAR, "c": 3.0}}
    for folder in (other, copy):
        models(folder, more)
    serial(other)
    assert run(copy, "-j", "2")[0] == 0
    assert results(copy) == results(other)


def test_a_failing_and_a_killed_arm_lose_no_other(reference, copy):
    bad = {"alpha": {**ARMS["alpha"], "min_count": 10_000}, "mid": ENDLESS}
    models(copy, {**ARMS, **bad})
    process = start(copy, "-j", "3")
    os.kill(wait_for(lambda: pid_of(copy, "train@mid")), signal.SIGKILL)
    out, error = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "alpha | error: train@alpha: linear: no n-gram stands in 10000 documents" in error
    assert error.splitlines()[-1] == "error: repro: alpha, mid failed, as told above (done: zeta)"
    assert "zeta  | evaluate@zeta: " in out
    assert not (copy / "report").exists()
    assert not list(copy.rglob(".*.part"))

    models(copy, ARMS)  # mended
    code, out, _ = run(copy, "-j", "3")
    assert code == 0
    assert "train@zeta: " not in out  # kept
    assert results(copy) == results(reference)  # in the order of an undisturbed run, too


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ended_from_outside_no_child_stays(copy, number, jobs):
    models(copy, {"one": ENDLESS, "two": ENDLESS})
    process = start(copy, "-j", jobs)
    for name in ("one", "two")[: int(jobs)]:
        wait_for(lambda name=name: pid_of(copy, f"train@{name}"))
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= int(jobs)
    process.send_signal(number)  # to the parent alone
    _, error = process.communicate(timeout=30)
    if number != signal.SIGKILL:
        assert process.returncode == 75
        assert error.endswith("repro: interrupted; run it again to go on\n")
        assert not any(child.is_running() for child in children)
    wait_for(lambda: not any(child.is_running() for child in children), 20)
    assert not list(copy.rglob(".*.part"))
    models(copy, {"zeta": LINEAR})
    code, out, error = run(copy, "-j", jobs)
    assert (code, "evaluate@zeta" in out) == (0, True), error


@pytest.mark.parametrize("jobs", ["0", "x", "-1", "1.5"])
def test_what_is_no_number_of_jobs(tmp_path, jobs):
    code, out, error = run(tmp_path, "-j", jobs)
    assert (code, out) == (2, "")
    assert "Invalid value for '--jobs'" in error
    assert not list(tmp_path.iterdir())


def test_params_are_checked_before_anything_runs(copy):
    for entries, key in (({"zeta": {**LINEAR, "tokeniser": "word"}}, "zeta.tokeniser"), ({"a": {}}, "a.tokenizer")):
        models(copy, entries)
        code, out, error = run(copy)
        assert (code, out) == (2, "")
        assert error.startswith(f"error: repro: params.yaml: models.{key}: ")
        assert len(error.splitlines()) == 1


def test_two_at_once_are_refused(copy):
    models(copy, {"one": ENDLESS, "two": ENDLESS})
    process = start(copy, "-j", "2")
    try:
        wait_for(lambda: pid_of(copy, "repro"))
        assert run(copy) == (5, "", f"error: repro: held by process {process.pid}; wait for it, or end it\n")
    finally:
        process.terminate()
        process.communicate(timeout=30)
