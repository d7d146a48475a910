"""How a stage starts: what is set up before its imports, which may take seconds."""

import os
import signal
import subprocess
import sys
import time

import pytest
from conftest import ROOT

from textmill.files import write_text
from textmill.processes import TOGETHER

HANGS = 60  # seconds
# Each says that it has come to the line before the one that takes long.
IMPORTS = """
from pathlib import Path
Path("reached").touch()
import time
time.sleep({seconds})
def main(out: Path) -> None:
    out.write_text("done")
"""
STUBBORN = """
import time
from pathlib import Path
def main(out: Path) -> None:
    try:
        Path("reached").touch()
        time.sleep({seconds})
    finally:
        Path("cleaning").touch()
        time.sleep({seconds})
"""
OLD = """
from pathlib import Path
from textmill.stage import run
def main(out: Path) -> None:
    out.write_text("done")
if __name__ == "__main__":
    run(main)
"""
PIPELINE = """
stages:
  slow:
    cmd: python -m textmill.stage slow made/out.txt
    outs: [made/out.txt]
"""
COMMAND = [sys.executable, "-m", "textmill.stage", "slow", "made/out.txt"]
ENV = {**os.environ, "PYTHONPATH": str(ROOT), "DVC_STAGE": "slow"}
INTERRUPTED = "slow: interrupted; run it again to continue\n"


@pytest.fixture
def project(tmp_path):
    """A folder with one stage."""

    def make(code: str, seconds: float):
        write_text(tmp_path / "stages/slow.py", code.format(seconds=seconds))
        write_text(tmp_path / "stages/__init__.py", "")
        write_text(tmp_path / "dvc.yaml", PIPELINE)
        write_text(tmp_path / "params.yaml", "seed: 1\n")
        (tmp_path / "made").mkdir()
        return tmp_path

    return make


def start(folder, *command: str, **options) -> subprocess.Popen:
    whole = command or COMMAND
    return subprocess.Popen(
        whole, cwd=folder, env=ENV, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def wait_for(path, process) -> None:
    until = time.monotonic() + HANGS
    while not path.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, path
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.slow
def test_a_signal_while_a_stage_is_imported(project, number):
    folder = project(IMPORTS, HANGS)
    with start(folder) as process:
        wait_for(folder / "reached", process)
        process.send_signal(number)
        _, told = process.communicate(timeout=HANGS)
    assert (process.returncode, told) == (75, INTERRUPTED)


@pytest.mark.slow
def test_a_second_signal_ends_a_stage_at_once_but_not_one_sent_together_with_the_first(project):
    folder = project(STUBBORN, HANGS)
    with start(folder) as process:
        wait_for(folder / "reached", process)
        process.send_signal(signal.SIGINT)
        wait_for(folder / "cleaning", process)
        process.send_signal(signal.SIGTERM)  # as a parent does that the terminal ended
        time.sleep(TOGETHER + 0.2)
        assert process.poll() is None
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=HANGS)
    assert process.returncode == 75
    assert time.monotonic() - began < 5


@pytest.mark.slow
def test_a_stage_ends_whose_parent_ended_while_it_was_imported(project):
    folder = project(IMPORTS, HANGS)
    words = " ".join(COMMAND)
    with start(folder, "sh", "-c", f"{words} & wait") as shell:
        wait_for(folder / "reached", shell)
        shell.kill()
        _, told = shell.communicate(timeout=HANGS)  # ends when the stage does, which has the same stderr
    assert told == INTERRUPTED


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only the locks protect")
@pytest.mark.slow
def test_a_stage_ends_that_was_orphaned_before_it_started(project):
    folder = project(IMPORTS, 0)
    words = " ".join(COMMAND)
    command = ["sh", "-c", f"(sleep 0.5; exec {words}) & exit"]
    with start(folder, *command, start_new_session=True) as shell:
        out, told = shell.communicate(timeout=HANGS)
    assert (out, told) == ("", INTERRUPTED)
    assert not (folder / "made/out.txt").exists()


@pytest.mark.slow
def test_a_stage_in_its_own_session_is_no_orphan(project):
    """As torchrun starts its processes."""
    folder = project(IMPORTS, 0)
    with start(folder, start_new_session=True) as process:
        out, told = process.communicate(timeout=HANGS)
    assert (process.returncode, told) == (0, "")
    assert out.startswith("slow: ")
    assert (folder / "made/out.txt").read_text() == "done"


def test_a_folder_that_cannot_be_written_is_named_before_any_work(project):
    folder = project(IMPORTS, 0)
    (folder / "made").rmdir()
    (folder / "made").symlink_to("/proc/self")  # root may write everywhere but there
    with start(folder) as process:
        _, told = process.communicate(timeout=HANGS)
    assert process.returncode == 5
    assert told.startswith("error: slow: made: cannot be written: ")
    assert not (folder / "reached").exists()


@pytest.mark.parametrize(
    ("code", "expected", "words"),
    [
        ("import textmill.nothing", 1, "error: slow: a bug of Textmill: ModuleNotFoundError"),
        ("raise MemoryError", 5, "error: slow: not enough memory"),
        ("open('/nowhere')", 4, "error: slow: /nowhere: No such file"),
        (
            "raise type('PanicException', (BaseException,), dict())('could not spawn threads')",
            5,
            "error: slow: not enough mem",
        ),
    ],
)
def test_an_error_of_an_import_is_one_line(project, code, expected, words):
    folder = project(code, 0)
    with start(folder) as process:
        _, told = process.communicate(timeout=HANGS)
    assert process.returncode == expected
    assert told.startswith(words)
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("code", "by"),
    [
        ("import os; os.abort()", "signal 6 (Aborted)"),
        ("import os; os.kill(os.getpid(), 9)", "signal 9 (Killed)"),
        ("import ctypes; ctypes.CDLL(None).exit(1)", "a library, with exit code 1"),
    ],
)
def test_what_ends_a_stage_from_outside_is_one_line(project, code, by):
    """As polars and arrow abort, Linux kills and OpenBLAS exits when memory runs out."""
    folder = project(code, 0)
    with start(folder) as process:
        _, told = process.communicate(timeout=HANGS)
    assert process.returncode == 5
    assert told.startswith(f"error: slow: ended by {by}: most likely memory ran out; lower ")
    assert told.count("\n") == 1
    assert not (folder / "made/out.txt").exists()


def test_a_script_of_an_older_version_is_told_to_move(project):
    folder = project(OLD, 0)
    with start(folder, sys.executable, "stages/slow.py", "made/out.txt") as process:
        _, told = process.communicate(timeout=HANGS)
    assert process.returncode == 2
    assert told == "error: slow: this project was made with an older textmill; move it to this one: textmill upgrade\n"
    assert not (folder / "made/out.txt").exists()


def test_a_stage_that_does_not_exist(project):
    with start(project("", 0), *COMMAND[:-2], "slwo") as process:
        _, told = process.communicate(timeout=HANGS)
    assert process.returncode == 2
    assert told == "error: slow: stages/slwo.py: no such stage; run this in the folder with dvc.yaml\n"


SPEAKS = """
from pathlib import Path
from textmill.console import say, table
def main(out: Path) -> None:
    say("60.0 % ± 2 of 'reseñas'… {seconds}")
    table("Reseñas", ["name"], [["señal"]])
    out.write_text("done")
"""


def test_a_locale_that_lacks_a_character_gets_its_escape(project, monkeypatch):
    for key, value in {"LC_ALL": "POSIX", "PYTHONUTF8": "0"}.items():
        monkeypatch.setitem(ENV, key, value)
    process = start(project(SPEAKS, 0))
    out, errors = process.communicate(timeout=HANGS)
    assert (process.returncode, errors) == (0, "")
    assert r"60.0 % \xb1 2 of 'rese\xf1as'\u2026" in out
    assert r"se\xf1al" in out
