"""The sqlite file of a store: opened within bounded time, checked, and what sqlite says about it in one line."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from textmill.errors import ResourceError

PATIENCE = 10  # seconds to wait for another process's lock: MLflow would retry for minutes
AWAY = "move it away: `textmill track` makes it again, with --all-commits also what older commits had"
WRITABLE = "make the file and its folder writable"
# What to do, by the beginning of sqlite's name of an error. After any other, moving the file away helps.
ADVICE = {
    "SQLITE_BUSY": "end the process that has it, then run `textmill track`",
    "SQLITE_FULL": "make room, then run `textmill track`",
    "SQLITE_IOERR": "check the disk, then run `textmill track`",
    "SQLITE_READONLY": WRITABLE,
    "SQLITE_CANTOPEN": WRITABLE,
    "SQLITE_PERM": WRITABLE,
}
# The columns that hold locations of files: an experiment's, and below it those of runs, models and versions.
PLACES = {
    "experiments": "artifact_location",
    "runs": "artifact_uri",
    "logged_models": "artifact_location",
    "model_versions": "storage_location",
}


@contextmanager
def connected(file: Path) -> Iterator[sqlite3.Connection]:
    """Yields a connection to a file that exists, outside of a transaction. Raises ResourceError that names the file."""
    uri = f"{file.resolve().as_uri()}?mode=rw"  # not `ro`, which cannot undo what a killed writer left half done
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=PATIENCE, isolation_level=None)) as connection:
            connection.row_factory = sqlite3.Row
            yield connection
    except sqlite3.Error as error:
        raise ResourceError(f"{file}: {problem(error)}") from error


def problem(error: sqlite3.Error) -> str:
    """Returns what sqlite says, and what to do."""
    name = getattr(error, "sqlite_errorname", "")
    return f"{error}; {next((advice for start, advice in ADVICE.items() if name.startswith(start)), AWAY)}"


def has_tables(connection: sqlite3.Connection, file: Path) -> bool:
    """Returns whether MLflow has made its tables. Raises ResourceError if others did, or another version of MLflow."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return False
    if "alembic_version" not in tables:
        raise ResourceError(f"{file}: not a store of MLflow, or half of one; {AWAY}")
    found = {version for (version,) in connection.execute("SELECT version_num FROM alembic_version")}
    newest, older = versions()
    if newest and found <= older:
        raise ResourceError(f"{file}: an older MLflow wrote it; run `mlflow db upgrade sqlite:///{file}`, or {AWAY}")
    if newest and found != {newest}:
        raise ResourceError(f"{file}: a newer MLflow wrote it; install that one, or {AWAY}")
    return True


@cache
def versions() -> tuple[str, set[str]]:
    """Returns the version of the installed MLflow's tables, and all older ones; '' if that is not clear.

    Reads MLflow's migrations as text: importing them takes seconds.
    """
    spec = find_spec("mlflow")
    (package,) = (spec and spec.submodule_search_locations) or [""]
    files = sorted(Path(package, "store/db_migrations/versions").glob("*.py"))
    texts = "".join(file.read_text(encoding="utf-8") for file in files)
    made, left = ({*re.findall(rf'^{name} = "(\w+)"$', texts, re.MULTILINE)} for name in ("revision", "down_revision"))
    return next(iter(made - left)) if len(made - left) == 1 else "", left


def check(file: Path) -> None:
    """Raises ResourceError unless a file that exists is whole, MLflow's, and can be written now."""
    with connected(file) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("PRAGMA user_version = 1")  # as part of the transaction
        connection.execute("ROLLBACK")
        (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if found != "ok":
            raise ResourceError(f"{file}: damaged ({' '.join(found.split())[:100]}); {AWAY}")
        has_tables(connection, file)


def place(file: Path, dataset: str) -> str:
    """Returns the location of files of a dataset's runs and models: next to the sqlite file."""
    return (file.parent.resolve() / "mlartifacts" / dataset).as_uri()


def moved(location: str, file: Path, dataset: str) -> bool:
    """Returns whether a location is `place` in another folder, from which the database was moved or copied."""
    named = "/".join(place(file, dataset).rsplit("/", 2)[-2:])
    return location != place(file, dataset) and location.startswith("file:") and location.endswith(f"/{named}")


def relocate(file: Path, before: str, now: str) -> None:
    """Updates the locations in a database that was moved or copied. MLflow has no way to do so."""
    with connected(file) as connection, connection:
        connection.execute("BEGIN IMMEDIATE")
        for table, column in PLACES.items():
            words = f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE {column} = ? OR {column} LIKE ?"
            connection.execute(words, [now, len(before) + 1, before, f"{before}/%"])
