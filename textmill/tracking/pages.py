"""What MLflow's pages show of an experiment first: two views of its runs, their address, and the verdict above them."""

import json
from collections.abc import Sequence
from typing import Any

from textmill.judging.comparison import ENSEMBLE
from textmill.judging.metrics import METRICS
from textmill.records.comparison import Comparison, Entry
from textmill.report.numbers import interval, percent
from textmill.report.table import narrow, standing
from textmill.tracking.lookup import CHAMPION, KIND, LATEST, MODEL, NOTE
from textmill.tracking.origin import Origin

SCORES = [*(f"test_{name}" for name in METRICS), "validation_accuracy", "test_log_loss", "parameters", "train_seconds"]
SEEDS = [*(f"test_{name}" for name in METRICS), "validation_accuracy", "best_epoch"]


def tags(comparison: Comparison, origin: Origin) -> dict[str, str]:
    """An experiment's: the verdict, its kind, and its views as the page's own share button keeps them."""
    metric = comparison.metric
    ends = [f"test_{metric}_low", f"test_{metric}_high"]
    scores = [SCORES[0], *ends, *SCORES[1:]] if metric == "accuracy" else [f"test_{metric}", *ends, *SCORES]
    columns = [*_named("metrics", dict.fromkeys(scores)), *_named("tags", [CHAMPION, KIND]), "attributes.`Models`"]
    seeds = [*_named("metrics", SEEDS), *_named("params", ["seed"]), *_named("tags", [MODEL, KIND])]
    grouped = {"aggregateFunction": "average", "groupByKeys": [{"mode": "tag", "groupByData": MODEL}]}
    order = f"metrics.`test_{metric}`"
    latest = f"tags.{LATEST} = 'yes' and tags.{KIND}"
    told = {
        NOTE: _note(comparison, origin),
        "mlflow.experimentKind": "custom_model_development",
        "mlflow.sharedViewState.scores": _view("Scores", columns, order, f"{latest} != 'seed'"),
    }
    if any(model.seeds > 1 for model in comparison.models):
        view = _view("Seeds by model", seeds, order, f"{latest} = 'seed'", groupBy=grouped)
        told["mlflow.sharedViewState.seeds"] = view
    return told


def address(server: str, experiment: str) -> str:
    """Of the view Scores. The page opens in another mode, for chats, without the last of its words."""
    words = "viewStateShareKey=scores&workflowType=machine_learning"
    return f"{server.rstrip('/')}/#/experiments/{experiment}/runs?{words}"


def _note(comparison: Comparison, origin: Origin) -> str:
    told = [
        f"**{comparison.champion}** is the champion by {comparison.champion_by}; it {standing(comparison)}.",
        f"Scores are {METRICS[comparison.metric].title} on {comparison.rows:,} test documents.",
    ]
    if len(comparison.odds) > 1:
        told.append(f"{narrow(comparison)}.")
    if origin.told:
        told.append(f"From {origin.told}.")
    return " ".join(told)


def reason(comparison: Comparison, origin: Origin) -> str:
    """Why a version is the champion."""
    best = next(model for model in comparison.models if model.name == comparison.champion)
    choices = sum(model.family != ENSEMBLE for model in comparison.models)
    chosen = f"{best.name}: best of {choices} by {comparison.champion_by} ({percent(best.validation)})"
    return "; ".join(filter(None, [chosen, _scored(best, comparison), standing(comparison), origin.told])) + "."


def described(name: str, comparison: Comparison) -> str:
    """What the comparison says of one model or ensemble."""
    entry = next(model for model in comparison.models if model.name == name)
    told = [_scored(entry, comparison)]
    if name == comparison.champion:
        told.append(f"champion by {comparison.champion_by}; {standing(comparison)}")
    for pair in comparison.pairs:
        if {pair.a, pair.b} == {name, comparison.champion}:
            lead = pair.difference if pair.a == name else -pair.difference
            verdict = {None: "a tie", name: "better"}.get(pair.better, "worse")
            told.append(f"{100 * lead:+.1f} points against the champion {comparison.champion}: {verdict}")
    return "; ".join(told) + "."


def _scored(entry: Entry, comparison: Comparison) -> str:
    of = f"test {METRICS[comparison.metric].title} {percent(entry.score)}"
    return of if entry.low is None else f"{of} ({interval(entry.low, entry.high)})"


def _named(kind: str, names: Any) -> list[str]:
    return [f"{kind}.`{name}`" for name in names]


def _view(name: str, columns: Sequence[str], order: str, only: str, **more: Any) -> str:
    state = {
        "searchFilter": only,
        "orderByKey": order,
        "orderByAsc": False,
        "selectedColumns": list(columns),
        "columnOrder": ["attributes.`Run Name`", *columns],  # without it, scores are off the screen
        "columnWidths": dict.fromkeys(columns, 120),
        **more,
    }
    return json.dumps({"name": name, "createdAt": 0, "updatedAt": 0, "state": json.dumps(state)})
