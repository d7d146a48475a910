"""Updates runs that are already there with what the latest comparison says of them."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from textmill.tracking import artifacts, entities, pages
from textmill.tracking.experiment import Experiment, deleted
from textmill.tracking.names import CHAMPION, LATEST, NOTE, PARENT
from textmill.tracking.params import Params
from textmill.tracking.runs import Written, log, times_of
from textmill.tracking.snapshot import Snapshot

if TYPE_CHECKING:
    from mlflow.entities import Run


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
        tags = {NOTE: pages.description(name, comparison)}
        if run.data.tags.get("git.dirty") == "yes" and not found.origin.dirty:
            tags |= found.origin.tags  # committed since
        for key, value in tags.items():
            if run.data.tags.get(key) != value:
                client.set_tag(run.info.run_id, key, value)
        interval = entities.interval_of(comparison.metric, found.entry(name))
        changed = {key: value for key, value in interval.items() if run.data.metrics.get(key) != value}
        added = {key: value for key, value in params.of(name).items() if key not in run.data.params}
        log(client, run, entities.logged(changed, times_of(run)[1]), added)
        if found.report and name == comparison.champion:
            client.log_artifact(run.info.run_id, str(found.report.absolute()), "report")
            artifacts.write_list(client, run, model)


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
