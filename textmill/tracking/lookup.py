"""Is there anything to do? Asked of the sqlite file itself: milliseconds, where importing mlflow takes seconds."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from textmill.errors import ResourceError
from textmill.tracking.outputs import Result

# Tags. COMPLETE is the last one that a run gets: without it, the run is half. BUNDLE stands on versions too.
KEY, BUNDLE, COMPLETE = "textmill.key", "textmill.bundle", "textmill.complete"
CHAMPION = "champion"  # a run's tag and a version's alias
PATIENCE = 10  # seconds to wait for another process's lock

RUNS = f"""
SELECT key.value, champion.value FROM runs
JOIN experiments USING (experiment_id)
JOIN tags key ON key.run_uuid = runs.run_uuid AND key.key = '{KEY}'
JOIN tags complete ON complete.run_uuid = runs.run_uuid AND complete.key = '{COMPLETE}'
LEFT JOIN tags champion ON champion.run_uuid = runs.run_uuid AND champion.key = '{CHAMPION}'
WHERE experiments.name = ? AND runs.lifecycle_stage = 'active'
"""
VERSIONS = f"""
SELECT bundle.value, versions.version, alias.alias FROM model_versions versions
JOIN model_version_tags bundle
  ON bundle.name = versions.name AND bundle.version = versions.version AND bundle.key = '{BUNDLE}'
LEFT JOIN registered_model_aliases alias
  ON alias.name = versions.name AND alias.version = versions.version AND alias.alias = '{CHAMPION}'
WHERE versions.name = ? AND versions.current_stage != 'Deleted_Internal'
"""


def registered_name(dataset: str) -> str:
    """Name of the registered model."""
    return f"textmill-{dataset}"


def recorded_version(file: Path, dataset: str, results: Sequence[Result], champion: Result) -> str:
    """The champion's version if all of this stands in the store already, else ''. Any doubt is ''.

    Raises ResourceError if the file stays locked or is damaged, where mlflow would try for minutes.
    """
    if not file.exists():
        return ""
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=PATIENCE)) as connection:
            runs = connection.execute(RUNS, [dataset]).fetchall()
            versions = connection.execute(VERSIONS, [registered_name(dataset)]).fetchall()
    except sqlite3.Error as error:
        if error.sqlite_errorname == "SQLITE_BUSY":
            raise ResourceError(f"{file}: locked by another process; end that, then run `textmill track`") from error
        if error.sqlite_errorname in ("SQLITE_NOTADB", "SQLITE_CORRUPT"):
            raise ResourceError(f"{file}: {error}; move it away, `textmill track` makes it again") from error
        return ""
    whole = {result.key for result in results} <= {key for key, _ in runs}
    whole &= {result.bundle.md5 for result in results} <= {bundle for bundle, *_ in versions}
    whole &= {key for key, marked in runs if marked} == {champion.key}
    aliased = {bundle: str(version) for bundle, version, alias in versions if alias}
    return aliased.get(champion.bundle.md5, "") if whole else ""
