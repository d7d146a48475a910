"""Several models at a time, with real DVC; results must equal those of `dvc repro`."""

import json
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
from textmill.lastgood import KEPT
from textmill.reproduce.dvc import lives
from textmill.reproduce.parallel import gpus, longest_first

pytestmark = pytest.mark.slow

LINEAR, RNN = MODELS["linear"], MODELS["rnn"]
TEXTMILL = Path(sys.executable).parent / "textmill"

# A DAG like ours, with cheap stages: a model's name says how its training behaves.
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
    do:
      cmd: "cp ${key}.model metrics/${key}; echo evaluate: ${key}: accuracy 77.5 %"
      deps: ["${key}.model"]
      outs: ["metrics/${key}"]
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
for epoch in 1 2 3; do
  echo "epoch $epoch/3: loss 0.5000, validation loss 0.5000, accuracy 0.7$epoch (0.1 s)"
  case $1 in slow*) sleep 0.3 ;; esac
done
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
    """Returns the bytes of dvc.lock, metrics and report, by path."""
    files = [
        folder / "dvc.lock",
        folder / "report",
        *(f for t in ("metrics", "report") for f in folder.rglob(f"{t}/*")),
    ]
    return {str(f.relative_to(folder)): f.read_bytes() for f in files if f.is_file()}


def wait_for(condition):
    """Waits until the condition is true, and returns its value."""
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
    for names in (("slow", "b", "a"), ("z", "slow", "b", "slow-2", "a", "c")):  # from scratch; then with more models
        for folder in (toy, other):
            models(folder, *names)
        serial(other)
        code, out, error = run(toy, "-j", "2", CUDA_VISIBLE_DEVICES="4, 7")
        assert (code, error) == (0, "")
        assert "repro: 3 models, 2 at a time\n" in out
        new = sorted(set(names) - done)
        printed = [line.split(" | ") for line in out.splitlines() if " | " in line]
        for name in new:  # begin, what the stage prints, end; a slow machine also has time for lines of epochs
            lines = [line for label, line in printed if label.strip() == name]
            begun, said, ended = (line for line in lines if not line.startswith("epoch"))
            assert (begun, said[:-1]) == ("begins", f"{name}: gpu ")
            assert re.fullmatch(r"accuracy 77.5 %; [\d.]+ s; [1-3] of 3 models", ended)
        assert {line[-1] for _, line in printed if "gpu" in line} == {"4", "7"}  # one GPU for each job
        assert sorted(path.stem for path in (toy / "data/logs").iterdir() if path.stem in new) == new
        assert "epoch 2/3: " in (toy / f"data/logs/{new[0]}.log").read_text()
        assert not re.search("Running|didn't|lock file|git add", out)  # DVC's own
        assert ("repro: 11 stages did not change\n" in out) == bool(done)
        assert results(toy) == results(other)
        done = set(names)
    assert run(toy) == (0, "repro: everything is up to date\n", "")
    assert not (toy / "data/.order.json").exists()


def test_one_job_trains_one_after_the_other_as_params_have_them(toy):
    other = shutil.copytree(toy, toy.parent / "other")
    for folder in (toy, other):
        models(folder, "b", "a")
    serial(other)
    code, out, error = run(toy, "-j", "1")
    assert (code, error) == (0, "")
    stages = [line.split()[0] for line in out.splitlines() if line.endswith(" begins")]
    assert stages == ["encode@word", "vectors@word", "b", "a", "compare", "track"]
    assert results(toy) == results(other)


def test_what_ran_before_is_restored(toy):
    models(toy, "a")
    run(toy)
    models(toy, a=RNN)
    run(toy)
    models(toy, "a")
    out = run(toy)[1]
    assert "a | train@a is restored, without running: it ran before on the same inputs\n" in out


def test_a_failing_and_a_killed_model_lose_no_other(toy):
    other = shutil.copytree(toy, toy.parent / "other")
    names = ("wrong", "killed", "a", "b")
    for folder in (toy, other):
        models(folder, *names)
    code, out, error = run(toy, "-j", "2")
    assert code == 3
    assert re.search(r"wrong  \| train@wrong failed; [\d.]+ s; \d of 4 models\n", out)
    *lines, last = error.splitlines()
    assert "wrong  | error: train@wrong: of no use" in lines  # before or after the shell's line on the other model
    assert last == (
        "error: repro: train@wrong failed (data/logs/wrong.log), "
        "train@killed was killed by signal 9 (data/logs/killed.log); done: a, b"
    )
    assert "failed to" not in error
    assert (toy / "metrics/a").exists()
    assert not (toy / "report").exists()

    for folder in (toy, other):
        (folder / "train.sh").write_text("grep -c . params.yaml > $1.model")
    serial(other)
    code, out, _ = run(toy, "-j", "2")
    assert code == 0
    assert "a      |" not in out
    assert results(toy) == results(other)  # as after an undisturbed run


@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash"])  # DVC calls it: one starts the stage, one becomes it
@pytest.mark.parametrize(("jobs", "number"), [("1", signal.SIGINT), ("2", signal.SIGTERM)])
def test_a_signal_ends_its_children_and_it_can_resume(toy, jobs, number, shell):
    models(toy, "endless-1", "endless-2", "a")
    process = start(toy, "-j", jobs, SHELL=shell)
    wait_for(lambda: len(list(toy.glob("*.begun"))) == int(jobs))
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= int(jobs)
    assert run(toy) == (5, "", f"error: repro: held by process {process.pid}; wait for it, or end it\n")
    process.send_signal(number)  # to it alone
    out, error = process.communicate(timeout=HANGS)
    assert process.returncode == 75
    assert error.splitlines()[-1] == "repro: interrupted; run it again to continue"
    assert "Traceback" not in out
    assert not any(map(lives, children))
    assert len(list(toy.glob("*.ended"))) == int(jobs)  # after their own clean-up
    models(toy, "b", "a")
    assert run(toy, "-j", jobs)[0] == 0


def test_a_path_that_another_dvc_has_is_one_line(toy):
    models(toy, "a")
    (toy / ".dvc/tmp").mkdir(parents=True)
    held = {str(toy / "word.ids"): {"pid": os.getpid(), "cmd": "dvc repro"}}
    (toy / ".dvc/tmp/rwlock").write_text(json.dumps({"write": held}))
    code, _, error = run(toy)
    expected = f"error: repro: {toy}/word.ids: held by DVC's process {os.getpid()}; wait for it, or end it\n"
    assert (code, error) == (5, expected)


def test_gpus_that_may_be_used(tmp_path, monkeypatch):
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\necho 'GPU 0: A (UUID: GPU-1a)'; echo 'GPU 1: A (UUID: GPU-2b)'")
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert gpus() == ["GPU-1a", "GPU-2b"]
    for visible in ("", "3", "-1"):  # one or none: nothing to divide
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        assert gpus() == []


def test_the_longest_model_begins_first():
    seconds = {"short": 1.0, "long": 9.0, "new": float("inf"), "newer": float("inf")}
    assert longest_first(list(seconds), seconds) == ["newer", "new", "long", "short"]


@pytest.mark.parametrize(
    ("command", "code", "printed"),
    [
        ("echo 'error: compare: of no use' >&2; exit 3", 3, "error: compare: of no use\n"),  # its own line
        ("exit 1", 1, "error: repro: compare failed with exit code 1\n"),
        ("kill -9 $$", 137, "error: repro: compare was killed by signal 9\n"),
    ],
)
def test_a_failing_stage_prints_one_line(toy, command, code, printed):
    (toy / "dvc.yaml").write_text(DAG.replace("cat metrics/* > report", f'"{command}"'))
    models(toy, "a")
    ended, _, error = run(toy)
    assert (ended, error) == (code, printed)


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


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux signals a parent's death")
def test_killed_it_leaves_no_stage_running_and_can_resume(tmp_path, reviews):
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
    wait_for(lambda: not any(map(lives, children)))
    assert not list(folder.rglob(".*.part"))

    models(folder, rnn=RNN, linear=LINEAR)
    assert run(folder, "-j", "2")[0] == 0
    names = list(load_params(folder / "dvc.lock")["stages"])
    of_models = [f"{stage}@{name}" for stage in ("train", "evaluate", "curve") for name in ("rnn", "linear")]
    assert names[-8:] == [*of_models, "compare", "track"]


@pytest.mark.parametrize("cut", [0, 5, 11, 15])
def test_it_goes_on_where_dvc_lock_was_cut_and_its_rwlock_is_of_a_killed_run(toy, cut):
    models(toy, "a", "b")
    run(toy)
    lock, before = toy / "dvc.lock", results(toy)
    (toy / KEPT).write_bytes(lock.read_bytes())
    lock.write_bytes(lock.read_bytes()[: cut * lock.stat().st_size // 16])
    (toy / ".dvc/tmp/rwlock").write_text('{"write": {"/')
    code, out, error = run(toy)
    assert (code, error) == (0, "")
    assert out.startswith("dvc.lock was cut short; the last good one is back")
    assert out.splitlines()[-1] == "repro: everything is up to date"
    assert results(toy) == before
