"""All measurements on a GPU, the most important first, until the time is up. Started by bench/gpu.sh."""

import argparse
import gc
import json
import os
import platform
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import cells
import checks
import runs
import speed
import torch
from parts import CASES, Data, keep_memory
from side_by_side import RESULTS

from textmill.timings import machine

LIMIT = 420  # seconds in all
LARGE, SMALL = 65_536, 4_096  # ids of a batch: what a GPU likes, and the default experiment's
PRECISIONS = ("float32", "bfloat16")

Plan = list[tuple[str, float, Callable[[], dict[str, Any]]]]  # name, seconds at most


def plan(data: Data, folder: Path, dry: bool) -> Plan:
    """What is measured, in this order."""
    whole, some, few = (64, 64, 32) if dry else (25_000, 1_024, 256)
    large, goal = (2_048, 0.1) if dry else (LARGE, 6.0)

    def epochs(tokens: int, documents: int, cases: list[str], goal: float = goal) -> Plan:
        return [
            (
                f"epoch: {case}, {precision}, {tokens:,} ids a batch",
                60,
                partial(speed.epoch, data, case, precision, tokens, documents, goal),
            )
            for case in cases
            for precision in PRECISIONS
        ]

    def each(name: str, check: Callable[..., dict[str, Any]], *given: Any) -> Plan:
        return [(f"{name}: {case}", 30, partial(check, data, case, *given)) for case in CASES]

    first, *others = CASES
    return [
        *epochs(large, whole, [first]),
        ("data on the device", 20, partial(checks.resident, data)),
        *epochs(large, whole, others),
        (
            f"epoch: transformer, bfloat16, {large:,} ids a batch, not by cuDNN",
            60,
            partial(without_cudnn, speed.epoch, data, "transformer", "bfloat16", large, whole, goal),
        ),
        *each("a document with others", checks.neighbours, some),
        *each("against the CPU", checks.processors, few),
        *each("gradients in bfloat16", checks.rounding, large, 20 * few),
        ("no such GPU", 60, checks.missing),
        ("no memory left", 30, partial(checks.memory, data)),
        ("torchrun, one process", 100, partial(runs.ranks, data, folder, ("lstm", "transformer"), few)),
        ("LSTM layers", 40, partial(cells.cells, data, *((20, 8, 1) if dry else (300, 218, 10)))),
        ("attention", 40, partial(cells.attentions, data, *((16, 256) if dry else (200, LARGE)))),
        *each("resumed", runs.resumed, "float32", large // 8, 4 * few),
        (
            "resumed: transformer, bfloat16",
            30,
            partial(runs.resumed, data, "transformer", "bfloat16", large // 8, 4 * few),
        ),
        *(
            (
                f"busy: {case}, {precision}, {tokens:,} ids a batch",
                40,
                partial(speed.busy, data, case, precision, tokens, documents),
            )
            for tokens, documents, precision in (
                (large, 6 * few, "float32"),
                (large, 6 * few, "bfloat16"),
                (SMALL, few, "float32"),
            )
            for case in (first, "transformer")
        ),
        *((f"options: {case}", 60, partial(checks.options, data, case, few)) for case in ("lstm", "transformer")),
        *each("explanation", checks.explanation, few),
        *epochs(SMALL, min(whole, 2_500), list(CASES), goal / 2),
        *([] if dry else epochs(4 * LARGE, whole, list(CASES))),
    ]


def without_cudnn(measure: Callable[..., dict[str, Any]], *given: Any) -> dict[str, Any]:
    """A measurement in which cuDNN gives no attention."""
    torch.backends.cuda.enable_cudnn_sdp(False)
    try:
        return measure(*given)
    finally:
        torch.backends.cuda.enable_cudnn_sdp(True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--dry", action="store_true", help="on the CPU, with few documents")
    given = parser.parse_args()
    keep_memory()  # as the stage does
    started = time.monotonic()
    data = Data.read(given.data, "cpu" if given.dry else "cuda")
    report: dict[str, Any] = {"machine": described(given.dry), "dry": given.dry, "measured": []}
    print(json.dumps(report["machine"]))
    signal.signal(signal.SIGALRM, too_long)
    for name, seconds, work in plan(data, given.data, given.dry):
        left = LIMIT - (time.monotonic() - started)
        row = measured(work, min(seconds, left)) if left > 5 else {"left out": "no time left"}
        report["measured"].append({"name": name, **row})
        report["seconds"] = round(time.monotonic() - started, 1)
        print(f"{name}: {json.dumps(row)}")
        keep(report, given.dry)
    bad = [row["name"] for row in report["measured"] if "error" in row or not row.get("ok", True)]
    print(f"{report['seconds']} s; not as it should be: {'; '.join(bad) or 'nothing'}")
    sys.exit(bool(bad))


def measured(work: Callable[[], dict[str, Any]], seconds: float) -> dict[str, Any]:
    """What came of it, or the error in one line, and what torch warned of."""
    start = time.monotonic()
    with warnings.catch_warnings(record=True) as warned, ended_after(seconds):
        warnings.simplefilter("always")
        try:
            found = work()
        except Exception as error:  # the others are measured all the same
            frames = [f"{Path(at.filename).name}:{at.lineno}" for at in traceback.extract_tb(error.__traceback__)]
            line = (str(error).splitlines() or [""])[0][:300]
            found = {"error": f"{type(error).__name__}: {line} ({' < '.join(frames[:-6:-1])})"}
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    found |= {"took": time.monotonic() - start}
    if said := sorted({str(warning.message).splitlines()[0][:200] for warning in warned}):
        found["warnings"] = said
    return rounded(found)


@contextmanager
def ended_after(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in the block when so many seconds are over."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def too_long(*_: object) -> None:
    raise TimeoutError("it took too long")


def rounded(value: Any) -> Any:
    """Floats of four digits."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value


def described(dry: bool) -> dict[str, Any]:
    """What it is measured on."""
    versions = {"python": platform.python_version(), "torch": torch.__version__, "cuda": torch.version.cuda}
    if dry:
        return {"processor": machine(), **versions}
    major, minor = torch.cuda.get_device_capability()
    gpu = {"gpu": torch.cuda.get_device_name(), "capability": f"{major}.{minor}"}
    return {**gpu, "processor": machine(), **versions, "cudnn": torch.backends.cudnn.version()}


def keep(report: dict[str, Any], dry: bool) -> None:
    """Write it down after each measurement: what ends this process takes nothing away."""
    places = [Path(os.environ["OUT"])] if "OUT" in os.environ else []
    for folder in places if dry else [RESULTS, *places]:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "gpu.json").write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
