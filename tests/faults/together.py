"""Two runs at once in one folder. Both end well, or one says in one line that the other has it; all bytes are whole."""

import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial

from conftest import HANGS
from test_pipeline import ENV

from faults.project import TRACK, Project
from faults.runs import COMMANDS, finish, to_run

TEXTMILL, DVC = COMMANDS["textmill repro"], COMMANDS["dvc repro"]
TRACKS = [sys.executable, "-m", "textmill", "track"]
EXPERIMENT = ["dvc", "exp", "run", "--temp"]
PAIRS = {
    "dvc repro, dvc repro": (DVC, DVC),
    "textmill repro, dvc repro": (TEXTMILL, DVC),
    "textmill repro, textmill repro": (TEXTMILL, TEXTMILL),
    "dvc repro, dvc exp run --temp": (DVC, EXPERIMENT),
    "textmill repro, dvc exp run --temp": (TEXTMILL, EXPERIMENT),
    "textmill track, textmill track": (TRACKS, TRACKS),
    "textmill track, textmill repro": (TRACKS, TEXTMILL),
}
REFUSED = "error: "  # how the line of ours begins
APART = 4.0  # seconds at most


def cases(project: Project, count: int | None, chance: random.Random) -> Iterator[tuple[str, str, Callable[[], str]]]:
    """Yields seeded cases: a fault, what it meets, and a function that returns what is wrong. count: None for all."""
    pairs = list(PAIRS) * 3 if count is None else chance.sample(list(PAIRS), min(count, len(PAIRS)))
    for pair in pairs:
        stage, seconds = chance.choice(project.stages), APART * chance.random()
        yield (
            "two runs at once",
            f"{pair} {seconds:.1f} s later, with {stage} to run",
            partial(check, project, pair, stage, seconds),
        )


def check(project: Project, pair: str, stage: str, seconds: float) -> str:
    """Starts two commands with a stage to run, the second some seconds later; returns what is wrong, or ''."""
    first, second = PAIRS[pair]
    if EXPERIMENT in (first, second):
        _commit(project)
    to_run(project, [TRACK] if TRACKS in PAIRS[pair] else [stage, TRACK])  # it needs what the other stages write
    running = [_start(project, first)]
    time.sleep(seconds)
    running.append(_start(project, second))
    ends = [(process.communicate(timeout=HANGS)[0], process.returncode) for process in running]
    wrong = [
        f"{code}: {told[-500:]}"
        for (told, code), command in zip(ends, PAIRS[pair], strict=True)
        if _bad(command, code, told)
    ]
    if all(code for _, code in ends):
        wrong.append(f"neither ran: {ends}")
    code, told = finish(project, DVC)
    if code or project.differing():
        wrong.append(f"afterwards: {code}, {project.differing()}: {told[-600:]}")
    return " | ".join(wrong)


def _bad(command: list[str], code: int, told: str) -> bool:
    """Whether a command ended otherwise than well or refused. DVC has words and an exit code of its own."""
    refusals = [line for line in told.splitlines() if line.startswith(REFUSED)]
    if code == 0:
        return False
    return "Traceback" in told or (command in (TEXTMILL, TRACKS) and (code != 5 or len(refusals) != 1))


def _start(project: Project, command: list[str]) -> subprocess.Popen:
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, cwd=project.folder, env=ENV, **options)


def _commit(project: Project) -> None:
    """Commits the project: DVC's experiments start from a commit."""
    for words in (
        ["add", "-A"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "Run", "--allow-empty"],
    ):
        subprocess.run(["git", *words], cwd=project.folder, check=True, capture_output=True)
