"""Where runs are stored, and how to open it: one process at a time, quietly, in bounded time, errors in one line."""

import os
import re
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from textmill.errors import ParamsError, ResourceError
from textmill.files import atomic

if TYPE_CHECKING:
    from mlflow import MlflowClient

SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",  # the default blocks for four minutes on a dead server
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


def default_uri(folder: Path) -> str:
    """Returns the sqlite file of the repository, also from the temporary copy of a queued experiment."""
    return f"sqlite:///{_root(folder) / 'mlflow.db'}"


def store_uri(folder: Path) -> str:
    """Returns MLFLOW_TRACKING_URI or the default. Raises ParamsError for a folder, which MLflow refuses."""
    uri = os.environ.get("MLFLOW_TRACKING_URI") or default_uri(folder)
    if urlsplit(uri).scheme in ("", "file") and uri != "databricks":
        raise ParamsError(f"MLFLOW_TRACKING_URI: {shown(uri)}: a folder; unset it, or say {default_uri(folder)}")
    return uri


def database(uri: str) -> Path | None:
    """Returns the file of a plain sqlite URI."""
    plain = uri.startswith("sqlite:///") and "?" not in uri and "MLFLOW_REGISTRY_URI" not in os.environ
    return Path(uri.removeprefix("sqlite:///")) if plain else None


SECRET = r"([?&;#][^=&;#\s\"']*(?:token|key|secret|pass|pwd|sig|auth|credential)[^=&;#\s\"']*=)[^&;#,\]\s\"']+"


def shown(text: str) -> str:
    """Masks passwords and tokens in the URIs of a text, and removes the path of this folder."""
    masked = re.sub(r"://[^/\s]*@", "://***@", text)
    return re.sub(SECRET, r"\1***", masked, flags=re.IGNORECASE).replace(f"{Path.cwd()}/", "")


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Holds the store for the block; other processes wait. Two at once would write each run twice."""
    import fcntl  # Windows has none

    path = _root(folder) / "mlflow.db.lock"
    try:
        path.touch()
    except OSError as error:
        raise ResourceError(f"{path}: {error.strerror}; the folder needs to be writable") from error
    with open(path) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def opened(uri: str) -> Iterator["MlflowClient"]:
    """Yields a client of the store. For the block, sets MLflow's environment variables that the user has not set."""
    before = dict(os.environ)
    os.environ.update({**SETTINGS, **before, "MLFLOW_TRACKING_URI": uri})
    from alembic.util import CommandError
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException
    from mlflow.tracking.registry import UnsupportedModelRegistryStoreURIException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with warnings.catch_warnings(action="ignore"):
            yield MlflowClient()
    except UnsupportedModelRegistryStoreURIException as error:
        raise ParamsError(f"MLFLOW_TRACKING_URI: {shown(uri)}: unknown store; say sqlite:///FILE") from error
    except (MlflowException, SQLAlchemyError, CommandError, ModuleNotFoundError, OSError) as error:
        hint = "all results are safe; fix it, then run `textmill track`"
        raise ResourceError(f"{shown(uri)}: {_reason(error)}; {hint}") from error
    finally:
        os.environ.clear()
        os.environ.update(before)


def create(file: Path) -> None:
    """Makes an empty store in one step. MLflow, killed while it makes one, leaves a file that it cannot open."""
    with atomic(file) as part, opened(f"sqlite:///{part}") as client:
        client.search_experiments(max_results=1)


# The columns that hold locations of files: an experiment's, and below it those of runs, models and versions.
PLACES = {
    "experiments": "artifact_location",
    "runs": "artifact_uri",
    "logged_models": "artifact_location",
    "model_versions": "storage_location",
}


def place(file: Path, dataset: str) -> str:
    """Returns the location of files of a dataset's runs and models: next to the sqlite file."""
    return (file.parent.resolve() / "mlartifacts" / dataset).as_uri()


def moved(location: str, file: Path, dataset: str) -> bool:
    """Returns whether a location is `place` in another folder, from which the database was moved or copied."""
    named = "/".join(place(file, dataset).rsplit("/", 2)[-2:])
    return location != place(file, dataset) and location.startswith("file:") and location.endswith(f"/{named}")


def relocate(file: Path, before: str, now: str) -> None:
    """Updates the locations in a database that was moved or copied. MLflow has no way to do so."""
    with closing(sqlite3.connect(file, timeout=10)) as connection, connection:
        for table, column in PLACES.items():
            words = f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE {column} = ? OR {column} LIKE ?"
            connection.execute(words, [now, len(before) + 1, before, f"{before}/%"])


def _root(folder: Path) -> Path:
    return Path(os.environ.get("DVC_ROOT") or folder).resolve()


def _reason(error: BaseException) -> str:
    """Returns the system's message ('Connection refused') if there is one, else the first line of the library's."""
    cause: BaseException | None = error
    while cause and not (isinstance(cause, OSError) and cause.strerror):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return shown(str(error).strip().partition("\n")[0])[:200]
