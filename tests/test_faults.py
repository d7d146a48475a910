"""A seeded share of `make test-faults`."""

import subprocess
import sys

import pytest
from conftest import HANGS, ROOT


@pytest.mark.slow
def test_a_share_of_the_faults():
    command = [sys.executable, str(ROOT / "tests/faults.py"), "14", "5"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=HANGS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "14 faults, 0 failed" in done.stdout
