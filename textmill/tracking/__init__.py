"""MLflow as a projection of dvc.lock: `track` makes a store agree with it, and the store holds nothing else.

You can delete the store at any time, in part or whole; the next `track` restores it. Only this package imports mlflow.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from textmill.config import Section
from textmill.errors import ArtifactError
from textmill.tracking import origin, pages, sqlite
from textmill.tracking.commits import laid_out, with_results
from textmill.tracking.lookup import Recorded, recorded
from textmill.tracking.names import SHOWN, registered_name
from textmill.tracking.server import server
from textmill.tracking.snapshot import Snapshot, read_snapshot
from textmill.tracking.store import alone, create, database, default_uri, opened, served, shown, store_uri
from textmill.verify.commit import find


class TrackingConfig(Section):
    """Whether results are recorded."""

    enabled: bool = True  # MLflow: ./mlflow.db, or where MLFLOW_TRACKING_URI points


def track(lock: Path, comparison: Path, measured: Path) -> str:
    """Makes the MLflow store agree with dvc.lock; returns the line to print.

    lock: dvc.lock; its paths are relative to its folder. comparison: names the models and the champion. measured: the
    folder of the models' metrics; any timing.json may be missing. Raises ArtifactError if a result is missing or not
    what dvc.lock says; ParamsError or ResourceError for the store.
    """
    folder = lock.parent
    found = read_snapshot(lock, comparison, measured, origin.here(folder))
    with alone(folder):
        return _record(folder, found, current=True)[0]


def track_commit(revision: str, folder: Path) -> str:
    """Does the same for a commit, from git and DVC's cache. The champion changes only if the commit is HEAD.

    Raises ParamsError if there is no such commit, ArtifactError if the commit or DVC's cache lacks something.
    """
    commit = find(revision, folder)
    with alone(folder), laid_out(commit, folder) as found:
        return _record(folder, found, current=commit.hash == find("HEAD", folder).hash)[0]


def track_all(folder: Path) -> Iterator[str]:
    """Does the same for every commit that changed dvc.lock, oldest first; yields a line for each left out."""
    commits, last = with_results(folder), None
    if not commits:
        raise ArtifactError("dvc.lock: in no commit; `git add dvc.lock metrics` and a commit keep results")
    with alone(folder):
        done = new = 0
        champions: dict[str, list[str]] = {}  # their versions, by dataset
        for commit in commits:
            try:
                with laid_out(commit, folder) as found:
                    _, where, added = _record(folder, found, current=False)
            except ArtifactError as error:
                yield f"track: {commit.short} left out: {error}"
                continue
            champions.setdefault(found.dataset, []).append(where.version)
            done, new, last = done + 1, new + added, commit
        if last is None:
            raise ArtifactError(f"none of {len(commits)} commits can be recorded; check one out and `dvc fetch`")
        yield f"track: {done} of {len(commits)} commits ({new} runs are new)"
        with laid_out(last, folder) as found:
            yield _record(folder, found, True, champions[found.dataset])[0]


def _record(folder: Path, found: Snapshot, current: bool, before: Sequence[str] = ()) -> tuple[str, Recorded, int]:
    """Returns the line to print, where the results are, and how many models' runs are new.

    current: whether these are the latest results, which the pages show. before: versions of earlier champions.
    """
    uri = store_uri(folder)
    file, new = database(uri), 0
    where = recorded(file, found, current, before) if file else None
    if not where:
        if file and file.exists():
            sqlite.check(file)
        elif file:
            create(file)
        where, new = _write(uri, found, current, before)
    see = pages.address(shown(uri) if served(uri) else server(), where.experiment)
    see = f"`textmill ui` shows them: {see}" if uri == default_uri(folder) else see
    champion = f"champion {found.champion.name} = {registered_name(found.dataset)} v{where.version}"
    return f"track: {len(found.results)} runs in {shown(uri)} ({new} new), {champion}; {see}", where, new


def _write(uri: str, found: Snapshot, current: bool, before: Sequence[str]) -> tuple[Recorded, int]:
    """Writes what the store lacks. As for `_record`."""
    with opened(uri) as client:
        from textmill.tracking import descriptions, leftovers, registry, runs
        from textmill.tracking.experiment import Experiment, experiment_of
        from textmill.tracking.params import params_of

        dataset, champion, file = found.dataset, found.champion, database(uri)
        experiment = Experiment(client, experiment_of(client, dataset, file))
        experiment.tidy()
        if file:
            leftovers.sweep(file, dataset)
        registry.clear(client, dataset, experiment.models)
        params, new, written = params_of(found), 0, {}
        for name, result in reversed(found.results.items()):  # the best last: the pages show the newest on top
            written[name], is_new = runs.ensure(experiment, found, result, params)
            new += is_new
        run, model = written[champion.name]
        others = runs.ensure_others(experiment, found, runs.times_of(run))
        ours = [*(one.run for one in written.values()), *others]
        descriptions.describe(experiment, found, written, params, current)
        descriptions.name_commit(experiment, ours, [one.model for one in written.values()], found.origin)
        reason = pages.reason(found.comparison, found.origin)
        version = registry.register(client, dataset, champion, model.model_id, reason)
        if current:
            descriptions.mark_latest(experiment, run, ours)
            registry.promote(client, dataset, version, champion, before)
            for key, value in pages.tags_of(found.comparison, found.origin).items():
                client.set_experiment_tag(experiment.id, key, value)
            client.set_experiment_tag(experiment.id, SHOWN, found.digest)  # last
    return Recorded(experiment.id, version), new
