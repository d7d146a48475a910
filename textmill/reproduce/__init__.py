"""`textmill repro`: what `dvc repro` does, with the models of the experiment side by side.

DVC runs one stage after the other, but several `dvc repro --single-item` work at once when all above them is up to
date. So: what is above the models, then the models, then what compares them. The result is that of `dvc repro`, byte
for byte, dvc.lock too.
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
from textmill.reproduce.parallel import longest_first, run_each

ABOVE = "vectors"  # the last stages above the models
OF_MODEL = ("train", "evaluate", "curve")
BELOW = ("suspects", "compare", "track")


def reproduce(jobs: int | None = None) -> None:
    """Bring everything up to date, `jobs` models at a time (None: as many as the cores hold at `threads` each).

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
        if any(stage.split("@")[0] not in (*OF_MODEL, *BELOW) for stage in stages):
            repro(ABOVE)
            stages = changed()
        due = [name for name in models if {f"{stage}@{name}" for stage in OF_MODEL} & set(stages)]
        if len(due) > 1:
            _run_models(due, min(jobs, len(due)))
    repro()


def _run_models(models: Sequence[str], jobs: int) -> None:
    """Run all models, also when one fails. Raises StageError then, naming those that did."""
    say(f"repro: {len(models)} models, {jobs} at a time")
    codes = run_each(longest_first(models), jobs)
    failed = [name for name in models if codes[name]]
    if failed:
        done = ", ".join(name for name in models if not codes[name]) or "none"
        raise StageError(f"{', '.join(failed)} failed, as told above (done: {done})", codes[failed[0]])


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
