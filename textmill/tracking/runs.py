"""Runs: one per model and content key, written once and found again; one experiment per dataset."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from textmill.bundle import read_config
from textmill.judging.metrics import METRICS
from textmill.report.plots import confusion_figure, curves_figure
from textmill.results.fit import Fit
from textmill.results.history import HISTORY, read_history
from textmill.results.scores import Scores
from textmill.timings import recall
from textmill.tracking.entities import dataset_of, epoch_metrics, final_metrics, params_of, tags_of
from textmill.tracking.lookup import CHAMPION, COMPLETE, KEY
from textmill.tracking.outputs import Result
from textmill.tracking.registry import log_bundle

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

# A view that the page offers under "Views": by itself it shows no score. Kept as its own share button keeps one.
SHOWN = {
    "attributes": ["Models"],
    "tags": ["champion"],
    "metrics": [*(f"test_{name}" for name in METRICS), "validation_accuracy", "parameters", "train_seconds"],
}
COLUMNS = [f"{kind}.`{name}`" for kind, names in SHOWN.items() for name in names]
VIEW = {"orderByKey": "metrics.`test_accuracy`", "orderByAsc": False, "selectedColumns": COLUMNS}
EXPERIMENT_TAGS = {
    "mlflow.experimentKind": "custom_model_development",
    "mlflow.sharedViewState.scores": json.dumps(
        {"name": "Scores", "createdAt": 0, "updatedAt": 0, "state": json.dumps(VIEW)}
    ),
}


def experiment_of(client: "MlflowClient", dataset: str, file: Path | None) -> str:
    """Id of the dataset's experiment; a deleted one is restored. Artifacts lie beside a sqlite file."""
    found = client.get_experiment_by_name(dataset)
    if found is None:
        location = (file.parent.resolve() / "mlartifacts" / dataset).as_uri() if file else None
        return client.create_experiment(dataset, location, EXPERIMENT_TAGS)
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return found.experiment_id


def find(client: "MlflowClient", experiment: str, key: str) -> "Run | None":
    """The whole run of this key. Half-written ones, left by a kill, are deleted with their models."""
    whole = None
    for run in client.search_runs([experiment], f"tags.`{KEY}` = '{key}'"):
        if COMPLETE in run.data.tags:
            whole = run
            continue
        for model in run.outputs.model_outputs if run.outputs else []:
            client.delete_logged_model(model.model_id)
        client.delete_run(run.info.run_id)
    return whole


def write(client: "MlflowClient", experiment: str, result: Result, measured: Path) -> "Run":
    """Write all that is known of a result. Raises ArtifactError if a file is missing or not what dvc.lock says."""
    for out in (result.bundle, *result.outs.values()):
        out.check()
    config = read_config(result.bundle.path)
    scores, fit = Scores.read(result.outs[Scores.FILE].path), Fit.read(result.outs[Fit.FILE].path)
    history = read_history(result.outs[HISTORY].path)
    times, now = recall(measured / result.name, config.weights), time.time()
    started, ended = times.started or now, times.ended or now  # now, if it was trained elsewhere

    run_id = client.create_run(experiment, int(started * 1000), tags_of(result, fit), result.name).info.run_id
    params, metrics = params_of(result, config), final_metrics(scores, fit, times, ended)
    metrics += epoch_metrics(history, started, ended)
    for start in range(0, len(params), 100):  # as many as a server takes at once
        client.log_batch(run_id, params=params[start : start + 100])
    for start in range(0, len(metrics), 1000):
        client.log_batch(run_id, metrics=metrics[start : start + 1000])
    client.log_inputs(run_id, [dataset_of(result, result.params["dataset"]["name"])])
    for out in result.outs.values():
        client.log_artifact(run_id, str(out.path))
    client.log_dict(run_id, {"labels": scores.labels, "confusion": scores.confusion}, "confusion.json")
    client.log_figure(run_id, confusion_figure(scores.labels, scores.confusion), "confusion.png")
    client.log_figure(run_id, curves_figure(history, result.name), "curves.png")
    log_bundle(run_id, result, config)
    client.set_terminated(run_id, end_time=int(ended * 1000))  # after the model, which sets an end of its own
    client.set_tag(run_id, COMPLETE, "yes")  # last: a run without it is made anew
    return client.get_run(run_id)


def mark(client: "MlflowClient", experiment: str, key: str) -> None:
    """Let the tag `champion` stand on the run of this key, and on no other run of ours."""
    for run in client.search_runs([experiment], f"tags.{CHAMPION} = 'yes'"):
        if run.data.tags.get(KEY) not in (None, key):
            client.delete_tag(run.info.run_id, CHAMPION)
    for run in client.search_runs([experiment], f"tags.`{KEY}` = '{key}'"):
        client.set_tag(run.info.run_id, CHAMPION, "yes")
