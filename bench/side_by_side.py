"""Two ways of the same work, timed in turn, told as a ratio."""

import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

RESULTS = Path("bench/results")


def texts() -> tuple[pl.Series, pl.Series]:
    """Training texts and labels: IMDB if TEXTMILL_HUB_MIRROR is set, else the split that `make repro` made."""
    mirror = os.environ.get("TEXTMILL_HUB_MIRROR")
    frame = pl.read_parquet(
        Path(mirror) / "stanfordnlp/imdb/plain_text/train-*.parquet" if mirror else "data/split/train.parquet"
    )
    frame = frame.sample(fraction=1, shuffle=True, seed=0)
    return frame["text"], frame["label"].cast(pl.String)


def side_by_side(case: str, ours: Callable[[], Any], reference: Callable[[], Any], runs: int = 3) -> dict[str, Any]:
    """CPU seconds of both sides, best of `runs`; a machine that slows down slows both, for they take turns."""
    seconds: dict[str, list[float]] = {"ours": [], "reference": []}
    for _ in range(runs):
        for side, work in (("ours", ours), ("reference", reference)):
            start = time.process_time()
            work()
            seconds[side].append(time.process_time() - start)
    best = {side: round(min(times), 3) for side, times in seconds.items()}
    spread = {f"{side}_spread": round(max(times) / min(times), 2) for side, times in seconds.items()}
    row = {"case": case, **best, "unit": "cpu s", "ratio": round(best["reference"] / best["ours"], 2), **spread}
    print(f"{case}: {best['ours']:.2f} s against {best['reference']:.2f} s: {row['ratio']}x")
    return row


def write(name: str, rows: list[dict[str, Any]]) -> None:
    """Keep the rows in bench/results/NAME.json, with the machine they are of."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    (RESULTS / f"{name}.json").write_text(json.dumps([{**row, "machine": machine} for row in rows], indent=2) + "\n")
