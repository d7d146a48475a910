"""MLflow as a projection: what dvc.lock names is made to stand in the store, and nothing is kept there alone.

The store can be deleted at any time, in part or whole; the next `track` makes it again. Nothing outside this package
imports mlflow.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from textmill.config import Section
from textmill.errors import ArtifactError
from textmill.tracking import origin, pages
from textmill.tracking.commits import laid_out, with_results
from textmill.tracking.lookup import KEY, SHOWN, Recorded, recorded, registered_name
from textmill.tracking.outputs import Snapshot, snapshot
from textmill.tracking.pages import address
from textmill.tracking.server import server
from textmill.tracking.store import alone, create, database, default_uri, opened, shown, store_uri
from textmill.verify.commit import find

HEAD = "HEAD"


class TrackingConfig(Section):
    """Whether results are recorded."""

    enabled: bool = True  # MLflow: ./mlflow.db, or where MLFLOW_TRACKING_URI points


def track(lock: Path, comparison: Path, measured: Path) -> str:
    """Make the MLflow store agree with dvc.lock; the line that says what it holds.

    lock: dvc.lock, whose folder its paths start from. comparison: names the models and the champion among them.
    measured: the folder of the models' metrics, where any timing.json may be missing.
    Raises ArtifactError if a result is missing or not what dvc.lock says; ParamsError or ResourceError for the store.
    """
    folder = lock.parent
    found = snapshot(lock, comparison, measured, origin.here(folder))
    uri = store_uri(folder)
    with alone(folder):
        return _told(folder, uri, found, *_record(uri, found, current=True))


def track_commit(revision: str, folder: Path) -> str:
    """The same for a commit, from git and DVC's cache. The champion stays what it is, unless the commit is HEAD.

    Raises ParamsError if there is no such commit; ArtifactError where it, or DVC's cache, lacks something.
    """
    commit, uri = find(revision, folder), store_uri(folder)
    with alone(folder), laid_out(commit, folder) as found:
        return _told(folder, uri, found, *_record(uri, found, current=commit.hash == find(HEAD, folder).hash))


def track_all(folder: Path) -> Iterator[str]:
    """The same for every commit with a dvc.lock of its own, the oldest first; a line for each that lacks something."""
    uri, last = store_uri(folder), None
    commits = with_results(folder)
    if not commits:
        raise ArtifactError("dvc.lock: in no commit; `git add dvc.lock metrics` and a commit keep results")
    with alone(folder):
        done = new = 0
        generations: dict[str, list[str]] = {}  # versions of the champions, by dataset
        for commit in commits:
            try:
                with laid_out(commit, folder) as found:
                    where, added = _record(uri, found, current=False)
            except ArtifactError as error:
                yield f"track: {commit.short} left out: {error}"
                continue
            generations.setdefault(found.comparison.dataset, []).append(where.version)
            done, new, last = done + 1, new + added, commit
        if last is None:
            raise ArtifactError(f"none of {len(commits)} commits can be recorded; `dvc fetch --all-commits` first")
        yield f"track: {done} of {len(commits)} commits ({new} runs are new)"
        with laid_out(last, folder) as found:
            before = generations[found.comparison.dataset]
            yield _told(folder, uri, found, *_record(uri, found, True, before))


def _record(uri: str, found: Snapshot, current: bool, before: Sequence[str] = ()) -> tuple[Recorded, int]:
    """Where the results stand now, and how many runs of models were not there.

    current: whether the champion, and what the pages tell, are to be these. before: versions of earlier champions.
    """
    file = database(uri)
    there = recorded(file, found, current, before) if file else None
    if there:
        return there, 0
    if file and not file.exists():
        create(file)
    with opened(uri) as client:
        from textmill.tracking import experiment, registry, runs, telling

        dataset, comparison = found.comparison.dataset, found.comparison
        store = experiment.Store(client, experiment.experiment_of(client, dataset, file))
        for run in store.half:  # what a kill left
            store.remove(run)
        params, new, written = runs.params_of(found), 0, {}
        for name, result in reversed(found.results.items()):  # the best is made last: pages show the newest on top
            written[name], made = runs.ensure(store, found, result, params)
            new += made
        others = runs.ensure_others(store, found, runs.times_of(written[comparison.champion].run))
        telling.tell(store, found, written, params, current)
        model, why = written[comparison.champion].model, pages.reason(comparison, found.origin)
        number = registry.register(client, dataset, found.champion, model.model_id, why, set(store.models))
        if current:
            telling.mark(store, written[comparison.champion].run, [*(run for run, _ in written.values()), *others])
            registry.promote(client, dataset, number, found.champion, before)
        for run in store.old:  # after the alias has moved away from what they hold
            if run.data.tags[KEY] in found.keys:
                store.remove(run)
        registry.clear(client, dataset, set(store.models))
        if current:
            for key, value in pages.tags(comparison, found.origin).items():
                client.set_experiment_tag(store.experiment, key, value)
            client.set_experiment_tag(store.experiment, SHOWN, found.digest)  # last
    return Recorded(store.experiment, number), new


def _told(folder: Path, uri: str, found: Snapshot, where: Recorded, new: int) -> str:
    local = uri == default_uri(folder)
    champion = f"champion {found.champion.name} = {registered_name(found.comparison.dataset)} v{where.version}"
    at = uri if urlsplit(uri).scheme in ("http", "https") else server()
    see = address(shown(at), where.experiment)
    told = f"track: {len(found.results)} runs in {shown(uri)} ({new} new), {champion}"
    return f"{told}; `textmill ui` shows them: {see}" if local else f"{told}; {see}"
