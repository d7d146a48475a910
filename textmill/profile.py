"""What the data looks like, in numbers: the notebooks' first cells, for every split."""

from typing import Any

import numpy as np
import polars as pl

from textmill.splits import SPLITS

PERCENTILES = (5, 25, 50, 75, 95, 99, 100)


def lengths(counts: np.ndarray) -> dict[str, Any]:
    """Mean, percentiles and a 20-bin histogram (up to the 99th percentile; the rest in the last bin) of int (N,)."""
    if not len(counts):
        return {"mean": 0, "percentiles": {}, "histogram": {"edges": [], "counts": []}}
    top = max(int(np.percentile(counts, 99)), 20)
    edges = np.linspace(0, top, 21).round().astype(int)
    bars, _ = np.histogram(np.minimum(counts, top), edges)
    return {
        "mean": round(float(np.mean(counts)), 1),
        "percentiles": {str(p): int(np.percentile(counts, p, method="lower")) for p in PERCENTILES},
        "histogram": {"edges": edges.tolist(), "counts": bars.tolist()},
    }


def profile(docs: pl.DataFrame, sides: pl.Series, labels: list[str]) -> dict[str, Any]:
    """Rows, labels, lengths in words, duplicates in each split, and the overlap between splits.

    docs: a `splits.outline`; sides: what `splits.split` makes of it.
    """
    parts = {name: docs.filter(sides == name) for name in (*SPLITS, "unlabelled")}
    texts = {name: part["text"].unique() for name, part in parts.items()}
    pairs = [(a, b) for i, a in enumerate(SPLITS) for b in SPLITS[i + 1 :]] + [("unlabelled", "test")]
    conflicts = docs.select("text", "label").drop_nulls().unique().group_by("text").len().filter(pl.col("len") > 1)
    return {
        "splits": {
            name: {
                "rows": len(part),
                "labels": {label: int((part["label"] == label).sum()) for label in labels},
                "duplicates": len(part) - len(texts[name]),
                "words": lengths(part["words"].to_numpy()),
            }
            for name, part in parts.items()
        },
        "overlap": {f"{a}-{b}": int(parts[b]["text"].is_in(texts[a].implode()).sum()) for a, b in pairs},
        "conflicts": len(conflicts),
    }
