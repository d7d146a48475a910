"""Updates runs that are already there with what the latest comparison says of them."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from textmill.tracking import artifacts, entities, pages
from textmill.tracking.experiment import Experiment, deleted
from textmill.tracking.names import CHAMPION, DIRTY, LATEST, NOTE, PARENT
from textmill.tracking.origin import Origin
from textmill.tracking.params import Params
from textmill.tracking.runs import Written, log, times_of
from textmill.tracking.snapshot import Snapshot

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel, Run


def describe(
    experiment: Experiment, found: Snapshot, written: Mapping[str, Written], params: Params, current: bool
) -> None:
    """Updates each model's description, interval and compared params, and the champion's report.

    current: whether this is the latest comparison; if not, leaves the runs of the latest one alone.
    """
    client, comparison = experiment.client, found.comparison
    for name, (written_run, model) in written.items():
        run = client.get_run(written_run.info.run_id)
        if not current and LATEST in run.data.tags:
            continue
        note = pages.description(name, comparison)
        if run.data.tags.get(NOTE) != note:
            client.set_tag(run.info.run_id, NOTE, note)
        interval = entities.interval_of(comparison.metric, found.entry(name))
        changed = {key: value for key, value in interval.items() if run.data.metrics.get(key) != value}
        added = {key: value for key, value in params.of(name).items() if key not in run.data.params}
        log(client, run, entities.logged(changed, times_of(run)[1]), added)
        if found.report and name == comparison.champion:
            client.log_artifact(run.info.run_id, str(found.report.absolute()), "report")
            artifacts.write_list(client, run, model)


def name_commit(
    experiment: Experiment, runs: Collection["Run"], models: Collection["LoggedModel"], origin: Origin
) -> None:
    """Names the commit in runs and models that were recorded before it, with changes to an earlier commit."""
    for run in [*runs, *(child for one in runs for child in experiment.children.get(one.info.run_id, []))]:
        if origin.final and run.data.tags.get(DIRTY) == "yes":
            for key, value in origin.tags.items():
                experiment.client.set_tag(run.info.run_id, key, value)
    for model in models:
        if origin.final and model.tags.get(DIRTY) == "yes":
            experiment.client.set_logged_model_tags(model.model_id, origin.tags)


def mark_latest(experiment: Experiment, champion: "Run", latest: Collection["Run"]) -> None:
    """Tags these runs, with their seeds, as the latest, and one as the champion's; removes the tags from all others."""
    runs, shown = [run for run in experiment.runs() if not deleted(run)], {run.info.run_id for run in latest}
    shown |= {run.info.run_id for run in runs if run.data.tags.get(PARENT) in shown}
    for tag, wanted in {LATEST: shown, CHAMPION: {champion.info.run_id}}.items():
        tagged = {run.info.run_id for run in runs if tag in run.data.tags}
        for run_id in tagged - wanted:
            experiment.client.delete_tag(run_id, tag)
        for run_id in wanted - tagged:
            experiment.client.set_tag(run_id, tag, "yes")
