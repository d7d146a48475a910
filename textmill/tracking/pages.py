"""What MLflow's pages show of an experiment: the verdict, descriptions of its runs, two views and their address."""

import json
from collections.abc import Iterable
from typing import Any

from textmill.judging.comparison import ENSEMBLE
from textmill.judging.metrics import METRICS
from textmill.records.comparison import Comparison, Entry
from textmill.report.numbers import interval, percent
from textmill.report.table import narrow, standing
from textmill.tracking.names import CHAMPION, KIND, LATEST, MODEL, NOTE
from textmill.tracking.origin import Origin

ALL = [f"test_{name}" for name in METRICS]
WORKFLOW = "workflowType=machine_learning"  # in an address: without it, MLflow opens its pages for chats


def tags_of(comparison: Comparison, origin: Origin) -> dict[str, str]:
    """Returns an experiment's tags: the verdict, its kind, and views in the form that MLflow's share button writes."""
    score = f"test_{comparison.metric}"
    shown = dict.fromkeys([score, f"{score}_low", f"{score}_high", *ALL])
    numbers = [*shown, "validation_accuracy", "test_log_loss", "parameters", "train_seconds"]
    columns = [*_named("metrics", numbers), *_named("tags", [CHAMPION, KIND]), "attributes.`Models`"]
    latest = f"tags.{LATEST} = 'yes' and tags.{KIND}"
    tags = {
        NOTE: verdict(comparison, origin),
        "mlflow.experimentKind": "custom_model_development",
        "mlflow.sharedViewState.scores": _view("Scores", columns, score, f"{latest} != 'seed'"),
    }
    if any(model.seeds > 1 for model in comparison.models):
        columns = _named("metrics", [*ALL, "validation_accuracy", "best_epoch"])
        columns += [*_named("params", ["seed"]), *_named("tags", [MODEL, KIND])]
        by_model = {"aggregateFunction": "average", "groupByKeys": [{"mode": "tag", "groupByData": MODEL}]}
        view = _view("Seeds by model", columns, score, f"{latest} = 'seed'", groupBy=by_model)
        tags["mlflow.sharedViewState.seeds"] = view
    return tags


def address(server: str, experiment: str) -> str:
    """Returns the address of the view Scores."""
    return f"{server.rstrip('/')}/#/experiments/{experiment}/runs?viewStateShareKey=scores&{WORKFLOW}"


def verdict(comparison: Comparison, origin: Origin) -> str:
    """Returns the verdict in Markdown, with the commit."""
    sentences = [
        f"**{comparison.champion}** is the champion by {comparison.champion_by}; it {standing(comparison)}.",
        f"Scores are {METRICS[comparison.metric].title} on {comparison.rows:,} test documents.",
    ]
    if len(comparison.odds) > 1:
        sentences.append(f"{narrow(comparison)}.")
    if origin.named:
        sentences.append(f"From {origin.named}.")
    return " ".join(sentences)


def reason(comparison: Comparison, origin: Origin) -> str:
    """Returns why a version is the champion."""
    best = _entry(comparison.champion, comparison)
    choices = sum(model.family != ENSEMBLE for model in comparison.models)
    chosen = f"{best.name}: best of {choices} by {comparison.champion_by} ({percent(best.validation)})"
    return "; ".join(filter(None, [chosen, _score(best, comparison), standing(comparison), origin.named])) + "."


def description(name: str, comparison: Comparison) -> str:
    """Returns the score of a model or an ensemble, and how it compares with the champion."""
    parts = [_score(_entry(name, comparison), comparison)]
    if name == comparison.champion:
        parts.append(f"champion by {comparison.champion_by}; {standing(comparison)}")
    for pair in comparison.pairs:
        if {pair.a, pair.b} == {name, comparison.champion}:
            lead = pair.difference if pair.a == name else -pair.difference
            outcome = {None: "a tie", name: "better"}.get(pair.better, "worse")
            parts.append(f"{100 * lead:+.1f} points against the champion {comparison.champion}: {outcome}")
    return "; ".join(parts) + "."


def _entry(name: str, comparison: Comparison) -> Entry:
    return next(model for model in comparison.models if model.name == name)


def _score(entry: Entry, comparison: Comparison) -> str:
    score = f"test {METRICS[comparison.metric].title} {percent(entry.score)}"
    return score if entry.low is None else f"{score} ({interval(entry.low, entry.high)})"


def _named(kind: str, names: Iterable[str]) -> list[str]:
    return [f"{kind}.`{name}`" for name in names]


def _view(name: str, columns: list[str], score: str, only: str, **more: Any) -> str:
    state = {
        "searchFilter": only,
        "orderByKey": f"metrics.`{score}`",
        "orderByAsc": False,
        "selectedColumns": columns,
        "columnOrder": ["attributes.`Run Name`", *columns],  # without it, scores are off the screen
        "columnWidths": {column: 10 + 5 * len(column) for column in columns},  # in pixels: headers stay whole
        **more,
    }
    return json.dumps({"name": name, "createdAt": 0, "updatedAt": 0, "state": json.dumps(state)})
