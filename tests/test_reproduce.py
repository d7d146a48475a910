"""Models side by side, by real DVC, against the `dvc repro` that they have to equal."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from conftest import HANGS, MODELS, ROOT
from test_pipeline import ENV, workspace, write
from test_pipeline import repro as serial

from textmill.config import load_params
from textmill.reproduce.parallel import gpus, longest_first

pytestmark = pytest.mark.slow

LINEAR, RNN = MODELS["linear"], MODELS["rnn"]
TEXTMILL = Path(sys.executable).parent / "textmill"

# The shape of our DAG, with stages that cost nothing: what a model does follows from its name.
DAG = """
stages:
  encode:
    foreach: ${tokenizers}
    do: {cmd: "echo ${key} > ${key}.ids", params: [seed], outs: ["${key}.ids"]}
  vectors:
    foreach: ${tokenizers}
    do: {cmd: "cp ${key}.ids ${key}.vectors", deps: ["${key}.ids"], outs: ["${key}.vectors"]}
  train:
    foreach: ${models}
    do:
      cmd: sh train.sh ${key}
      deps: ["${item.tokenizer}.vectors"]
      params: ["models.${key}"]
      outs: ["${key}.model"]
  evaluate:
    foreach: ${models}
    do: {cmd: "cp ${key}.model metrics/${key}", deps: ["${key}.model"], outs: ["metrics/${key}"]}
  curve:
    foreach: ${models}
    do: {cmd: "echo ${key} > ${key}.curve", deps: ["${item.tokenizer}.vectors"], outs: ["${key}.curve"]}
  compare: {cmd: cat metrics/* > report, deps: [metrics], outs: [report]}
  track: {cmd: cp report tracked, deps: [report], outs: [{tracked: {cache: false}}]}
"""
TRAIN = """
case $1 in
  slow*) sleep 1 ;;
  endless*) trap "trap '' TERM; sleep 0.3; touch $1.ended; exit 75" TERM; touch $1.begun; while :; do sleep 0.1; done ;;
  wrong*) echo "error: train@$1: of no use" >&2; exit 3 ;;
  killed*) kill -9 $$ ;;
esac
echo $1: gpu $CUDA_VISIBLE_DEVICES
grep -c . params.yaml > $1.model
"""


def start(folder: Path, *words: str, **env: str) -> subprocess.Popen:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([TEXTMILL, "repro", *words], cwd=folder, env=ENV | env, **pipes)


def run(folder: Path, *words: str, **env: str) -> tuple[int, str, str]:
    process = start(folder, *words, **env)
    out, error = process.communicate(timeout=HANGS)
    return process.returncode, out, error


def models(folder: Path, *names: str, **entries: dict) -> None:
    write(folder, load_params(folder / "params.yaml") | {"models": dict.fromkeys(names, LINEAR) | entries})


def results(folder: Path) -> dict[str, bytes]:
    """dvc.lock and what people read, by path."""
    files = [
        folder / "dvc.lock",
        folder / "report",
        *(f for t in ("metrics", "report") for f in folder.rglob(f"{t}/*")),
    ]
    return {str(f.relative_to(folder)): f.read_bytes() for f in files if f.is_file()}


def wait_for(condition):
    """The first true value of the condition."""
    end = time.monotonic() + HANGS
    while not (value := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
    return value


@pytest.fixture
def toy(tmp_path):
    """A checkout of the cheap DAG."""
    folder = tmp_path / "toy"
    shutil.copytree(ROOT / ".dvc", folder / ".dvc", ignore=shutil.ignore_patterns("cache", "tmp", "config.local"))
    (folder / "metrics").mkdir()
    (folder / "dvc.yaml").write_text(DAG)
    (folder / "train.sh").write_text(TRAIN)
    (folder / ".gitignore").write_text("*.ids\n*.model\n*.curve\n/metrics/*\n/report\n/tracked\n")
    shutil.copy(ROOT / "presets/csv.yaml", folder / "params.yaml")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    return folder


def test_it_ends_with_what_became_of_the_committed_results(toy):
    models(toy, "a")
    assert "verify" not in run(toy)[1]  # nothing is committed
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["add", "-A"], [*who, "commit", "-q", "-m", "results"]):
        subprocess.run(["git", *words], cwd=toy, check=True)
    assert run(toy)[1].splitlines()[-1].startswith("verify: same bytes as HEAD (")
    models(toy, "a", "b")
    assert "train@b, evaluate@b and curve@b are not in that commit" in run(toy)[1].replace(", curve@b", " and curve@b")


def test_side_by_side_equals_one_by_one(toy):
    other = shutil.copytree(toy, toy.parent / "other")
    done = set()
    for names in (("slow", "b", "a"), ("z", "slow", "b", "slow-2", "a", "c")):  # from nothing; then with models added
        for folder in (toy, other):
            models(folder, *names)
        serial(other)
        code, out, error = run(toy, "-j", "2", CUDA_VISIBLE_DEVICES="4, 7")
        assert (code, error) == (0, "")
        assert "repro: 3 models, 2 at a time\n" in out
        told = [line for line in out.splitlines() if " | " in line]  # by the models: nothing of DVC's
        assert sorted(line.split()[0] for line in told) == sorted(set(names) - done)
        assert {line.split("gpu ")[1] for line in told} == {"4", "7"}  # one for each of the two
        assert results(toy) == results(other)
        done = set(names)
    assert run(toy) == (0, "repro: everything is up to date\n", "")
    assert not (toy / "data/.order.json").exists()


def test_one_job_is_dvc_repro(toy):
    models(toy, "b", "a")
    code, out, error = run(toy, "-j", "1")
    assert (code, error) == (0, "")
    assert "at a time" not in out
    assert [line.split("'")[1] for line in out.splitlines() if line.startswith("Running")] == [
        *("encode@word", "vectors@word", "train@b", "train@a", "evaluate@b", "evaluate@a"),
        *("curve@b", "curve@a", "compare", "track"),
    ]


def test_a_failing_and_a_killed_arm_lose_no_other(toy):
    other = shutil.copytree(toy, toy.parent / "other")
    names = ("wrong", "killed", "a", "b")
    for folder in (toy, other):
        models(folder, *names)
    code, out, error = run(toy, "-j", "2")
    assert code == 3
    assert "wrong  | error: train@wrong: of no use\n" in error
    for name, number in (("wrong ", "3"), ("killed", "(-9|137)")):  # of the stage, or of the shell around it
        told = f"error: repro: failed to reproduce 'train@{name.strip()}': failed to run: .*, exited with {number}"
        assert re.search(rf"(?m)^{name} \| {told}$", error)
    assert error.splitlines()[-1] == "error: repro: wrong, killed failed, as told above (done: a, b)"
    assert (toy / "metrics/a").exists()
    assert not (toy / "report").exists()

    for folder in (toy, other):
        (folder / "train.sh").write_text("grep -c . params.yaml > $1.model")
    serial(other)
    code, out, _ = run(toy, "-j", "2")
    assert code == 0
    assert "Stage 'train@a' didn't change, skipping" in out
    assert results(toy) == results(other)  # in the order of a run that nothing disturbed


@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash"])  # of DVC's: some stay beside the stage, some become it
@pytest.mark.parametrize(("jobs", "number"), [("1", signal.SIGINT), ("2", signal.SIGTERM)])
def test_ended_from_outside_it_ends_its_children_and_goes_on(toy, jobs, number, shell):
    models(toy, "endless-1", "endless-2", "a")
    process = start(toy, "-j", jobs, SHELL=shell)
    wait_for(lambda: len(list(toy.glob("*.begun"))) == int(jobs))
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= int(jobs)
    assert run(toy) == (5, "", f"error: repro: held by process {process.pid}; wait for it, or end it\n")
    process.send_signal(number)  # to it alone
    out, error = process.communicate(timeout=HANGS)
    assert process.returncode == 75
    assert error.splitlines()[-1] == "repro: interrupted; run it again to go on"
    assert "Traceback" not in out
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)
    assert len(list(toy.glob("*.ended"))) == int(jobs)  # in their own time
    models(toy, "b", "a")
    assert run(toy, "-j", jobs)[0] == 0


def test_gpus_that_may_be_used(tmp_path, monkeypatch):
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\necho 'GPU 0: A (UUID: GPU-1a)'; echo 'GPU 1: A (UUID: GPU-2b)'")
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert gpus() == ["GPU-1a", "GPU-2b"]
    for visible in ("", "3", "-1"):  # one or none: nothing to divide
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        assert gpus() == []


def test_the_longest_arm_begins_first(tmp_path):
    for name, seconds in (("short", 1.0), ("long", 9.0)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.json").write_text(f'{{"train_seconds": {seconds}}}')
    assert longest_first(["short", "long", "new", "newer"], tmp_path) == ["newer", "new", "long", "short"]


@pytest.mark.parametrize("jobs", ["0", "x"])
def test_what_is_no_number_of_jobs(tmp_path, jobs):
    code, out, error = run(tmp_path, "-j", jobs)
    assert (code, out) == (2, "")
    assert "Invalid value for '--jobs'" in error
    assert not list(tmp_path.iterdir())


def test_params_are_checked_before_anything_runs(toy):
    for entry, key in (({**LINEAR, "ngram": 2}, "a.ngram"), ({"family": "linear"}, "a.tokenizer")):
        models(toy, a=entry)
        code, out, error = run(toy)
        assert (code, out) == (2, "")
        assert error.startswith(f"error: repro: params.yaml: models.{key}: ")
        assert len(error.splitlines()) == 1
    assert not (toy / "dvc.lock").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a parent's death is not told")
def test_killed_with_its_stages_at_work_it_leaves_none_and_goes_on(tmp_path, reviews):
    folder = workspace(tmp_path / "real", reviews)
    params = load_params(folder / "params.yaml")
    params["tracking"]["enabled"], params["compare"]["ensembles"] = False, {}
    write(folder, params)
    models(folder, rnn={**RNN, "epochs": 100_000}, linear=LINEAR)
    process = start(folder, "-j", "2")
    wait_for(lambda: list((folder / "data/checkpoints").glob("rnn-*/*")))
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate()
    wait_for(lambda: not any(child.is_running() for child in children))
    assert not list(folder.rglob(".*.part"))

    models(folder, rnn=RNN, linear=LINEAR)
    assert run(folder, "-j", "2")[0] == 0
    names = list(load_params(folder / "dvc.lock")["stages"])
    of_models = [f"{stage}@{name}" for stage in ("train", "evaluate", "curve") for name in ("rnn", "linear")]
    assert names[-8:] == [*of_models, "compare", "track"]
