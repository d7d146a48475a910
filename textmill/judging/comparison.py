"""Which model is better, and how sure that is: intervals, paired tests and the choice of a champion.

All models are judged on the same resamples of the same test documents, so that luck with a document helps none of them.
A model trained with several seeds is judged by the mean over them, and the luck of its seeds is resampled, too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from textmill.config import Alpha, Name, Section
from textmill.errors import ArtifactError, ParamsError
from textmill.judging.metrics import METRICS, mean_scores, score, tallies
from textmill.results.comparison import Baseline, Comparison, Entry, Pair
from textmill.results.outcome import PREDICTIONS, Outcome
from textmill.results.scores import Scores

CELLS = 2_000_000  # documents x resamples held at once: 40 MB
TOLD = (*METRICS, "log_loss", "roc_auc", "calibration_error")
ENSEMBLE = "ensemble"  # their family
Ensembles = dict[Name, Annotated[list[str], Field(min_length=2)]]  # the models whose probabilities each averages

if TYPE_CHECKING:  # a checker cannot read METRICS
    MetricName = str
else:
    MetricName = Literal[tuple(METRICS)]


class CompareConfig(Section):
    """How models are compared."""

    metric: MetricName = "accuracy"  # what models are compared by
    bootstrap: Annotated[int, Field(ge=100, le=1_000_000)] = 2000  # resamples behind each interval
    alpha: Alpha  # of a test; an interval holds 1 - alpha
    ensembles: Ensembles = {}  # {both: [lstm, gru]}: the mean of their probabilities
    # Models whose score is measured on parts of train, too, which tells what more labels would bring: 21 fits, as much
    # work as six; null: those of family linear, which take seconds.
    curves: Annotated[list[Name], Field(max_length=100)] | None = None

    def wants_curve(self, name: str, family: str) -> bool:
        """Whether a model is one of `curves`."""
        return family == "linear" if self.curves is None else name in self.curves


@dataclass(frozen=True)
class Evaluated:
    """What is judged of a model, or of an ensemble, whose folder is its first member's."""

    folder: Path  # of its predictions
    family: str
    tokenizer: str
    parameters: int
    validation: Mapping[str, float]  # every metric and log_loss, means over seeds
    test: Mapping[str, float | None]  # the headline scores, means over seeds
    labels: Sequence[str]
    ids: NDArray[Any]  # (N,) str, of the test split
    actual: NDArray[Any]  # (N,) str
    predicted: Mapping[int, NDArray[Any]]  # seed -> (N,) str


def evaluated(model: Outcome) -> Evaluated:
    """A model from what train and evaluate told about it."""
    fit, labels, tables = model.fit, model.scores.labels, model.tests(["id", "label", "prediction"])
    ids, actual = (tables[fit.seed][column].to_numpy() for column in ("id", "label"))
    chosen = model.validation(["label", "prediction"]).values()
    validation = mean_scores([(each["label"].to_numpy(), each["prediction"].to_numpy()) for each in chosen], labels)
    return Evaluated(
        model.folder,
        fit.family,
        fit.tokenizer,
        fit.parameters,
        validation | {"log_loss": fit.validation.log_loss},
        model.scores.mean,
        labels,
        ids,
        actual,
        {seed: table["prediction"].to_numpy() for seed, table in tables.items()},
    )


def resample(metric: str, parts: Sequence[NDArray[np.float32]], times: int, seed: int) -> list[NDArray[np.float64]]:
    """Bootstrap scores of each model, all on the same resamples of the documents.

    parts: the `tallies` of each model, (N, ..., 3, K). Gives (times, ...) of each, which does not depend on the others.
    """
    rows, random = len(parts[0]), np.random.default_rng(seed)
    chunks, chunk = [], max(1, CELLS // rows)
    for start in range(0, times, chunk):
        draws = (random.integers(rows, size=rows) for _ in range(min(chunk, times - start)))
        counts = np.stack([np.bincount(draw, minlength=rows) for draw in draws]).astype(np.float32)  # (chunk, N)
        chunks.append([score(metric, np.tensordot(counts, each, axes=1)) for each in parts])  # (chunk, ...) each
    return [np.concatenate(of_model) for of_model in zip(*chunks, strict=True)]


def resample_seeds(scores: NDArray[np.float64], name: str, seed: int) -> NDArray[np.float64]:
    """Mean scores (times,) of resampled seeds, from (times, S); of one seed, its scores as they are.

    Each resample draws S - 1 of the S seeds with replacement, so that the variance of their mean is that of the theory
    (Rao & Wu 1988); S draws would make it too small by a factor of (S - 1) / S, a half for two seeds. The draws of one
    model (`name`) are independent of those of another: nothing makes a pair of their seeds.
    """
    times, seeds = scores.shape
    if seeds == 1:
        return scores[:, 0]
    draws = np.random.default_rng([seed, crc32(name.encode())]).integers(seeds, size=(times, seeds - 1))
    return np.take_along_axis(scores, draws, axis=1).mean(1)


def interval(resampled: NDArray[np.float64], estimate: float, alpha: float) -> dict[str, float]:
    """Percentile interval {"low", "high"}, widened to hold the estimate (rare classes can push it out)."""
    low, high = np.quantile(resampled, [alpha / 2, 1 - alpha / 2])
    return {"low": round(min(float(low), estimate), 6), "high": round(max(float(high), estimate), 6)}


def mcnemar(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Exact two-sided p-value that two classifiers err equally often.

    a, b: (N,), True where the prediction was right, same row order. Source: McNemar 1947; Dietterich 1998.
    """
    from scipy.special import bdtr

    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    return min(1.0, 2 * float(bdtr(min(only_a, only_b), only_a + only_b, 0.5)))


def bootstrap_p(differences: NDArray[np.float64]) -> float:
    """Two-sided p-value that a resampled difference is 0, at least 2 / (times + 1). Source: Davison & Hinkley 1997."""
    tail = min((differences <= 0).sum(), (differences >= 0).sum())
    return min(1.0, 2 * (1 + int(tail)) / (len(differences) + 1))


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """p-values (P,), corrected for having looked at all of them. Source: Holm 1979."""
    p = np.asarray(p, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return corrected


def ranking(models: Mapping[str, Evaluated], metric: str) -> list[str]:
    """Names, best validation first; between equals the lower log-loss, then the smaller model, then the name."""

    def key(name: str) -> tuple[float, float, int, str]:
        model = models[name]
        return -model.validation[metric], model.validation["log_loss"], model.parameters, name

    return sorted(models, key=key)


def check_aligned(models: Mapping[str, Evaluated]) -> None:
    """Raises ArtifactError unless all models scored the same documents, with the same labels, in the same order."""
    (first, one), *others = models.items()
    for name, other in others:
        again = f"run `dvc repro -f evaluate@{first} evaluate@{name}`"
        if list(other.labels) != list(one.labels):
            raise ArtifactError(f"{other.folder / Scores.FILE}: labels are not those of {first}; {again}")
        both = (zip(model.ids, model.actual, strict=True) for model in (one, other))
        for row, (expected, found) in enumerate(zip_longest(*both, fillvalue=("nothing", "no label")), 1):
            if expected != found:
                what = f"{found[0]} ({found[1]}), where {first} has {expected[0]} ({expected[1]})"
                raise ArtifactError(f"{other.folder / PREDICTIONS}, row {row}: {what}; {again}")


def compare(
    config: CompareConfig, seed: int, dataset: str, train_labels: Mapping[str, int], models: Mapping[str, Evaluated]
) -> Comparison:
    """The content of comparison.json: models (best validation first), pairs, champion and majority baseline.

    train_labels: documents of each class in the training split. models: ensembles (by their family), too; the champion
    is the best of the others, for it is one bundle to ship.
    The p of a pair is McNemar's where both were trained once and the metric is accuracy: the test is about two single
    sets of predictions. Otherwise it is that of the paired bootstrap. `test` says which.
    Raises ArtifactError if the models scored different documents, ParamsError if the resamples are too few to decide.
    """
    check_aligned(models)
    names = ranking(models, config.metric)
    labels, actual = list(models[names[0]].labels), models[names[0]].actual
    judged = judge(config, seed, {name: models[name] for name in names})
    majority = max(labels, key=lambda label: train_labels.get(label, 0))
    there = set(actual)
    absent = [label for label in labels if label not in there]
    guesses = tallies(actual, np.full(len(actual), majority, dtype=object), labels)  # (N, 3, K)
    baseline = {name: round(float(score(name, guesses.sum(0))), 6) for name in METRICS}
    (resampled,) = resample(config.metric, [guesses], config.bootstrap, seed)
    gains = [
        interval(one.resampled - resampled, one.estimate - baseline[config.metric], config.alpha) for one in judged
    ]
    return Comparison(
        dataset=dataset,
        metric=config.metric,
        rows=len(actual),
        labels=labels,
        **({"absent": absent} if absent else {}),
        alpha=config.alpha,
        bootstrap=config.bootstrap,
        champion=next(name for name in names if models[name].family != ENSEMBLE),
        champion_by=f"validation {config.metric}",
        baseline=Baseline(label=majority, **baseline),
        models=[entry(config, models[one.name], one, gain["low"]) for one, gain in zip(judged, gains, strict=True)],
        pairs=pairs(config, judged),
    )


class Judged(NamedTuple):
    """A model's scores by the metric that is compared."""

    name: str
    right: list[NDArray[np.bool_]]  # by seed, (N,) each: where its prediction is the label
    by_seed: NDArray[np.float64]  # (S,)
    resampled: NDArray[np.float64]  # (times,), of documents and of seeds

    @property
    def estimate(self) -> float:
        """The mean over seeds."""
        return float(self.by_seed.mean())


def judge(config: CompareConfig, seed: int, models: Mapping[str, Evaluated]) -> list[Judged]:
    """Every model's scores, all on the same resamples of the documents."""
    runs = {name: [run for _, run in sorted(model.predicted.items())] for name, model in models.items()}
    parts = [  # (N, S, 3, K) each
        np.stack([tallies(model.actual, run, list(model.labels)) for run in runs[name]], axis=1)
        for name, model in models.items()
    ]
    resampled = resample(config.metric, parts, config.bootstrap, seed)
    return [
        Judged(
            name,
            [model.actual == run for run in runs[name]],
            score(config.metric, part.sum(0)),
            resample_seeds(scores, name, seed),
        )
        for (name, model), part, scores in zip(models.items(), parts, resampled, strict=True)
    ]


def entry(config: CompareConfig, model: Evaluated, judged: Judged, gain_low: float) -> Entry:
    """A model's line in the comparison. gain_low: of the interval of what its score is above the baseline's."""
    seeds, ends = len(judged.by_seed), interval(judged.resampled, judged.estimate, config.alpha)
    return Entry(
        name=judged.name,
        family=model.family,
        tokenizer=model.tokenizer,
        parameters=model.parameters,
        members=config.ensembles.get(judged.name, []),
        validation=model.validation[config.metric],
        score=round(judged.estimate, 6),
        seeds=seeds,
        sd=round(float(judged.by_seed.std(ddof=1)), 6) if seeds > 1 else None,
        low=ends["low"],
        high=ends["high"],
        gain_low=gain_low,
        **{key: model.test[key] for key in TOLD},
    )


def too_few(resamples: int, pairs: int, alpha: float) -> int:
    """How many resamples it takes to decide one of so many pairs, if these cannot: 0 if they can.

    The smallest p of a bootstrap is 2 / (resamples + 1), and Holm's correction multiplies it by the pairs.
    """
    return int(2 * pairs / alpha) + 1 if 2 * pairs >= alpha * (resamples + 1) else 0


def pairs(config: CompareConfig, judged: Sequence[Judged]) -> list[Pair]:
    """Every pair of models, each judged before those that it is set against, and which of the two is better.

    Raises ParamsError if the resamples are too few to decide.
    """
    found = list(combinations(judged, 2))
    by_mcnemar = [config.metric == "accuracy" and len(a.right) == len(b.right) == 1 for a, b in found]
    if not all(by_mcnemar) and (least := too_few(config.bootstrap, len(found), config.alpha)):
        raise ParamsError(f"compare.bootstrap: {config.bootstrap} cannot decide {len(found)} pairs; at least {least}")
    p = [
        mcnemar(a.right[0], b.right[0]) if exact else bootstrap_p(a.resampled - b.resampled)
        for (a, b), exact in zip(found, by_mcnemar, strict=True)
    ]
    told = []
    for (a, b), exact, p_one, p_holm in zip(found, by_mcnemar, p, holm(p), strict=True):
        difference = a.estimate - b.estimate
        ends = interval(a.resampled - b.resampled, difference, config.alpha)
        sure = p_holm < config.alpha and (ends["low"] > 0 or ends["high"] < 0)
        pair = Pair(
            a=a.name,
            b=b.name,
            difference=round(difference, 6),
            **ends,
            test="mcnemar" if exact else "bootstrap",
            p=float(f"{p_one:.4g}"),
            p_holm=float(f"{p_holm:.4g}"),
            better=(a if difference > 0 else b).name if sure else None,
        )
        told.append(pair)
    return told
