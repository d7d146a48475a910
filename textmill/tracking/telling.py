"""What runs say of the comparison that they stand in, and which of them are its latest."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from textmill.tracking import entities, files, pages
from textmill.tracking.experiment import Store, deleted
from textmill.tracking.lookup import CHAMPION, LATEST, NOTE, PARENT
from textmill.tracking.outputs import Snapshot
from textmill.tracking.runs import Params, Written, log, times_of

if TYPE_CHECKING:
    from mlflow.entities import Run


def tell(store: Store, found: Snapshot, written: Mapping[str, Written], params: Params, current: bool) -> None:
    """Let each run say what the comparison says of it: verdict, interval, the params that now differ; the report.

    current: whether it is the comparison of the runs that are marked as the latest.
    """
    client, comparison = store.client, found.comparison
    for name, (run, model) in written.items():
        run = client.get_run(run.info.run_id)
        if not current and LATEST in run.data.tags:
            continue
        tags = {NOTE: pages.described(name, comparison)}
        if run.data.tags.get("git.dirty") == "yes" and not found.origin.dirty:
            tags |= found.origin.tags  # it was committed since
        for key, value in tags.items():
            if run.data.tags.get(key) != value:
                client.set_tag(run.info.run_id, key, value)
        ends = entities.interval_of(comparison.metric, found.entry(name))
        changed = {key: value for key, value in ends.items() if run.data.metrics.get(key) != value}
        added = {key: value for key, value in params.of(name).items() if key not in run.data.params}
        log(client, run, entities.logged(changed, times_of(run)[1]), added)
        if found.page and name == comparison.champion:
            client.log_artifact(run.info.run_id, str(found.page.absolute()), "report")
            files.seal(client, run, model)


def mark(store: Store, champion: "Run", latest: Sequence["Run"]) -> None:
    """Let tags say which runs were compared last, and which is the champion's; no other run of ours has them."""
    there, shown = [run for run in store.runs() if not deleted(run)], {run.info.run_id for run in latest}
    shown |= {run.info.run_id for run in there if run.data.tags.get(PARENT) in shown}  # their seeds
    for tag, wanted in {LATEST: shown, CHAMPION: {champion.info.run_id}}.items():
        marked = {run.info.run_id for run in there if tag in run.data.tags}
        for run_id in marked - wanted:
            store.client.delete_tag(run_id, tag)
        for run_id in wanted - marked:
            store.client.set_tag(run_id, tag, "yes")
