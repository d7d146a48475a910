"""Where a model errs: its accuracy in slices of the test documents, with intervals, and its errors as a table."""

from collections.abc import Iterable, Mapping, Sequence
from math import isclose
from typing import Any, Literal, NamedTuple

import numpy as np
import polars as pl

from textmill.judging import jackknife
from textmill.judging.intervals import half_width, of_documents, p_value
from textmill.judging.units import Units, units_of
from textmill.records.slices import Slice, Slices
from textmill.text.encoding import Documents
from textmill.text.pieces import normal

QUARTERS = ("shortest", "shorter", "longer", "longest")
UNKNOWN = {"none": 0.0, "up to 5 %": 0.05, "5 to 10 %": 0.1, "more than 10 %": 1.0}  # highest share of each slice
VALUES = 15  # of a column that get a slice of their own
LONG = 40  # characters of a value to show
EMPTY = "(empty)"
FORMULA = r"^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"  # what a spreadsheet evaluates; the last four are full-width


def negated(texts: pl.Series, negations: Sequence[str]) -> pl.Series:
    """Returns which texts contain one of the words, bool (N,): in lower case, as whole words, for any tokenizer."""
    if not negations:
        return pl.repeat(False, len(texts), eager=True)
    words = [pl.escape_regex(_plain(pl.Series([word]))[0].strip()) for word in negations]
    choices = "|".join(rf"\w*{word}" if "'" in word else word for word in words)
    return _plain(texts).str.contains(rf"\b(?:{choices})\b")


def _plain(texts: pl.Series) -> pl.Series:
    return normal(texts.fill_null(""), lowercase=True).str.replace_all("\N{RIGHT SINGLE QUOTATION MARK}", "'")


def with_facts(
    table: pl.DataFrame, documents: Documents, texts: Iterable[pl.Series], negations: Sequence[str]
) -> pl.DataFrame:
    """Returns a table of `scoring.predictions` with the columns `negation` (bool) and `unknown` (shares).

    texts: of the documents, in order and in parts.
    """
    negation = pl.concat(negated(some, negations) for some in texts)
    facts = pl.DataFrame({"id": documents.ids, "negation": negation, "unknown": documents.data.docs.unknown})
    return table.join(facts, on="id", how="left", maintain_order="left")


class Criterion(NamedTuple):
    """One criterion for slicing: its parts by name, bool (N,) each, and further facts for each part."""

    parts: list[tuple[str, np.ndarray]]
    facts: list[dict[str, int]] | None = None


def slices(table: pl.DataFrame, alpha: float, columns: pl.DataFrame | None = None) -> Slices:
    """Returns accuracy by length, negation, unknown tokens and columns of the data. Slices may be empty.

    table: from `with_facts`. columns: the values of each row, strings or null. Each slice has rows, accuracy, the
    interval of 1 - alpha, and whether it differs from the rest. These verdicts hold jointly with probability 1 - alpha
    (Holm 1979).
    """
    units = units_of(table["unit"].to_numpy())
    right = (table["label"] == table["prediction"]).to_numpy()
    criteria = {"length": _by_length(table["tokens"].to_numpy()), **_by_kind(table)}
    own = {} if columns is None else {name: f"column {name}" for name in columns.columns}
    criteria |= {key: _by_value(columns[name]) for name, key in own.items()} if columns is not None else {}
    judged = {key: [contrast(right, held, units) for _, held in criterion.parts] for key, criterion in criteria.items()}
    signs = holm(judged, alpha)
    found = {
        key: [
            _slice(name, right, held, alpha, units, sign, **facts)
            for (name, held), sign, facts in zip(
                criterion.parts, signs[key], criterion.facts or [{}] * len(criterion.parts), strict=True
            )
        ]
        for key, criterion in criteria.items()
    }
    return Slices(
        length=found["length"],
        negation=found["negation"],
        unknown=found["unknown"],
        columns={name: found[key] for name, key in own.items()},
    )


def _by_length(tokens: np.ndarray) -> Criterion:
    cuts = np.unique(np.quantile(tokens, [0.25, 0.5, 0.75], method="lower"))
    quarter = np.unique(np.searchsorted(cuts, tokens, side="left"), return_inverse=True)[1]
    count = int(quarter.max()) + 1  # fewer than four if many lengths are equal
    names = QUARTERS if count == 4 else [f"part {number}" for number in range(1, count + 1)]
    parts = [(name, quarter == number) for number, name in enumerate(names)]
    return Criterion(parts, [{"from": int(tokens[held].min()), "to": int(tokens[held].max())} for _, held in parts])


def _by_kind(table: pl.DataFrame) -> dict[str, Criterion]:
    negation = table["negation"].to_numpy()
    shares = table["unknown"].to_numpy().astype(np.float64).round(6)  # so that 1 of 20 is 5 %, not a little more
    share = np.searchsorted(list(UNKNOWN.values())[:-1], shares)
    return {
        "negation": Criterion([(name, negation == held) for name, held in (("without", False), ("with", True))]),
        "unknown": Criterion([(name, share == number) for number, name in enumerate(UNKNOWN)]),
    }


def _by_value(values: pl.Series) -> Criterion:
    """Returns slices for the most frequent values (ties in alphabetical order), and one for the others."""
    values = values.str.strip_chars().fill_null("")
    counts = values.value_counts(name="rows").sort(["rows", values.name], descending=[True, False])[values.name]
    largest = counts.head(VALUES if len(counts) > VALUES + 1 else len(counts))
    parts = [(value[:LONG] or EMPTY, (values == value).to_numpy()) for value in largest]
    if len(largest) < len(counts):
        parts.append((f"{len(counts) - len(largest):,} others", (~values.is_in(largest.implode())).to_numpy()))
    return Criterion(parts)


def _slice(
    name: str, right: np.ndarray, held: np.ndarray, alpha: float, units: Units, sign: Literal[-1, 0, 1], **facts: Any
) -> Slice:
    """Returns a slice. right, held: bool (N,), which documents are correct, and which are in the slice."""
    rows = int(held.sum())
    if not rows:
        return Slice(slice=name, rows=0, accuracy=None, low=None, high=None, **facts)
    accuracy, inside = float(right[held].mean()), share_without_each(right, held, units)
    low = high = None
    if inside is not None:
        there = np.bincount(units.of[held], minlength=len(units.sizes))
        found = jackknife.variance(inside[there > 0]) + added_variance(rows)
        half = half_width(of_documents(found, Units(units.of[held], there[there > 0])), alpha)
        low, high = round(max(0.0, accuracy - half), 6), round(min(1.0, accuracy + half), 6)
    return Slice(slice=name, rows=rows, accuracy=round(accuracy, 6), low=low, high=high, sign=sign, **facts)


class Contrast(NamedTuple):
    """How far a slice is from the rest: the difference of their accuracies, and its p-value."""

    difference: float
    p: float


def contrast(right: np.ndarray, held: np.ndarray, units: Units) -> Contrast | None:
    """Returns whether a slice's accuracy differs from that of the rest; None if it cannot be tested.

    The two share no documents, but may share units. For a model that is equally good everywhere, p is below alpha with
    a chance of at most alpha.
    """
    inside, outside = (share_without_each(right, side, units) for side in (held, ~held))
    if inside is None or outside is None:
        return None
    rows = int(held.sum()), int((~held).sum())
    fewer = min((np.bincount(units.of[side], minlength=len(units.sizes)) for side in (held, ~held)), key=np.sum)
    variance = jackknife.variance(inside - outside) + added_variance(min(rows))
    difference = float(right[held].mean() - right[~held].mean())
    return Contrast(difference, p_value(difference, of_documents(variance, Units(units.of, fewer[fewer > 0]))))


def holm(judged: Mapping[str, Sequence[Contrast | None]], alpha: float) -> dict[str, list[Literal[-1, 0, 1]]]:
    """Returns the sign of each slice, by criterion. All signs together are wrong with a chance of at most alpha.

    If there are two slices, each is the other's rest, so they are tested once. Source: Holm 1979, the step-down form of
    Bonferroni's correction.
    """
    asked = sorted(one.p for found in judged.values() for one in _questions(found))
    level = -1.0  # p-values up to here are significant
    for number, p in enumerate(asked):
        if p > alpha / (len(asked) - number):
            break
        level = p
    return {key: [_sign(one, level) for one in found] for key, found in judged.items()}


def _questions(found: Sequence[Contrast | None]) -> list[Contrast]:
    known = [one for one in found if one is not None]
    rest = len(known) == 2 and isclose(known[0].difference, -known[1].difference)
    return known[:1] if rest else known


def _sign(one: Contrast | None, level: float) -> Literal[-1, 0, 1]:
    if one is None or one.p > level or not one.difference:
        return 0
    return 1 if one.difference > 0 else -1


def added_variance(rows: int) -> float:
    """Returns the variance from two added documents, one correct and one wrong, so that 10 of 10 is not certain."""
    return 2 / (rows + 2) ** 2


def share_without_each(right: np.ndarray, held: np.ndarray, units: Units) -> np.ndarray | None:
    """Returns the accuracy in `held` without each unit's documents, (G,); None if one unit has them all."""
    rows = np.bincount(units.of, held, len(units.sizes))
    left = held.sum() - rows
    if not left.all():
        return None
    return ((right & held).sum() - np.bincount(units.of, right & held, len(units.sizes))) / left


def wrong(table: pl.DataFrame, texts: pl.DataFrame) -> pl.DataFrame:
    """Returns the errors among `texts` (columns id and text), in order, for a spreadsheet.

    Labels and texts that a spreadsheet would evaluate as a formula get an apostrophe in front. predictions.parquet,
    joined with the test split, has them unchanged.
    """
    rows = texts.join(table.filter(pl.col("label") != pl.col("prediction")), on="id", maintain_order="left")
    return rows.select(*table.columns, "text").with_columns(pl.col(pl.String).str.replace(FORMULA, "'${0}"))
