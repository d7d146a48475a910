"""MLflow as a projection: what dvc.lock names is made to stand in the store, and nothing is kept there alone.

The store can be deleted at any time; the next `track` makes it again. Nothing outside this package imports mlflow.
"""

from pathlib import Path

from textmill.config import Section
from textmill.judging.comparison import ENSEMBLE
from textmill.results.comparison import Comparison
from textmill.tracking.lookup import recorded_version, registered_name
from textmill.tracking.outputs import Result, read_results
from textmill.tracking.store import alone, create, database, default_uri, opened, shown, store_uri


class TrackingConfig(Section):
    """Whether results are recorded."""

    enabled: bool = True  # MLflow: ./mlflow.db, or where MLFLOW_TRACKING_URI points


def track(lock: Path, comparison: Path, measured: Path) -> str:
    """Make the MLflow store agree with dvc.lock; the line that says what it holds.

    lock: dvc.lock, whose folder its paths start from. comparison: names the models and the champion among them.
    measured: the folder of the models' metrics, where any timing.json may be missing.
    Raises ArtifactError if a result is missing or not what dvc.lock says; ParamsError or ResourceError for the store.
    """
    compared = Comparison.read(comparison)
    names = [model.name for model in compared.models if model.family != ENSEMBLE]  # those have no bundle
    results = {result.name: result for result in read_results(lock, names)}
    champion, dataset = results[compared.champion], compared.dataset
    uri = store_uri(lock.parent)
    with alone(lock.parent):
        file = database(uri)
        version, new = recorded_version(file, dataset, list(results.values()), champion) if file else "", 0
        if not version:
            version, new = _write(uri, dataset, list(results.values()), champion, measured)
    more = "; see them with `textmill ui`" if uri == default_uri(lock.parent) else ""
    found = f"track: {len(results)} runs in {shown(uri)} ({new} new)"
    return f"{found}, champion {champion.name} = {registered_name(dataset)} v{version}{more}"


def _write(uri: str, dataset: str, results: list[Result], champion: Result, measured: Path) -> tuple[str, int]:
    """Through mlflow: the champion's version and the number of runs that were not there."""
    file = database(uri)
    if file and not file.exists():
        create(file)
    with opened(uri) as client:
        from textmill.tracking import registry, runs

        experiment = runs.experiment_of(client, dataset, file)
        new, versions = 0, {}
        for result in results:
            run = runs.find(client, experiment, result.key)
            if run is None:
                run, new = runs.write(client, experiment, result, measured), new + 1
            versions[result.name] = registry.register(client, dataset, result, run)
        runs.mark(client, experiment, champion.key)
        registry.promote(client, dataset, versions[champion.name], champion)
    return versions[champion.name], new
