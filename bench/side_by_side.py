"""Different ways of doing the same work, timed in turn, as ratios."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from textmill.timings import machine

RESULTS = Path("bench/results")


def texts(split: str = "train") -> pl.DataFrame:
    """Returns `text` and `label` of IMDB if TEXTMILL_HUB_MIRROR is set, else of a split by `make repro`; shuffled."""
    mirror = os.environ.get("TEXTMILL_HUB_MIRROR")
    folder = Path(mirror) / "stanfordnlp/imdb/plain_text" if mirror else Path("data/split")
    frame = pl.read_parquet(folder / f"{split}*.parquet", columns=["text", "label"])
    return frame.with_columns(pl.col("label").cast(pl.String)).sample(fraction=1, shuffle=True, seed=0).rechunk()


def side_by_side(
    ours: dict[str, Callable[[], Any]], reference: Callable[[], Any], runs: int = 3, wall: bool = False
) -> list[dict[str, Any]]:
    """Returns a row for each of `ours`, by its name, against one reference: the best of `runs`.

    They take turns, so that a slower phase of the machine affects all. Seconds are CPU seconds of all threads, or wall
    seconds. `spread`: the slowest run divided by the best, for the side where that is larger.
    """
    clock, unit = (time.perf_counter, "wall s") if wall else (time.process_time, "cpu s")
    ways = [*ours.values(), reference]
    seconds: list[list[float]] = [[] for _ in ways]
    for _ in range(runs):
        for way, times in zip(ways, seconds, strict=True):
            start = clock()
            way()
            times.append(clock() - start)
    *mine, theirs = seconds
    spreads = [max(max(times) / min(times) for times in (own, theirs)) for own in mine]
    return [
        row(case, min(own), min(theirs), unit, spread) for case, own, spread in zip(ours, mine, spreads, strict=True)
    ]


def row(case: str, ours: float, reference: float, unit: str, spread: float = 1.0) -> dict[str, Any]:
    """Prints and returns a row of a result. The ratio is the reference divided by ours."""
    found = {
        "case": case,
        "ours": round(ours, 4),
        "reference": round(reference, 4),
        "unit": unit,
        "ratio": round(reference / ours, 2),
        "spread": round(spread, 2),
    }
    print(f"{case:58} {ours:9.3f} {reference:9.3f} {unit:8} {found['ratio']:6.2f}x  (spread {spread:.2f})", flush=True)
    return found


def write(name: str, rows: list[dict[str, Any]]) -> None:
    """Writes the rows to bench/results/NAME.json, with the machine that they were measured on."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps([{**row, "machine": machine()} for row in rows], indent=2) + "\n")
