"""One at a time, and ended tidily."""

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
    print("went on")
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
    print("went on")
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


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_interrupts_and_the_next_ones_do_not(first):
    code = TIDY.format(first=int(first))
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "tidied up\n", "")


def test_a_lock_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").write_text("a file")
    with (
        pytest.raises(ResourceError, match=r"data/.locks/stage.lock: cannot be written: Not a directory"),
        alone("stage"),
    ):
        pass


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_not_lost_where_the_block_fails(first):
    code = BROKEN.format(first=int(first))
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "interrupted\n", "")


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_for_the_end_of_what_must_be_whole(first):
    code = WHOLE.format(first=int(first))
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "whole\ninterrupted\nin a thread\n", "")
