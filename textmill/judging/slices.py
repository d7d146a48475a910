"""Where a model errs: its accuracy in slices of the test documents, with intervals, and its errors as a table."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

import numpy as np
import polars as pl

from textmill.config import Section, like
from textmill.judging import jackknife
from textmill.judging.intervals import half_width, of_documents
from textmill.judging.units import Units, units_of
from textmill.results.slices import Slice, Slices
from textmill.text.encoding import Documents
from textmill.text.pieces import normal

QUARTERS = ("shortest", "shorter", "longer", "longest")
UNKNOWN = {"none": 0.0, "up to 5 %": 0.05, "5 to 10 %": 0.1, "more than 10 %": 1.0}  # highest share of each slice
FORMULA = r"^[=+\-@\t\r]"  # what a spreadsheet would compute


class EvaluateConfig(Section):
    """What the test documents are sliced by."""

    # Accuracy with and without these words of the data's language. One with an apostrophe is also looked for at the end
    # of words, as n't in don't.
    negations: list[Annotated[str, like(r"(?s).*\S.*", "a word")]] = []


def negated(texts: pl.Series, negations: Sequence[str]) -> pl.Series:
    """Whether each text holds one of the words, bool (N,): in lower case, as whole words, whatever the tokenizer."""
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
    """A table of `scoring.predictions` with the columns `negation` (bool) and `unknown` (shares).

    texts: those of the documents, in their order and in parts.
    """
    negation = pl.concat(negated(some, negations) for some in texts)
    facts = pl.DataFrame({"id": documents.ids, "negation": negation, "unknown": documents.data.docs.unknown})
    return table.join(facts, on="id", how="left", maintain_order="left")


def slices(table: pl.DataFrame, alpha: float) -> Slices:
    """Accuracy by length, by negation and by unknown tokens. Each way parts all rows; a slice may have none.

    table: of `with_facts`.
    Each slice has rows, accuracy, the interval of 1 - alpha, and whether it differs from the rest at alpha.
    """
    units = units_of(table["unit"].to_numpy())
    right = (table["label"] == table["prediction"]).to_numpy()
    tokens, negation = table["tokens"].to_numpy(), table["negation"].to_numpy()
    shares = table["unknown"].to_numpy().astype(np.float64).round(6)  # 1 of 20 is 5 %, not a little more
    share = np.searchsorted(list(UNKNOWN.values())[:-1], shares)
    cuts = np.unique(np.quantile(tokens, [0.25, 0.5, 0.75], method="lower"))
    quarter = np.unique(np.searchsorted(cuts, tokens, side="left"), return_inverse=True)[1]
    parts = int(quarter.max()) + 1  # fewer than four where many lengths are equal
    names = QUARTERS if parts == 4 else [f"part {number}" for number in range(1, parts + 1)]
    quarters = [(name, quarter == number) for number, name in enumerate(names)]
    ends = [{"from": int(tokens[held].min()), "to": int(tokens[held].max())} for _, held in quarters]

    def of(name: str, held: np.ndarray, **ends: Any) -> Slice:
        return _slice(name, right, held, alpha, units, **ends)

    return Slices(
        length=[of(name, held, **span) for (name, held), span in zip(quarters, ends, strict=True)],
        negation=[of(name, negation == held) for name, held in (("without", False), ("with", True))],
        unknown=[of(name, share == number) for number, name in enumerate(UNKNOWN)],
    )


def _slice(name: str, right: np.ndarray, held: np.ndarray, alpha: float, units: Units, **ends: Any) -> Slice:
    """right, held: bool (N,), what the model got right, and what is in the slice."""
    rows = int(held.sum())
    if not rows:
        return Slice(slice=name, rows=0, accuracy=None, low=None, high=None, **ends)
    accuracy, inside = float(right[held].mean()), share_without_each(right, held, units)
    low = high = None
    if inside is not None:
        there = np.bincount(units.of[held], minlength=len(units.sizes))
        found = jackknife.variance(inside[there > 0]) + doubt(rows)
        half = half_width(of_documents(found, Units(units.of[held], there[there > 0])), alpha)
        low, high = round(max(0.0, accuracy - half), 6), round(min(1.0, accuracy + half), 6)
    sign = apart(right, held, alpha, units)
    return Slice(slice=name, rows=rows, accuracy=round(accuracy, 6), low=low, high=high, sign=sign, **ends)


def apart(right: np.ndarray, held: np.ndarray, alpha: float, units: Units) -> Literal[-1, 0, 1]:
    """Whether a slice is right less often (-1) or more often (1) than the rest; 0 where that cannot be told.

    The two share no document, but they may share units. A model that is as good everywhere gets a sign with a chance
    of alpha at most.
    """
    inside, outside = (share_without_each(right, side, units) for side in (held, ~held))
    if inside is None or outside is None:
        return 0
    rows = int(held.sum()), int((~held).sum())
    fewer = min((np.bincount(units.of[side], minlength=len(units.sizes)) for side in (held, ~held)), key=np.sum)
    variance = jackknife.variance(inside - outside) + doubt(min(rows))
    half = half_width(of_documents(variance, Units(units.of, fewer[fewer > 0])), alpha)
    difference = float(right[held].mean() - right[~held].mean())
    return 0 if abs(difference) <= half else 1 if difference > 0 else -1


def doubt(rows: int) -> float:
    """The variance that two documents more bring, one right and one wrong: ten of ten are not told as sure."""
    return 2 / (rows + 2) ** 2


def share_without_each(right: np.ndarray, held: np.ndarray, units: Units) -> np.ndarray | None:
    """The share of `held` documents that is right without those of each unit, (G,); None if one unit has them all."""
    rows = np.bincount(units.of, held, len(units.sizes))
    left = held.sum() - rows
    if not left.all():
        return None
    return ((right & held).sum() - np.bincount(units.of, right & held, len(units.sizes))) / left


def wrong(table: pl.DataFrame, texts: pl.DataFrame) -> pl.DataFrame:
    """The errors among `texts` (columns id and text), in their order, for a person's spreadsheet.

    A label or text that a spreadsheet would take for a formula begins with an apostrophe; predictions.parquet, joined
    with the test split, has them as they are.
    """
    rows = texts.join(table.filter(pl.col("label") != pl.col("prediction")), on="id", maintain_order="left")
    return rows.select(*table.columns, "text").with_columns(pl.col(pl.String).str.replace(FORMULA, "'${0}"))
