"""Faults in the real stages, on made-up reviews: `make test-faults`, or `python tests/faults.py CASES SEED`.

An error is injected at the k-th call of one function of the operating system, in a fork that has imported the stage, or
a file may not grow, or the process is killed at a seeded moment. A stage's outputs are deleted first, as DVC does.
After it each output is missing or has the bytes of an undisturbed run; an error is one line with a code of the table.
Writes by libraries that do not call Python (polars, arrow, safetensors) meet only the limit on the size of files.
"""

import builtins
import errno
import hashlib
import importlib
import io
import os
import random
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from conftest import MODELS, ROOT, made_up
from test_pipeline import ENV, repro, workspace, write

from textmill import lockfile
from textmill.config import load_params
from textmill.dag import outputs

ERRORS: dict[str, Callable[[str], BaseException]] = {
    "ENOSPC": lambda path: OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path),
    "EROFS": lambda path: OSError(errno.EROFS, os.strerror(errno.EROFS), path),
    "EIO": lambda path: OSError(errno.EIO, os.strerror(errno.EIO), path),
    "EACCES": lambda path: PermissionError(errno.EACCES, os.strerror(errno.EACCES), path),
    "MemoryError": lambda _: MemoryError(),
}
PLACES = {"open": (builtins, io), "replace": (os,), "fsync": (os,), "unlink": (os,), "mkdir": (os,)}
CODES = {2, 3, 4, 5, 6, 75}  # with one line on stderr
VARIES = ("timing.json", "mlflow.db", "tracked.json")  # other bytes each time
MANY = 100  # from this many cases on, whole runs are also disturbed
PATIENCE = 60  # seconds for a stage
sys.path.insert(0, str(ROOT))  # for stages, which a script in tests/ would not find


class Case(NamedTuple):
    """A fault in a stage. at: the number of the call, bytes that a file may have, or the share of the stage's time."""

    stage: str
    kind: str
    place: str = ""
    at: float = 0


class Stages:
    """An undisturbed run in a folder, and what its stages wrote."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.copy = Path(shutil.copytree(folder, folder.with_name("undisturbed"), symlinks=True))
        pipeline, params = load_params(folder / "dvc.yaml"), load_params(folder / "params.yaml")
        entries = lockfile.entries((folder / lockfile.LOCK).read_text(encoding="utf-8"))
        self.commands = {name: _command(entry) for name, entry in entries.items()}
        self.outs = {name: [folder / path for path in outputs(name, pipeline, params)] for name in entries}
        self.whole = {name: self.found(name) for name in entries}
        self.counts: dict[str, Counter[str]] = {}
        self.seconds: dict[str, float] = {}

    def found(self, stage: str) -> dict[Path, str]:
        """Returns the digest of each file in the stage's outputs."""
        files = [file for out in self.outs[stage] for file in ([out] if out.is_file() else out.rglob("*"))]
        return {file: hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.is_file()}

    def clear(self, stage: str) -> None:
        for out in self.outs[stage]:
            shutil.rmtree(out) if out.is_dir() else out.unlink(missing_ok=True)

    def restore(self, stage: str) -> None:
        """Puts back what an undisturbed run wrote."""
        self.clear(stage)
        for file in self.whole[stage]:
            file.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(self.copy / file.relative_to(self.folder), file)

    def wrong(self, stage: str) -> list[str]:
        """Returns the outputs that are neither missing nor as in the undisturbed run."""
        files = self.found(stage).items()
        return [str(f) for f, md5 in files if f.name not in VARIES and self.whole[stage].get(f) != md5]

    def fork(self, case: Case, report: Callable[[Counter[str]], None] = lambda _: None) -> tuple[int, str]:
        """Runs a stage in a fork with a fault; returns its exit code and stderr."""
        calls, told = os.pipe(), os.pipe()  # not files, whose size may be limited
        self.clear(case.stage)
        if not (pid := os.fork()):
            _in_fork(self.folder, self.commands[case.stage], case, told[1], calls[1])
        with open(calls[0]) as counted, open(told[0]) as said:
            os.close(calls[1])
            os.close(told[1])
            report(Counter(counted.read().split()))
            told_there = said.read()
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), told_there

    def kill(self, case: Case) -> None:
        """Starts a stage as DVC does and kills it. at: after this share of its time, imports included."""
        self.clear(case.stage)
        process = self.start(case.stage)
        time.sleep(self.seconds[case.stage] * case.at)
        process.kill()
        process.wait()

    def start(self, stage: str) -> subprocess.Popen:
        command = [sys.executable, *shlex.split(self.commands[stage])[1:]]
        return subprocess.Popen(
            command, cwd=self.folder, env=ENV | {"DVC_STAGE": stage}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )

    def again(self, stage: str) -> float:
        """Runs a stage to its end and checks its bytes. Returns seconds."""
        began, process = time.monotonic(), self.start(stage)
        _, told = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, (stage, told.decode())
        missing = self.whole[stage].keys() - self.found(stage).keys()
        assert (self.wrong(stage), missing) == ([], set()), stage
        return time.monotonic() - began


def _command(entry: str) -> str:
    from ruamel.yaml import YAML

    (stage,) = YAML(typ="safe").load(entry).values()
    return stage["cmd"]


def _in_fork(folder: Path, command: str, case: Case, told: int, wrote: int) -> None:
    """Runs the stage with a fault, in a fork: it never returns."""
    from textmill import stage

    code = 1
    signal.alarm(PATIENCE)  # ends it also where it hangs
    try:
        os.chdir(folder)
        os.environ["DVC_STAGE"] = case.stage
        os.dup2(told, 2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        script, *words = shlex.split(command)[3:]

        def load() -> Callable[..., None]:
            main = importlib.import_module(f"stages.{script}").main
            if case.kind == "file size":
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (int(case.at), int(case.at)))
            else:
                _inject(case, wrote)
            return main

        stage.run(script, load, words)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _inject(case: Case, wrote: int) -> None:
    """Makes the k-th call of a function on a path of this folder fail; writes each call's name to `wrote`."""
    done: Counter[str] = Counter()
    here = os.getcwd()

    def wrap(name: str, plain: Callable) -> Callable:
        def call(*given, **named):
            path = given[0] if given else named.get("path") or named.get("file")
            ours = isinstance(path, int) if name == "fsync" else isinstance(path, str | os.PathLike)
            if ours and (name == "fsync" or os.path.abspath(os.fspath(path)).startswith(here)):
                done[name] += 1
                os.write(wrote, f"{name}\n".encode())
                if name == case.place and done[name] == case.at:
                    raise ERRORS[case.kind](str(path))
            return plain(*given, **named)

        return call

    for name, modules in PLACES.items():
        made = wrap(name, getattr(modules[0], name))
        for module in modules:
            setattr(module, name, made)
    os.remove = os.unlink


def cases(stages: Stages, count: int, chance: random.Random) -> Iterator[Case]:
    """Yields seeded cases: two thirds are errors of calls, then sizes of files and kills."""
    names = [name for name in stages.commands if name != "code"]
    for number in range(count):
        stage = names[number % len(names)] if number < len(names) else chance.choice(names)
        if number % 6 == 4:
            yield Case(stage, "file size", at=2 ** chance.randint(6, 14))
        elif number % 6 == 5:
            yield Case(stage, "kill", at=chance.random())
        else:
            calls = stages.counts[stage]
            place = chance.choice(sorted(calls))
            yield Case(stage, chance.choice(list(ERRORS)), place, chance.randint(1, calls[place]))


def check(stages: Stages, case: Case) -> str:
    """Runs a case; returns what is wrong, or ''."""
    if case.kind == "kill":
        stages.kill(case)
        wrong = stages.wrong(case.stage)
        stages.again(case.stage)
        return f"partial: {wrong}" if wrong else ""
    code, told = stages.fork(case)
    if wrong := stages.wrong(case.stage):
        return f"partial: {wrong}"
    if code == 0:  # a fault that the stage may pass over, such as a log that cannot be deleted
        missing = stages.whole[case.stage].keys() - stages.found(case.stage).keys()
        return f"exit code 0, but {sorted(map(str, missing))[:3]} are missing" if missing else ""
    if code not in CODES or len(told.splitlines()) != 1 or not told.startswith(f"error: {case.stage}: "):
        return f"exit code {code}: {told.strip()[-600:]}"
    return ""


def lock_cuts(stages: Stages, sixteenths: list[int], first_dvc: bool) -> list[str]:
    """Cuts dvc.lock; runs plain `dvc repro` if asked, then `textmill repro`. Returns what is wrong."""
    path = stages.folder / lockfile.LOCK
    good, failed = path.read_bytes(), []
    kept = stages.folder / "data/.locks/dvc.lock"
    for part in sixteenths:
        kept.write_bytes(good)
        path.write_bytes(good[: len(good) * part // 16])
        options = {"cwd": stages.folder, "env": ENV, "capture_output": True, "text": True, "timeout": 600}
        if first_dvc:
            subprocess.run(["dvc", "repro"], **options)
        done = subprocess.run([sys.executable, "-m", "textmill", "repro"], **options)
        if done.returncode or path.read_bytes() != good:
            failed.append(f"dvc.lock cut at {part}/16: {done.returncode} {done.stderr[-300:]}")
            path.write_bytes(good)
    return failed


def at_once(stages: Stages) -> list[str]:
    """Starts `textmill repro` and `dvc repro` at once, with one stage to run. Returns what is wrong."""
    path = stages.folder / lockfile.LOCK
    good = path.read_bytes()
    stages.clear("split")
    shutil.rmtree(stages.folder / ".dvc/cache/runs", ignore_errors=True)
    options = {"cwd": stages.folder, "env": ENV, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    commands = [[sys.executable, "-m", "textmill", "repro"], ["dvc", "repro"]]
    running = [subprocess.Popen(command, **options) for command in commands]
    told = [process.communicate(timeout=600)[0] for process in running]
    repro(stages.folder)
    if path.read_bytes() != good or not any(process.returncode == 0 for process in running):
        return [f"two runs at once: {[process.returncode for process in running]} {told}"]
    return []


def prepare(folder: Path) -> None:
    """Makes a project with a linear model and a network, and runs it undisturbed."""
    workspace(folder, made_up())
    params = load_params(folder / "params.yaml")
    params["models"] = {name: MODELS[name] for name in ("linear", "cnn")}
    params["compare"]["ensembles"] = {}
    write(folder, params)
    repro(folder)


def measure(stages: Stages) -> None:
    """Counts each stage's calls and measures its time, undisturbed."""
    import torch  # noqa: F401

    for name in stages.commands:
        stages.counts[name] = Counter()
        code, told = stages.fork(Case(name, "none"), stages.counts[name].update)
        assert (code, told) == (0, ""), (name, code, told)
        stages.seconds[name] = stages.again(name)


def run(stages: Stages, count: int, seed: int) -> Iterator[tuple[Case, str]]:
    """Yields each seeded case with what is wrong, or ''. Leaves the folder as it was."""
    for case in cases(stages, count, random.Random(seed)):
        yield case, check(stages, case)
        stages.restore(case.stage)


def main(count: int, seed: int) -> int:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        subprocess.run([sys.executable, __file__, str(project)], check=True)  # polars that has threads cannot fork
        stages = Stages(project)
        measure(stages)
        tried: Counter[str] = Counter()
        failed: dict[str, list[str]] = {}
        for case, wrong in run(stages, count, seed):
            tried[case.kind] += 1
            if wrong:
                print(case, wrong, file=sys.stderr)
                failed.setdefault(case.kind, []).append(f"{case}: {wrong}")
        runs = (
            ("dvc.lock cut, textmill repro", lambda: lock_cuts(stages, list(range(1, 16)), False), 15),
            ("dvc.lock cut, dvc repro first", lambda: lock_cuts(stages, [3, 8, 13], True), 3),
            ("two runs at once", lambda: at_once(stages), 1),
        )
        for kind, work, number in runs if count >= MANY else ():
            tried[kind] = number
            if found := work():
                failed[kind] = found
        for kind, number in sorted(tried.items()):
            print(f"{kind:32} {number:4} tried  {len(failed.get(kind, [])):3} failed")
        print(
            f"{sum(tried.values())} faults, {sum(map(len, failed.values()))} failed, {time.monotonic() - began:.0f} s"
        )
        for lines in failed.values():
            print(*lines, sep="\n")
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) == 2:
        prepare(Path(sys.argv[1]))
    else:
        sys.exit(main(*map(int, sys.argv[1:])))
