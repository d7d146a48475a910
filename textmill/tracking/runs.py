"""Writes runs and finds them again: one for each model and key, one for each seed, ensemble and baseline."""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from textmill.bundle import read_config
from textmill.records.fit import Fit
from textmill.records.history import HISTORY, read_history
from textmill.records.scores import Scores
from textmill.timings import recorded
from textmill.tracking import artifacts, entities, pages
from textmill.tracking.experiment import Experiment
from textmill.tracking.names import BUNDLE, COMPLETE, KEY, KIND, MODEL, NOTE, PARENT
from textmill.tracking.origin import Origin
from textmill.tracking.params import Params
from textmill.tracking.snapshot import Result, Snapshot

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel, Metric, Run

Times = tuple[float, float]  # when something started and ended, in seconds since 1970


class Written(NamedTuple):
    """A model's run and its logged model."""

    run: "Run"
    model: "LoggedModel"


def ensure(experiment: Experiment, found: Snapshot, result: Result, params: Params) -> tuple[Written, bool]:
    """Returns a result's run, and whether it is new. Writes the run, its seeds or its files if they are missing.

    Raises ArtifactError if something must be written, and a file is not what dvc.lock says.
    """
    run = experiment.whole.get(result.key)
    model = next(iter(experiment.models_of(run)), None) if run else None
    if not (run and model):
        result.check()
        if run:
            experiment.remove(run)  # someone deleted its model
        return _write(experiment, found, result, params), True
    experiment.restore(run)
    if model.status != "READY" or not artifacts.present(experiment.client, run, model):
        result.check()
        artifacts.put(experiment.client, run, model, result, params.all[result.name])
    _ensure_seeds(experiment, run, result, found.origin, times_of(run))
    return Written(run, model), False


def ensure_others(experiment: Experiment, found: Snapshot, times: Times) -> list["Run"]:
    """Returns the runs of the baseline and of each ensemble; writes those that are missing."""
    comparison = found.comparison
    for name, key in found.others.items():
        if key in experiment.whole:
            experiment.restore(experiment.whole[key])
            continue
        entry = found.entry(name) if name else None
        label = name or f"always {comparison.baseline.label}"
        note = pages.description(name, comparison) if entry else "Always predicts the most common class."
        tags = {KEY: key, KIND: "ensemble" if entry else "baseline", MODEL: label, NOTE: note, **found.origin.tags}
        metrics = entities.metrics_of_entry((entry or comparison.baseline).scores, entry, comparison.metric)
        params = {"members": ", ".join(entry.members)} if entry else {}
        experiment.whole[key] = _scored(experiment, label, tags, metrics, params, times)
    return [experiment.whole[key] for key in found.others.values()]


def times_of(run: "Run") -> Times:
    """Returns when a run started and ended."""
    return run.info.start_time / 1000, (run.info.end_time or run.info.start_time) / 1000


def log(client: "MlflowClient", run: "Run", metrics: Sequence["Metric"], params: Mapping[str, str]) -> None:
    """Logs params and metrics, in as large batches as a server takes."""
    from mlflow.entities import Param

    rows: list[Any] = [Param(*item) for item in params.items()]
    for start in range(0, len(rows), 100):
        client.log_batch(run.info.run_id, params=rows[start : start + 100])
    for start in range(0, len(metrics), 1000):
        client.log_batch(run.info.run_id, metrics=metrics[start : start + 1000])


def _write(experiment: Experiment, found: Snapshot, result: Result, params: Params) -> Written:
    from mlflow.entities import LoggedModelOutput

    client, comparison, shown = experiment.client, found.comparison, params.of(result.name)
    scores, fit = Scores.read(result.outs[Scores.FILE].path), Fit.read(result.outs[Fit.FILE].path)
    history = read_history(result.outs[HISTORY].path)
    timing = recorded(found.measured / result.name, read_config(result.bundle.path).weights)
    unknown = found.origin.made or time.time()
    started, ended = timing.started or unknown, timing.ended or unknown

    tags = entities.tags_of(result, fit) | found.origin.tags | artifacts.ERRORS_TAG
    tags[NOTE] = pages.description(result.name, comparison)
    run = client.create_run(experiment.id, int(started * 1000), tags, result.name)
    inputs = entities.inputs_of(result.data, found.dataset)
    client.log_inputs(run.info.run_id, inputs)
    about = {BUNDLE: result.bundle.md5, **found.origin.tags}
    model = client.create_logged_model(experiment.id, result.name, run.info.run_id, about, shown, fit.family)
    experiment.models[model.model_id] = model
    client.log_outputs(run.info.run_id, [LoggedModelOutput(model.model_id, 0)])
    metrics = entities.metrics_of(scores, fit, timing, found.entry(result.name), comparison.metric)
    rows = entities.logged(metrics, ended, inputs, model.model_id) + entities.epoch_metrics(history, started, ended)
    log(client, run, rows, shown)
    _ensure_seeds(experiment, run, result, found.origin, (started, ended))
    artifacts.put(client, run, model, result, params.all[result.name])
    _end(client, run, ended)
    return Written(client.get_run(run.info.run_id), model)


def _ensure_seeds(experiment: Experiment, run: "Run", result: Result, origin: Origin, times: Times) -> None:
    """Writes a child run for each seed that has none, if the model has several seeds."""
    scores, fit = Scores.read(result.outs[Scores.FILE].path), Fit.read(result.outs[Fit.FILE].path)
    fitted = {one.seed: one for one in fit.seeds}
    there = {child.data.tags[KEY] for child in experiment.children.get(run.info.run_id, [])}
    for one in scores.seeds if len(scores.seeds) > 1 else []:
        tags = {KEY: f"{result.key}/{one.seed}", KIND: "seed", MODEL: result.name, PARENT: run.info.run_id}
        if tags[KEY] not in there:
            name, metrics = f"{result.name} seed {one.seed}", entities.metrics_of_seed(one, fitted.get(one.seed))
            _scored(experiment, name, tags | origin.tags, metrics, {"seed": str(one.seed)}, times)


def _scored(
    experiment: Experiment,
    name: str,
    tags: dict[str, str],
    metrics: Mapping[str, float],
    params: Mapping[str, str],
    times: Times,
) -> "Run":
    """Writes a run that has scores but no model."""
    client, (started, ended) = experiment.client, times
    run = client.create_run(experiment.id, int(started * 1000), tags, name)
    log(client, run, entities.logged(metrics, ended), params)
    _end(client, run, ended)
    return run


def _end(client: "MlflowClient", run: "Run", ended: float) -> None:
    client.set_terminated(run.info.run_id, end_time=int(ended * 1000))
    client.set_tag(run.info.run_id, COMPLETE, "yes")  # last: a run without it is written again
