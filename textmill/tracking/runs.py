"""Runs: one per model and content key, written once and found again; its seeds, and what has scores but no model."""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from textmill.bundle import Config, read_config
from textmill.records.fit import Fit
from textmill.records.history import HISTORY, read_history
from textmill.records.scores import Scores
from textmill.timings import recall
from textmill.tracking import entities, files, pages
from textmill.tracking.experiment import Store
from textmill.tracking.lookup import BUNDLE, COMPLETE, FORM, KEY, KIND, MODEL, NOTE, PARENT
from textmill.tracking.origin import Origin
from textmill.tracking.outputs import Result, Snapshot

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel, Metric, Run


class Written(NamedTuple):
    """A model's run, and what is served of it."""

    run: "Run"
    model: "LoggedModel"


class Params(NamedTuple):
    """All params of each model, and the names of those that one compares by."""

    all: dict[str, dict[str, str]]
    told: set[str]

    def of(self, name: str) -> dict[str, str]:
        """Those of a model that are compared."""
        return {key: value for key, value in sorted(self.all[name].items()) if key in self.told}


def params_of(found: Snapshot) -> Params:
    """Read from the bundles of a snapshot."""
    configs = {name: read_config(result.bundle.path) for name, result in found.results.items()}
    params = {name: entities.params_of(result, configs[name]) for name, result in found.results.items()}
    return Params(params, entities.told_params(params, found.results))


def ensure(store: Store, found: Snapshot, result: Result, params: Params) -> tuple[Written, bool]:
    """A result's run, written or mended where it or its files are not there; whether it is new."""
    run = store.whole.get(result.key)
    model = run and store.model_of(run)
    if run and model:
        store.restore(run)
        if model.status == "READY" and files.there(store.client, run, model):
            _ensure_seeds(store, run, result, found.origin, times_of(run))
            return Written(run, model), False
    for out in (result.bundle, *result.outs.values()):
        out.check()
    config = read_config(result.bundle.path)
    if run and model:
        _ensure_seeds(store, run, result, found.origin, times_of(run))
        _put_files(store, Written(run, model), result, config, params)
        return Written(run, model), False
    if run:
        store.remove(run)  # its model is gone
    return _write(store, found, result, config, params), True


def _write(store: Store, found: Snapshot, result: Result, config: Config, params: Params) -> Written:
    """All that is known of a result."""
    from mlflow.entities import LoggedModelOutput

    client, comparison = store.client, found.comparison
    scores, fit = Scores.read(result.outs[Scores.FILE].path), Fit.read(result.outs[Fit.FILE].path)
    entry = found.entry(result.name)
    history = read_history(result.outs[HISTORY].path)
    times = recall(found.measured / result.name, config.weights)
    elsewhere = found.origin.made or time.time()  # if it was trained elsewhere
    started, ended = times.started or elsewhere, times.ended or elsewhere

    tags = entities.tags_of(result, fit) | found.origin.tags | files.TABLE_TAG
    tags[NOTE] = pages.described(result.name, comparison)
    run = client.create_run(store.experiment, int(started * 1000), tags, result.name)
    inputs = entities.inputs_of(result.data, comparison.dataset)
    client.log_inputs(run.info.run_id, inputs)
    model = client.create_logged_model(
        store.experiment,
        result.name,
        run.info.run_id,
        {BUNDLE: result.bundle.md5, **found.origin.tags},
        params.of(result.name),
        fit.family,
    )
    store.models[model.model_id] = model
    client.log_outputs(run.info.run_id, [LoggedModelOutput(model.model_id, 0)])
    metrics = entities.metrics_of(scores, fit, times, entry, comparison.metric)
    rows = entities.logged(metrics, ended, inputs, model.model_id) + entities.epoch_metrics(history, started, ended)
    log(client, run, rows, params.of(result.name))
    _ensure_seeds(store, run, result, found.origin, (started, ended))
    written = Written(run, model)
    _put_files(store, written, result, config, params)
    client.set_terminated(run.info.run_id, end_time=int(ended * 1000))
    client.set_tag(run.info.run_id, COMPLETE, FORM)  # last: a run without it is made anew
    return Written(client.get_run(run.info.run_id), model)


def _ensure_seeds(store: Store, run: "Run", result: Result, origin: Origin, times: tuple[float, float]) -> None:
    """A run below the model's for each of its seeds, if there are several."""
    scores, fit = Scores.read(result.outs[Scores.FILE].path), Fit.read(result.outs[Fit.FILE].path)
    fitted = {one.seed: one for one in fit.seeds}
    there = {child.data.tags[KEY] for child in store.children.get(run.info.run_id, [])}
    for one in scores.seeds if len(scores.seeds) > 1 else []:
        tags = {KEY: f"{result.key}/{one.seed}", KIND: "seed", MODEL: result.name, PARENT: run.info.run_id}
        if tags[KEY] not in there:
            name, numbers = f"{result.name} seed {one.seed}", entities.metrics_of_seed(one, fitted.get(one.seed))
            scored(store, name, tags | origin.tags, numbers, {"seed": str(one.seed)}, times)


def times_of(run: "Run") -> tuple[float, float]:
    """When it started and ended, in seconds since 1970."""
    return run.info.start_time / 1000, (run.info.end_time or run.info.start_time) / 1000


def scored(
    store: Store,
    name: str,
    tags: Mapping[str, str],
    metrics: Mapping[str, float],
    params: Mapping[str, str],
    times: tuple[float, float],
) -> "Run":
    """A run of scores alone."""
    started, ended = times
    run = store.client.create_run(store.experiment, int(started * 1000), dict(tags), name)
    log(store.client, run, entities.logged(metrics, ended), params)
    store.client.set_terminated(run.info.run_id, end_time=int(ended * 1000))
    store.client.set_tag(run.info.run_id, COMPLETE, FORM)
    return run


def ensure_others(store: Store, found: Snapshot, times: tuple[float, float]) -> list["Run"]:
    """The runs of the baseline and of each ensemble."""
    comparison, runs = found.comparison, []
    for name, key in found.others.items():
        if key in store.whole:
            store.restore(store.whole[key])
        else:
            entry = next((model for model in comparison.models if model.name == name), None)
            kind, label = ("ensemble", name) if entry else ("baseline", f"always {comparison.baseline.label}")
            scores = entry.scores if entry else comparison.baseline.scores
            note = pages.described(name, comparison) if entry else "What always answering the most common class scores."
            tags = {KEY: key, KIND: kind, MODEL: label, NOTE: note, **found.origin.tags}
            metrics = entities.metrics_of_entry(scores, entry, comparison.metric)
            params = {"members": ", ".join(entry.members)} if entry else {}
            store.whole[key] = scored(store, label, tags, metrics, params, times)
        runs.append(store.whole[key])
    return runs


def _put_files(store: Store, written: Written, result: Result, config: Config, params: Params) -> None:
    files.put(store.client, written.run, written.model, result, config, params.all[result.name])
    files.seal(store.client, written.run, written.model)


def log(client: "MlflowClient", run: "Run", metrics: Sequence["Metric"], params: Mapping[str, str]) -> None:
    """As many at once as a server takes."""
    from mlflow.entities import Param

    rows: list[Any] = [Param(*item) for item in params.items()]
    for start in range(0, len(rows), 100):
        client.log_batch(run.info.run_id, params=rows[start : start + 100])
    for start in range(0, len(metrics), 1000):
        client.log_batch(run.info.run_id, metrics=metrics[start : start + 1000])
