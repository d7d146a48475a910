"""Models, seeds and scores in one table, for Python and notebooks."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textmill import timings
from textmill.records.comparison import Comparison, Entry
from textmill.records.fit import Fit
from textmill.records.scores import Scores

if TYPE_CHECKING:
    import polars as pl

ENDS = ("mean", "low", "high", "sd")


def frame(compared: Path, scored: Path) -> "pl.DataFrame":
    """Returns a row for each model and seed, best model on validation first, for each ensemble, and for guessing.

    Test scores are that seed's own. `METRIC_mean` and `_sd` are the model's, over its seeds; `_low` and `_high` are the
    ends of the interval of that mean. METRIC is what models are compared by. Ensembles and guessing have no seed; their
    scores are the mean. `shipped` is true for the seed that a model ships, `champion` for the model.
    compared: comparison.json; scored: the folder of each model's results. Raises ArtifactError if one is missing.
    """
    import polars as pl

    found = Comparison.read(compared)
    rows = [row for entry in found.models for row in _rows(entry, found, scored)]
    guess = {name: value for name, value in found.baseline.scores.items() if value is not None}
    rows.append({"model": f"always {found.baseline.label}", "champion": False, **guess})
    table = pl.DataFrame(rows, infer_schema_length=None)
    first = ["model", "seed", "shipped", "champion", *(f"{found.metric}_{end}" for end in ENDS)]
    unknown = pl.selectors.by_dtype(pl.Null).cast(pl.Float64)
    return table.select(*first, pl.exclude(first)).with_columns(unknown)


def _rows(entry: Entry, found: Comparison, scored: Path) -> Iterator[dict[str, Any]]:
    model: dict[str, Any] = {"model": entry.name, "family": entry.family, "tokenizer": entry.tokenizer}
    model |= {"champion": entry.name == found.champion, "parameters": entry.parameters}
    mean = (entry.score, entry.low, entry.high, entry.sd)
    of_all = {f"{found.metric}_{end}": value for end, value in zip(ENDS, mean, strict=True)}
    if entry.members:
        chosen = {f"validation_{found.metric}": entry.validation}
        yield {**model, "seed": None, "shipped": None, **chosen, **entry.scores, **of_all, "train_seconds": None}
        return
    fit, scores = Fit.read(scored / entry.name / Fit.FILE), Scores.read(scored / entry.name / Scores.FILE)
    seconds = timings.recorded(scored / entry.name, fit.weights).train_seconds
    for one in fit.seeds:
        chosen = {f"validation_{name}": value for name, value in one.validation.model_dump().items()}
        own = {"seed": one.seed, "shipped": one.seed == fit.seed, **chosen, **scores.of(one.seed)}
        yield {**model, **own, **of_all, "train_seconds": seconds}
