"""The data in numbers, for every split: what the notebooks' first cells show."""

from typing import Any

import numpy as np
import polars as pl

from textmill.console import counted, few
from textmill.records.data import Ids, Split
from textmill.rows.splits import SPLITS, among

UNKNOWN = 0.3  # share of unknown tokens above which a model can hardly read a split; English words have 0.01 to 0.1
PERCENTILES = (5, 25, 50, 75, 90, 95, 99, 100)


def lengths(counts: np.ndarray) -> dict[str, Any]:
    """Returns mean, percentiles and a 20-bin histogram (its last bin has all from the 99th percentile) of int (N,)."""
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


def encoded(counts: np.ndarray, unknown: int) -> dict[str, Any]:
    """Returns a split's number of tokens, the share of unknown ones, and the lengths of its documents, int (N,)."""
    tokens = int(counts.sum())
    return {"tokens": tokens, "unknown": round(unknown / max(tokens, 1), 5), "lengths": lengths(counts)}


def unread(tokenizer: str, kind: str, validation: Ids) -> list[str]:
    """Returns what a user should know about a tokenizer with this name and kind, in lines."""
    if validation.unknown <= UNKNOWN:
        return []
    advice = {
        "word": f"if their language has no spaces, set tokenizers.{tokenizer}.kind: char, or its pattern: any-script",
        "char": f"raise tokenizers.{tokenizer}.max_size, or lower its min_freq",
    }.get(kind, f"is tokenizers.{tokenizer} made for this language?")
    return [f"{validation.unknown:.0%} of validation's tokens are unknown to {tokenizer}; {advice}"]


def profile(docs: pl.DataFrame, sides: pl.Series, labels: list[str]) -> dict[str, Any]:
    """Returns each split's rows, labels, lengths in words and duplicates, and overlaps of texts and groups.

    docs: a `splits.outline`; sides: from `splits.split`, null for documents that are left out. Uses sorted arrays,
    which take less memory than hash tables.
    """
    names = (*SPLITS, "unlabelled")
    texts = {name: np.sort(docs["text"].filter(sides == name).to_numpy()) for name in names}
    distinct = {name: _distinct(keys) for name, keys in texts.items()}
    labelled = docs.select("text", "label").filter(sides.is_not_null())
    of_label = [_distinct(np.sort(labelled["text"].filter(labelled["label"] == label).to_numpy())) for label in labels]
    pairs = [(a, b) for i, a in enumerate(SPLITS) for b in SPLITS[i + 1 :]]
    _, classes = np.unique(np.concatenate(of_label), return_counts=True)
    return {
        "splits": {
            name: {
                "rows": len(texts[name]),
                "labels": {label: int(((docs["label"] == label) & (sides == name)).sum()) for label in labels},
                "duplicates": len(texts[name]) - len(distinct[name]),
                "words": lengths(docs["words"].filter(sides == name).to_numpy()),
            }
            for name in names
        },
        "overlap": {f"{a}-{b}": int(among(texts[b], distinct[a]).sum()) for a, b in pairs},
        "conflicts": int((classes > 1).sum()),
        "shared_groups": {f"{a}-{b}": _shared(docs["group"], sides, a, b) for a, b in pairs},
    }


def _shared(groups: pl.Series, sides: pl.Series, a: str, b: str) -> int:
    """Returns how many documents of `b` are in a group that also has documents in `a`."""
    return int((groups.is_in(groups.filter(sides == a).drop_nulls().implode()) & (sides == b)).sum())


def lines(split: Split) -> list[str]:
    """Returns what a user should know about a split, in lines."""
    lines = [", ".join(f"{name} {part.rows:,}" for name, part in split.splits.items())]
    if any(split.left_out.values()):
        lines.append("left out by split.sizes: " + ", ".join(f"{name} {n:,}" for name, n in split.left_out.items()))
    if any(split.twins.values()):
        some = ", ".join(f"{name} {n:,}" for name, n in split.twins.items())
        lines.append(f"left out by split.twins (equal or nearly equal to a test text): {some}")
    for pair, rows in split.overlap.items():
        if rows:
            a, b = pair.split("-")
            lines.append(counted(rows, f"document of {b} is", f"documents of {b} are") + f" also in {a}")
    for pair, rows in split.near.items():
        if rows:
            a, b = pair.split("-")
            drawn = f" of {split.near_drawn[b]:,} drawn" if b in split.near_drawn else ""
            nearly = "has a near copy" if rows == 1 else "have near copies"
            of = f"{rows:,}{drawn} documents" if drawn else counted(rows, "document", "documents")
            lines.append(f"{of} of {b} {nearly} in {a} (few words differ, if any): expect lower scores on new texts")
    for pair, rows in split.shared_groups.items():
        a, b = pair.split("-")
        if a == "train" and rows:
            of = f"{rows:,} of {split.splits[b].rows:,} documents of {b}"
            lines.append(f"{of} are in a group that {a} also has; split.by: group keeps groups together")
    if split.conflicts:
        some = counted(split.conflicts, "text has", "texts have")
        lines.append(f"{some} more than one label: no model can get all of these right")
    for name in ("validation", "test"):
        if absent := split.splits[name].absent:
            lines.append(f"{name} has no document of {few(absent)}: its macro averages cover only the classes it has")
    if split.unlabelled_in_test:
        lines.append(f"{split.unlabelled_in_test:,} unlabelled documents left out, because their texts are in test")
    return lines


def _distinct(keys: np.ndarray) -> np.ndarray:
    """Returns the distinct ones of sorted keys. (np.unique would hash them, which takes ten times as long.)"""
    return keys[np.append(keys[:1] == keys[:1], keys[1:] != keys[:-1])]
