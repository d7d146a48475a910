"""Where a model errs: its accuracy in groups of test documents, each with an interval, and its errors as a table."""

from collections.abc import Sequence
from statistics import NormalDist
from typing import Annotated, Any

import numpy as np
import polars as pl

from textmill.config import Section, like
from textmill.text.ragged import UNK, Ragged
from textmill.tokenizers.pieces import normal

QUARTERS = ("shortest", "shorter", "longer", "longest")
UNKNOWN = {"none": 0.0, "up to 5 %": 0.05, "5 to 10 %": 0.1, "more than 10 %": 1.0}  # highest share of each group
FORMULA = r"^[=+\-@\t\r]"  # what a spreadsheet would compute


class EvaluateConfig(Section):
    """What the test documents are grouped by."""

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


def unknown(docs: Ragged) -> np.ndarray:
    """Share of each document's tokens that are outside the vocabulary, float32 (N,)."""
    return (np.add.reduceat(docs.ids == UNK, docs.offsets[:-1], dtype=np.int64) / docs.lengths).astype(np.float32)


def groups(table: pl.DataFrame, alpha: float) -> dict[str, list[dict[str, Any]]]:
    """Accuracy by length, by negation and by unknown tokens. Each way parts all rows; a group may have none.

    table: `scoring.predictions` with the columns `negation` (bool) and `unknown` (shares of `unknown`).
    Each group has rows, accuracy, and the low and high end of its Wilson interval of 1 - alpha.
    """
    right = (table["label"] == table["prediction"]).to_numpy()
    tokens, negation = table["tokens"].to_numpy(), table["negation"].to_numpy()
    shares = table["unknown"].to_numpy().astype(np.float64).round(6)  # 1 of 20 is 5 %, not a little more
    share = np.searchsorted(list(UNKNOWN.values())[:-1], shares)
    cuts = np.unique(np.quantile(tokens, [0.25, 0.5, 0.75], method="lower"))
    quarter = np.unique(np.searchsorted(cuts, tokens, side="left"), return_inverse=True)[1]
    parts = int(quarter.max()) + 1  # fewer than four where many lengths are equal
    names = QUARTERS if parts == 4 else [f"part {number}" for number in range(1, parts + 1)]
    lengths = [_group(name, right[quarter == number], alpha) for number, name in enumerate(names)]
    for number, group in enumerate(lengths):
        group |= {"from": int(tokens[quarter == number].min()), "to": int(tokens[quarter == number].max())}
    return {
        "length": lengths,
        "negation": [
            _group(name, right[negation == held], alpha) for name, held in (("without", False), ("with", True))
        ],
        "unknown": [_group(name, right[share == number], alpha) for number, name in enumerate(UNKNOWN)],
    }


def _group(name: str, right: np.ndarray, alpha: float) -> dict[str, Any]:
    if not len(right):
        return {"group": name, "rows": 0, "accuracy": None, "low": None, "high": None}
    low, high = wilson(int(right.sum()), len(right), alpha)
    accuracy = round(float(right.mean()), 6)
    return {"group": name, "rows": len(right), "accuracy": accuracy, "low": round(low, 6), "high": round(high, 6)}


def wilson(right: int, rows: int, alpha: float) -> tuple[float, float]:
    """Score interval of 1 - alpha for a share of `right` in `rows` (Wilson 1927): honest in small groups too."""
    z = NormalDist().inv_cdf(1 - alpha / 2)
    share, scale = right / rows, 1 + z**2 / rows
    centre = (share + z**2 / (2 * rows)) / scale
    reach = z / scale * (share * (1 - share) / rows + (z / (2 * rows)) ** 2) ** 0.5
    return max(centre - reach, 0.0), min(centre + reach, 1.0)


def wrong(table: pl.DataFrame, texts: pl.DataFrame) -> pl.DataFrame:
    """The errors among `texts` (columns id and text), in their order, for a person's spreadsheet.

    A label or text that a spreadsheet would take for a formula begins with an apostrophe; predictions.parquet, joined
    with the test split, has them as they are.
    """
    rows = texts.join(table.filter(pl.col("label") != pl.col("prediction")), on="id", maintain_order="left")
    return rows.select(*table.columns, "text").with_columns(pl.col(pl.String).str.replace(FORMULA, "'${0}"))
