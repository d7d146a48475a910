"""Asks the sqlite file whether there is anything to do: in milliseconds, where importing MLflow takes seconds."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from textmill.tracking.artifacts import complete
from textmill.tracking.names import (
    BUNDLE,
    CHAMPION,
    COMPLETE,
    DIRTY,
    KEY,
    PARENT,
    PREVIOUS,
    SEEDS,
    SHOWN,
    registered_name,
)
from textmill.tracking.snapshot import Snapshot
from textmill.tracking.sqlite import connected, has_tables, moved

EXPERIMENT = f"""
SELECT experiments.experiment_id AS id, shown.value AS shown, artifact_location FROM experiments
LEFT JOIN experiment_tags shown ON shown.experiment_id = experiments.experiment_id AND shown.key = '{SHOWN}'
WHERE name = ? AND lifecycle_stage = 'active'
"""
# Each run with its model, and how many seeds it has and should have.
RUNS = f"""
SELECT
  key.value AS key, complete.value AS complete, dirty.value AS dirty, seeds.value AS seeds,
  artifact_uri, model.artifact_location, (
  SELECT COUNT(*) FROM tags parent JOIN runs child ON child.run_uuid = parent.run_uuid
  WHERE parent.key = '{PARENT}' AND parent.value = runs.run_uuid AND child.lifecycle_stage = 'active'
) AS children FROM runs
JOIN tags key ON key.run_uuid = runs.run_uuid AND key.key = '{KEY}'
LEFT JOIN tags complete ON complete.run_uuid = runs.run_uuid AND complete.key = '{COMPLETE}'
LEFT JOIN tags dirty ON dirty.run_uuid = runs.run_uuid AND dirty.key = '{DIRTY}'
LEFT JOIN tags seeds ON seeds.run_uuid = runs.run_uuid AND seeds.key = '{SEEDS}'
LEFT JOIN logged_models model
  ON model.source_run_id = runs.run_uuid AND model.lifecycle_stage = 'active' AND model.status = 2
WHERE runs.experiment_id = ? AND runs.lifecycle_stage = 'active'
"""
VERSIONS = f"""
SELECT bundle.value, CAST(versions.version AS TEXT) FROM model_versions versions
JOIN model_version_tags bundle
  ON bundle.name = versions.name AND bundle.version = versions.version AND bundle.key = '{BUNDLE}'
JOIN logged_models models ON 'models:/' || models.model_id = versions.source AND models.lifecycle_stage = 'active'
WHERE versions.name = ? AND versions.current_stage != 'Deleted_Internal' AND versions.description IS NOT NULL
ORDER BY versions.version DESC
"""
ALIASES = "SELECT alias, CAST(version AS TEXT) FROM registered_model_aliases WHERE name = ?"


class Recorded(NamedTuple):
    """Where the store has a snapshot."""

    experiment: str  # id
    version: str  # the champion's


class _Tables(NamedTuple):
    experiment: sqlite3.Row
    runs: list[sqlite3.Row]
    versions: dict[str, str]  # by bundle
    aliases: dict[str, str]


def recorded(file: Path, found: Snapshot, current: bool, before: Sequence[str] = ()) -> Recorded | None:
    """Returns where the store has all of the snapshot, with its files; None in any doubt.

    current: whether its champion should have the alias, and the pages should show it. before: as for `previous_of`.
    Raises ResourceError if the file stays locked, is damaged or was written by another version of MLflow.
    """
    tables = _read(file, found.dataset)
    if not tables or not all(run["complete"] for run in tables.runs):
        return None
    experiment, aliases = tables.experiment, tables.aliases
    runs = {run["key"]: run for run in tables.runs if int(run["seeds"] or 0) <= run["children"]}
    version = tables.versions.get(found.champion.bundle.md5)
    wanted = found.keys | set(found.others.values())
    if not version or not wanted <= runs.keys():
        return None
    if found.origin.final and any(runs[key]["dirty"] == "yes" for key in wanted):
        return None
    for run in map(runs.get, found.keys):
        if not run or not run["artifact_location"] or not complete(run["artifact_uri"], run["artifact_location"]):
            return None
    if current and (experiment["shown"] != found.digest or aliases.get(CHAMPION) != version):
        return None
    if current and before and aliases.get(PREVIOUS, "") != previous_of(version, before):
        return None
    return Recorded(str(experiment["id"]), version)


def previous_of(version: str, before: Sequence[str]) -> str:
    """Returns the champion's version before this one, or ''. before: versions of earlier champions, oldest first."""
    return next((one for one in reversed(before) if one and one != version), "")


def experiment_id(file: Path, dataset: str) -> str | None:
    """Returns the id of a dataset's experiment, if the store has one."""
    tables = _read(file, dataset)
    return str(tables.experiment["id"]) if tables else None


def _read(file: Path, dataset: str) -> _Tables | None:
    """Returns what the tables hold; None if there is no file, no table or no experiment."""
    if not file.exists():
        return None
    with connected(file) as connection:
        if not has_tables(connection, file):
            return None

        def ask(query: str, about: Any) -> list[sqlite3.Row]:
            return connection.execute(query, [about]).fetchall()

        experiments, name = ask(EXPERIMENT, dataset), registered_name(dataset)
        if not experiments or moved(experiments[0]["artifact_location"], file, dataset):
            return None
        versions, aliases = (dict(map(tuple, ask(query, name))) for query in (VERSIONS, ALIASES))
        return _Tables(experiments[0], ask(RUNS, experiments[0]["id"]), versions, aliases)
