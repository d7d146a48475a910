"""Locks, signals and threads."""

import os
import signal
import subprocess
import sys

import pytest
from conftest import ROOT

from textmill.errors import ResourceError
from textmill.processes import alone

TIDY = """
import os, signal, sys
from textmill.processes import interrupt_once
interrupt_once()
try:
    os.kill(os.getpid(), {first})
    print("continued")
except KeyboardInterrupt:
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(os.getpid(), number)
    print("tidied up")
"""

WHOLE = """
import signal, threading
from textmill.processes import interrupt_once, unbroken
interrupt_once()
try:
    with unbroken():
        signal.raise_signal({first})
        print("whole")
    print("continued")
except KeyboardInterrupt:
    print("interrupted")
with unbroken():
    pass
def elsewhere():
    with unbroken():
        print("in a thread")
thread = threading.Thread(target=elsewhere)
thread.start()
thread.join()
"""

BROKEN = """
import signal
from textmill.processes import interrupt_once, unbroken
interrupt_once()
try:
    with unbroken():
        signal.raise_signal({first})
        raise ZeroDivisionError
except KeyboardInterrupt:
    print("interrupted")
"""


def test_a_name_is_held_by_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    held = f"held by process {os.getpid()}; wait for it, or end it"
    with alone("stage"), alone("other"), pytest.raises(ResourceError, match=held), alone("stage"):
        pass
    with alone("stage"):
        pass


def test_a_lock_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").write_text("a file")
    with (
        pytest.raises(ResourceError, match=r"data/.locks/stage.lock: cannot be written: Not a directory"),
        alone("stage"),
    ):
        pass


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("code", "printed"),
    [
        pytest.param(TIDY, "tidied up\n", id="the first interrupts and the next ones do not"),
        pytest.param(WHOLE, "whole\ninterrupted\nin a thread\n", id="it waits for the end of what must be whole"),
        pytest.param(BROKEN, "interrupted\n", id="it is not lost where the block fails"),
    ],
)
def test_signals(code, printed, first):
    command = [sys.executable, "-c", code.format(first=int(first))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, printed, "")


@pytest.mark.parametrize("first", ["", "import torch;"])
@pytest.mark.parametrize("count", [1, 2])
def test_libraries_compute_on_the_threads_of_params_whenever_they_are_loaded(first, count):
    lines = f"""
import os; {first}
from textmill.processes import on_threads
before = dict(os.environ)
with on_threads({count}):
    import torch, threadpoolctl
    torch.ones(9, 9) @ torch.ones(9, 9)
    print(torch.get_num_threads(), max(pool["num_threads"] for pool in threadpoolctl.threadpool_info()))
assert os.environ == before
"""
    output = subprocess.run([sys.executable, "-c", lines], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(output.split()) == {str(count)}
