"""Where a model errs: its accuracy in groups of test documents, each with an interval, and its errors as a table."""

from collections.abc import Iterable, Sequence
from typing import Annotated

import numpy as np
import polars as pl

from textmill.config import Section, like
from textmill.results.groups import Group, Groups
from textmill.text.encoding import Documents
from textmill.text.pieces import normal

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


def with_facts(
    table: pl.DataFrame, documents: Documents, texts: Iterable[pl.Series], negations: Sequence[str]
) -> pl.DataFrame:
    """A table of `scoring.predictions` with the columns `negation` (bool) and `unknown` (shares).

    texts: those of the documents, in their order and in parts.
    """
    negation = pl.concat(negated(some, negations) for some in texts)
    facts = pl.DataFrame({"id": documents.ids, "negation": negation, "unknown": documents.data.docs.unknown})
    return table.join(facts, on="id", how="left", maintain_order="left")


def groups(table: pl.DataFrame, alpha: float) -> Groups:
    """Accuracy by length, by negation and by unknown tokens. Each way parts all rows; a group may have none.

    table: of `with_facts`.
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
    quarters = [(name, quarter == number) for number, name in enumerate(names)]
    ends = [{"from": int(tokens[held].min()), "to": int(tokens[held].max())} for _, held in quarters]
    return Groups(
        length=[_group(name, right[held], alpha, **of) for (name, held), of in zip(quarters, ends, strict=True)],
        negation=[_group(name, right[negation == held], alpha) for name, held in (("without", False), ("with", True))],
        unknown=[_group(name, right[share == number], alpha) for number, name in enumerate(UNKNOWN)],
    )


def _group(name: str, right: np.ndarray, alpha: float, **ends: int) -> Group:
    if not len(right):
        return Group(group=name, rows=0, accuracy=None, low=None, high=None, **ends)
    ends_of_share = wilson(int(right.sum()), len(right), alpha)
    accuracy, low, high = (round(float(share), 6) for share in (right.mean(), *ends_of_share))
    return Group(group=name, rows=len(right), accuracy=accuracy, low=low, high=high, **ends)


def wilson(right: int, rows: int, alpha: float) -> tuple[float, float]:
    """Score interval of 1 - alpha for a share of `right` in `rows` (Wilson 1927): honest in small groups too."""
    from scipy.stats import binomtest

    low, high = binomtest(right, rows).proportion_ci(1 - alpha, method="wilson")
    return low, high


def unlike(hits: int, rows: int, others: int, others_rows: int) -> float:
    """Two-sided p-value that two groups of documents have the same share of hits (Fisher's exact test).

    The two must share no document: a group is to be compared with the rest, and not with the whole that it is part of.
    """
    from scipy.stats import fisher_exact

    return float(fisher_exact([[hits, rows - hits], [others, others_rows - others]]).pvalue)


def wrong(table: pl.DataFrame, texts: pl.DataFrame) -> pl.DataFrame:
    """The errors among `texts` (columns id and text), in their order, for a person's spreadsheet.

    A label or text that a spreadsheet would take for a formula begins with an apostrophe; predictions.parquet, joined
    with the test split, has them as they are.
    """
    rows = texts.join(table.filter(pl.col("label") != pl.col("prediction")), on="id", maintain_order="left")
    return rows.select(*table.columns, "text").with_columns(pl.col(pl.String).str.replace(FORMULA, "'${0}"))
