"""`textmill repro`: what `dvc repro` does, with the arms of the experiment side by side.

DVC runs one stage after the other, but several `dvc repro --single-item` work at once when all above them is up to
date. So: what is above the arms, then the arms, then what compares them. The result is that of `dvc repro`, byte for
byte, dvc.lock too.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from textmill.check import check_params, check_shape
from textmill.config import PARAMS, load_params
from textmill.console import say
from textmill.processes import alone, interrupt_once
from textmill.reproduce.dvc import StageError, changed, repro
from textmill.reproduce.order import settle, want
from textmill.reproduce.parallel import longest_first, side_by_side

ABOVE = "vectors"  # the last stages above the arms
ARM = ("train", "evaluate")
BELOW = ("compare", "track")


def reproduce(jobs: int | None = None) -> None:
    """Bring everything up to date, `jobs` arms at a time (None: as many as the cores hold at `threads` each).

    Raises ParamsError before anything ran, StageError with the code of a stage that failed, ResourceError if another
    `textmill repro` is at work, KeyboardInterrupt when it was told to end and its children have ended.
    """
    interrupt_once()
    check_shape(PARAMS)
    params = load_params(PARAMS)
    # The stages' `python` is the one of this command, whether its environment was activated or not.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    with alone("repro"):
        stages = changed()
        if not stages:
            say("repro: everything is up to date")
            settle([], whole=True)
            return
        check_params(PARAMS)
        wanted, whole = want(stages), False
        try:
            _run(stages, list(params["models"]), jobs or max(1, cores() // params["threads"]))
            whole = True
        finally:
            settle(wanted, whole)


def _run(stages: list[str], models: Sequence[str], jobs: int) -> None:
    """Run the changed stages, and what follows from them."""
    if jobs > 1:
        if any(stage.split("@")[0] not in (*ARM, *BELOW) for stage in stages):
            repro(ABOVE)
            stages = changed()
        arms = [name for name in models if {f"{stage}@{name}" for stage in ARM} & set(stages)]
        if len(arms) > 1:
            _run_arms(arms, min(jobs, len(arms)))
    repro()


def _run_arms(arms: Sequence[str], jobs: int) -> None:
    """Run all arms, also when one fails. Raises StageError then, naming those that did."""
    say(f"repro: {len(arms)} models, {jobs} at a time")
    codes = side_by_side(longest_first(arms), jobs)
    failed = [name for name in arms if codes[name]]
    if failed:
        done = ", ".join(name for name in arms if not codes[name]) or "none"
        raise StageError(f"{', '.join(failed)} failed, as told above (done: {done})", codes[failed[0]])


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
