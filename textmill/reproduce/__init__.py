"""`textmill repro`: does what `dvc repro` does, but trains several models at a time.

DVC runs one stage after the other, but several `dvc repro --single-item` can run at once if all stages above them are
up to date. So the stages above the models run first, then the models, then the comparison. The results and dvc.lock are
the same bytes as after `dvc repro`.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from textmill.check import check_params, check_shape
from textmill.config import PARAMS, load_params
from textmill.console import counted, say
from textmill.lastgood import restore
from textmill.processes import alone, interrupt_once
from textmill.reproduce.board import board_for, log_of
from textmill.reproduce.dvc import SAME, StageError, changed, failure, repro
from textmill.reproduce.order import restore_order, wanted_order
from textmill.reproduce.parallel import STAGES, longest_first, run_each
from textmill.timings import longest_training

ABOVE = "vectors"  # the last stages above the models
METRICS = Path("metrics/models")
BELOW = ("suspects", "compare", "track")


def reproduce(jobs: int | None = None) -> bool:
    """Brings everything up to date, `jobs` models at a time (None: as many as there are cores for `threads` each).

    Returns whether anything ran. Raises ParamsError before anything runs, StageError with the exit code of a stage that
    failed, ResourceError if another `textmill repro` is running, and KeyboardInterrupt after a signal, once its
    children have ended.
    """
    interrupt_once()
    check_shape(PARAMS)
    params = load_params(PARAMS)
    # Stages run `python`: make it this one, also if its environment is not activated.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    with alone("repro"):
        restore()
        stages = changed()
        if not stages:
            say("repro: everything is up to date")
            restore_order([], whole=True)
            return False
        check_params(PARAMS)
        wanted, whole = wanted_order(stages), False
        try:
            _run(stages, list(params["models"]), jobs or max(1, cores() // params["threads"]))
            whole = True
        finally:
            restore_order(wanted, whole)
    return True


def _run(stages: list[str], models: Sequence[str], jobs: int) -> None:
    """Runs the changed stages and the ones after them."""
    ran: set[str] = set()
    same: set[str] = set()

    def on_event(stage: str, word: str) -> None:
        if word == SAME:
            same.add(stage)
        else:
            ran.add(stage)
            say(f"{stage} {word}")

    if any(stage.split("@")[0] not in (*STAGES, *BELOW) for stage in stages):
        repro(ABOVE, on_event=on_event)
        stages = changed()
    due = [name for name in models if {f"{stage}@{name}" for stage in STAGES} & set(stages)]
    if due:
        ran |= _run_models(due, min(jobs, len(due)))
    repro(on_event=on_event)
    if left := len(same - ran):
        say(f"repro: {counted(left, 'stage', 'stages')} did not change")


def _run_models(models: Sequence[str], jobs: int) -> set[str]:
    """Runs all models, and returns the stages that ran. Raises StageError at the end if a model failed."""
    say(f"repro: {counted(len(models), 'model', 'models')}, {jobs} at a time")
    expected = {name: longest_training(METRICS / name) for name in models}
    with board_for(models, expected) as shown:
        run_each(longest_first(models, expected) if jobs > 1 else models, jobs, shown)
    codes = {name: shown.codes[name] for name in models}
    failed = [f"{failure(shown.stages[name], code)} ({log_of(name)})" for name, code in codes.items() if code]
    if failed:
        done = ", ".join(name for name in models if not codes[name]) or "none"
        raise StageError(f"{', '.join(failed)}; done: {done}", next(filter(None, codes.values())))
    return shown.ran


def cores() -> int:
    """Returns the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
