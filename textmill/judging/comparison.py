"""Which model is better, and how sure that is: intervals, paired tests and the choice of a champion.

All models are judged on the same resamples of the same test documents, so that luck with a document helps none of them.
A model trained with several seeds is judged by the mean over them, and the luck of its seeds is resampled, too.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations, takewhile, zip_longest
from typing import Annotated, Any, Literal, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from scipy.special import bdtr

from textmill.config import Alpha, Name, Section
from textmill.errors import ArtifactError, ParamsError

CELLS = 2_000_000  # documents x resamples held at once: 40 MB
TOLD = ("accuracy", "f1_macro", "log_loss", "roc_auc", "calibration_error")
ENSEMBLE = "ensemble"  # their family
Ensembles = dict[Name, Annotated[list[str], Field(min_length=2)]]  # the models whose probabilities each averages


class CompareConfig(Section):
    """How models are compared."""

    metric: Literal["accuracy", "f1_macro"] = "accuracy"  # what models are compared by
    bootstrap: Annotated[int, Field(ge=100, le=1_000_000)] = 2000  # resamples behind each interval
    alpha: Alpha  # of a test; an interval holds 1 - alpha
    ensembles: Ensembles = {}  # {both: [lstm, gru]}: the mean of their probabilities


class Evaluated(NamedTuple):
    """One model's results: the contents of fit.json and scores.json, and each seed's predictions of the test split."""

    fit: Mapping[str, Any]
    scores: Mapping[str, Any]
    ids: NDArray[Any]  # (N,) str
    actual: NDArray[Any]  # (N,) str
    predicted: Mapping[int, NDArray[Any]]  # seed -> (N,) str


def tally(actual: NDArray[Any], predicted: NDArray[Any], labels: Sequence[str]) -> NDArray[np.float32]:
    """What a document adds to the score, (N, 2, K): per class 1 for a hit, and how often label and prediction name it.

    Both metrics are functions of the sums over documents. float32 is exact for sums below 2**24.
    """
    names = np.array(labels, dtype=object)
    is_actual, is_predicted = actual[:, None] == names, predicted[:, None] == names  # (N, K)
    return np.stack([is_actual & is_predicted, np.add(is_actual, is_predicted, dtype=int)], axis=1).astype(np.float32)


def score(metric: str, sums: NDArray[Any]) -> NDArray[np.float64]:
    """Accuracy or macro-F1 of summed tallies (..., 2, K), as (...). A class that nobody names has F1 = 0."""
    hits, named = np.moveaxis(sums.astype(np.float64), -2, 0)
    if metric == "accuracy":
        return 2 * hits.sum(-1) / named.sum(-1)
    return (2 * hits / np.maximum(named, 1)).mean(-1)


def resample(metric: str, tallies: Sequence[NDArray[np.float32]], times: int, seed: int) -> list[NDArray[np.float64]]:
    """Bootstrap scores of each model, all on the same resamples of the documents.

    tallies: (N, ..., 2, K) of each model. Gives (times, ...) of each, which does not depend on the others.
    """
    rows, random = len(tallies[0]), np.random.default_rng(seed)
    parts, chunk = [], max(1, CELLS // rows)
    for start in range(0, times, chunk):
        draws = (random.integers(rows, size=rows) for _ in range(min(chunk, times - start)))
        counts = np.stack([np.bincount(draw, minlength=rows) for draw in draws]).astype(np.float32)  # (chunk, N)
        parts.append([score(metric, np.tensordot(counts, each, axes=1)) for each in tallies])  # (chunk, ...) each
    return [np.concatenate(of_model) for of_model in zip(*parts, strict=True)]


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
        fit = models[name].fit
        return -fit["validation"][metric], fit["validation"]["log_loss"], fit["parameters"], name

    return sorted(models, key=key)


def check_aligned(models: Mapping[str, Evaluated]) -> None:
    """Raises ArtifactError unless all models scored the same documents, with the same labels, in the same order."""
    (first, one), *others = models.items()
    for name, other in others:
        again = f"run `dvc repro -f evaluate@{first} evaluate@{name}`"
        if list(other.scores["labels"]) != list(one.scores["labels"]):
            raise ArtifactError(f"metrics/{name}/scores.json: labels are not those of {first}; {again}")
        both = (zip(model.ids, model.actual, strict=True) for model in (one, other))
        for row, (expected, found) in enumerate(zip_longest(*both, fillvalue=("nothing", "no label")), 1):
            if expected != found:
                what = f"{found[0]} ({found[1]}), where {first} has {expected[0]} ({expected[1]})"
                raise ArtifactError(f"metrics/{name}/predictions.parquet, row {row}: {what}; {again}")


def compare(
    config: CompareConfig, seed: int, dataset: str, train_labels: Mapping[str, int], models: Mapping[str, Evaluated]
) -> dict[str, Any]:
    """The content of comparison.json: models (best validation first), pairs, champion and majority baseline.

    train_labels: documents of each class in the training split. models: ensembles (by their family), too; the champion
    is the best of the others, for it is one bundle to ship.
    The p of a pair is McNemar's where both were trained once and the metric is accuracy: the test is about two single
    sets of predictions. Otherwise it is that of the paired bootstrap. `test` says which.
    Raises ArtifactError if the models scored different documents, ParamsError if the resamples are too few to decide.
    """
    check_aligned(models)
    metric, names = config.metric, ranking(models, config.metric)
    labels, actual = list(models[names[0]].scores["labels"]), models[names[0]].actual
    runs = [[run for _, run in sorted(models[name].predicted.items())] for name in names]  # by seed
    tallies = [np.stack([tally(actual, run, labels) for run in each], axis=1) for each in runs]  # (N, S, 2, K) each
    by_seed = [score(metric, each.sum(0)) for each in tallies]  # (S,) each
    estimates = [float(each.mean()) for each in by_seed]
    resampled = [
        resample_seeds(scores, name, seed)
        for name, scores in zip(names, resample(metric, tallies, config.bootstrap, seed), strict=True)
    ]

    entries = []
    for name, estimate, scores, each in zip(names, estimates, resampled, by_seed, strict=True):
        fit = models[name].fit
        entries.append(
            {"name": name, "family": fit["family"], "tokenizer": fit["tokenizer"], "parameters": fit["parameters"]}
            | {"members": config.ensembles.get(name, [])}
            | {"validation": fit["validation"][metric], "score": round(estimate, 6)}
            | {"seeds": len(each), "sd": round(float(each.std(ddof=1)), 6) if len(each) > 1 else None}
            | interval(scores, estimate, config.alpha)
            | {key: models[name].scores["mean"][key] for key in TOLD}
        )

    pairs, p = [], []
    for a, b in combinations(range(len(names)), 2):
        difference, differences = estimates[a] - estimates[b], resampled[a] - resampled[b]
        test = "mcnemar" if metric == "accuracy" and len(runs[a]) == len(runs[b]) == 1 else "bootstrap"
        p.append(mcnemar(actual == runs[a][0], actual == runs[b][0]) if test == "mcnemar" else bootstrap_p(differences))
        pairs.append(
            {"a": names[a], "b": names[b], "difference": round(difference, 6)}
            | interval(differences, difference, config.alpha)
            | {"test": test}
        )
    bootstrapped = any(pair["test"] == "bootstrap" for pair in pairs)
    if bootstrapped and 2 * len(pairs) >= config.alpha * (config.bootstrap + 1):
        least = int(2 * len(pairs) / config.alpha) + 1
        raise ParamsError(f"compare.bootstrap: {config.bootstrap} cannot decide {len(pairs)} pairs; at least {least}")
    for pair, p_one, p_holm in zip(pairs, p, holm(p), strict=True):
        sure = p_holm < config.alpha and (pair["low"] > 0 or pair["high"] < 0)
        pair |= {"p": float(f"{p_one:.4g}"), "p_holm": float(f"{p_holm:.4g}")}
        pair["better"] = (pair["a"] if pair["difference"] > 0 else pair["b"]) if sure else None

    majority = max(labels, key=lambda label: train_labels.get(label, 0))
    guesses = tally(actual, np.full(len(actual), majority, dtype=object), labels).sum(0)
    baseline = {key: round(float(score(key, guesses)), 6) for key in ("accuracy", "f1_macro")}
    return {
        "dataset": dataset,
        "metric": metric,
        "rows": len(actual),
        "labels": labels,
        "alpha": config.alpha,
        "bootstrap": config.bootstrap,
        "champion": next(name for name in names if models[name].fit["family"] != ENSEMBLE),
        "champion_by": f"validation {metric}",
        "baseline": {"label": majority} | baseline,
        "models": entries,
        "pairs": pairs,
    }


def standing(comparison: Mapping[str, Any]) -> dict[str, list[str]]:
    """Where the champion stands on the test documents: the models it beats, ties with and loses to."""
    champion, found = comparison["champion"], {"beats": [], "ties": [], "loses": []}
    for pair in comparison["pairs"]:
        if champion in (pair["a"], pair["b"]):
            other = pair["b"] if champion == pair["a"] else pair["a"]
            verb = {None: "ties", champion: "beats", other: "loses"}[pair["better"]]
            found[verb].append(other)
    return found


def ahead(comparison: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The ensembles that did better than the champion on validation; shipping one means shipping all its members."""
    return list(takewhile(lambda model: model["name"] != comparison["champion"], comparison["models"]))
