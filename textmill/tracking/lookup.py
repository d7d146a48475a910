"""Is there anything to do? Asked of the sqlite file itself: milliseconds, where importing mlflow takes seconds."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from textmill.errors import ResourceError
from textmill.tracking.outputs import Snapshot
from textmill.tracking.store import moved

# Tags of runs. COMPLETE is the last one that a run gets: without it, the run is half. BUNDLE stands on versions too.
KEY, BUNDLE, COMPLETE = "textmill.key", "textmill.bundle", "textmill.complete"
FORM = "2"  # the value of COMPLETE: what a run holds. One of an older form is made anew
KIND, MODEL, PARENT = "kind", "model", "mlflow.parentRunId"  # model, seed, ensemble or baseline; the name
SEEDS = "seeds"  # how many runs of seeds stand below a model's
LATEST = "latest"  # the runs of what was compared last
SHOWN = "textmill.shown"  # an experiment's last tag: digest of what its pages tell of
NOTE = "mlflow.note.content"
CHAMPION, PREVIOUS = "champion", "previous"  # aliases of versions; the first is a run's tag, too
PATIENCE = 10  # seconds to wait for another process's lock

EXPERIMENT = """
SELECT experiments.experiment_id, shown.value, experiments.artifact_location FROM experiments
LEFT JOIN experiment_tags shown ON shown.experiment_id = experiments.experiment_id AND shown.key = ?
WHERE name = ? AND lifecycle_stage = 'active'
"""
RUNS = f"""
SELECT key.value, runs.artifact_uri, models.artifact_location, seeds.value, (
  SELECT COUNT(*) FROM tags parent JOIN runs child ON child.run_uuid = parent.run_uuid
  WHERE parent.key = '{PARENT}' AND parent.value = runs.run_uuid AND child.lifecycle_stage = 'active'
) FROM runs
JOIN tags key ON key.run_uuid = runs.run_uuid AND key.key = '{KEY}'
JOIN tags complete ON complete.run_uuid = runs.run_uuid AND complete.key = '{COMPLETE}' AND complete.value = '{FORM}'
LEFT JOIN logged_models models
  ON models.source_run_id = runs.run_uuid AND models.lifecycle_stage = 'active' AND models.status = 2
LEFT JOIN tags seeds ON seeds.run_uuid = runs.run_uuid AND seeds.key = '{SEEDS}'
WHERE runs.experiment_id = ? AND runs.lifecycle_stage = 'active'
"""
HALF = f"""
SELECT COUNT(*) FROM runs
JOIN tags key ON key.run_uuid = runs.run_uuid AND key.key = '{KEY}'
LEFT JOIN tags complete ON complete.run_uuid = runs.run_uuid AND complete.key = '{COMPLETE}'
WHERE runs.experiment_id = ? AND runs.lifecycle_stage = 'active' AND complete.value IS NULL
"""
VERSIONS = f"""
SELECT bundle.value, versions.version FROM model_versions versions
JOIN model_version_tags bundle
  ON bundle.name = versions.name AND bundle.version = versions.version AND bundle.key = '{BUNDLE}'
JOIN logged_models models ON 'models:/' || models.model_id = versions.source AND models.lifecycle_stage = 'active'
WHERE versions.name = ? AND versions.current_stage != 'Deleted_Internal' AND versions.description IS NOT NULL
"""
ALIASES = "SELECT alias, version FROM registered_model_aliases WHERE name = ?"


class Recorded(NamedTuple):
    """Where all of a snapshot stands."""

    experiment: str  # id
    version: str  # the champion's


def registered_name(dataset: str) -> str:
    """Name of the registered model."""
    return f"textmill-{dataset}"


def previous_of(number: str, before: Sequence[str]) -> str:
    """The version that was the champion before this one. before: those that were, the last one last."""
    return next((one for one in reversed(before) if one and one != number), "")


def recorded(file: Path, found: Snapshot, current: bool, before: Sequence[str] = ()) -> Recorded | None:
    """Where all of this stands in the store already, its files included. Any doubt is None.

    current: whether it should be the champion's, and what the pages tell of. before: as for `previous_of`.
    Raises ResourceError if the file stays locked or is damaged, where mlflow would try for minutes.
    """
    from textmill.tracking.files import whole

    dataset = found.comparison.dataset
    asked = _ask(file, dataset)
    if not asked:
        return None
    experiment, shown, half, runs, versions, aliases = asked
    if half or not found.keys | set(found.others.values()) <= runs.keys() or (current and shown != found.digest):
        return None
    if not all(model and whole(run, model) for run, model in (runs[key] for key in found.keys)):
        return None
    version = next((str(number) for bundle, number in versions if bundle == found.champion.bundle.md5), None)
    if not version or (current and aliases.get(CHAMPION) != version):
        return None
    if current and before and aliases.get(PREVIOUS, "") != previous_of(version, before):
        return None
    return Recorded(experiment, version)


def experiment_id(file: Path, dataset: str) -> str | None:
    """Of a dataset's experiment, if the store has one."""
    asked = _ask(file, dataset)
    return asked.experiment if asked else None


class _Asked(NamedTuple):
    experiment: str
    shown: str | None
    half: int  # runs that were not written to their end
    runs: dict[str, tuple[str, str | None]]  # by key: where its files are, and those of its model; no seed is missing
    versions: list[tuple[str, int]]  # bundle and number
    aliases: dict[str, str]


def _ask(file: Path, dataset: str) -> _Asked | None:
    """What the tables say; None where there is no file, no experiment, or no such table."""
    if not file.exists():
        return None
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=PATIENCE)) as connection:
            found = connection.execute(EXPERIMENT, [SHOWN, dataset]).fetchone()
            if not found or moved(found[2], file, dataset):
                return None
            rows = connection.execute(RUNS, [found[0]]).fetchall()
            runs = {key: (run, model) for key, run, model, seeds, there in rows if int(seeds or 0) <= there}
            (half,) = connection.execute(HALF, [found[0]]).fetchone()
            name = [registered_name(dataset)]
            versions = connection.execute(VERSIONS, name).fetchall()
            aliases = {alias: str(number) for alias, number in connection.execute(ALIASES, name)}
            return _Asked(str(found[0]), found[1], half, runs, versions, aliases)
    except sqlite3.Error as error:
        if error.sqlite_errorname == "SQLITE_BUSY":
            raise ResourceError(f"{file}: locked by another process; end that, then run `textmill track`") from error
        if error.sqlite_errorname in ("SQLITE_NOTADB", "SQLITE_CORRUPT"):
            raise ResourceError(f"{file}: {error}; move it away, `textmill track` makes it again") from error
        return None
