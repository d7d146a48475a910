"""Where runs are stored, and how to open it: one process at a time, quietly, in bounded time, errors in one line."""

import logging
import os
import re
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from textmill.errors import ParamsError, ResourceError, TextmillError
from textmill.files import atomic
from textmill.tracking.sqlite import problem

if TYPE_CHECKING:
    from mlflow import MlflowClient

SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",  # the default blocks for four minutes on a dead server
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
    "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false",  # a server may ask for an hour
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


def default_uri(folder: Path) -> str:
    """Returns the sqlite file of the repository, also from the temporary copy of a queued experiment."""
    return f"sqlite:///{_root(folder) / 'mlflow.db'}"


def store_uri(folder: Path) -> str:
    """Returns MLFLOW_TRACKING_URI or the default. Raises ParamsError for what can never work."""
    uri = os.environ.get("MLFLOW_TRACKING_URI", "").strip()
    if uri and (wrong := _wrong(uri)):
        raise ParamsError(f"MLFLOW_TRACKING_URI: {shown(uri)}: {wrong}; unset it, or say {default_uri(folder)}")
    return uri or default_uri(folder)


def _wrong(uri: str) -> str:
    """Returns what is wrong with a URI, or ''. MLflow refuses folders, and forgets what is in memory."""
    try:
        parts = urlsplit(uri)
        scheme, host, _ = parts.scheme, parts.hostname, parts.port
    except ValueError as error:
        return str(error)
    if scheme in ("http", "https"):
        return "" if host else "no server"
    if scheme == "sqlite":
        file = uri.removeprefix("sqlite:///").partition("?")[0]
        return "a folder" if Path(file).is_dir() else "no file" if file in ("sqlite://", ":memory:") else ""
    return "a folder" if (len(scheme) < 2 or scheme == "file") and not uri.startswith("databricks") else ""


def served(uri: str) -> bool:
    """Returns whether a store is a server."""
    return urlsplit(uri).scheme in ("http", "https")


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

    file = database(store_uri(folder)) or _root(folder) / "mlflow.db"
    path = file.with_name(f"{file.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    except OSError as error:
        raise ResourceError(f"{path}: {error.strerror}; the folder needs to be writable") from error
    with open(path) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def opened(uri: str) -> Iterator["MlflowClient"]:
    """Yields a client of the store. For the block, sets MLflow's environment variables that the user has not set.

    Logs nothing, unless the user has set MLFLOW_LOGGING_LEVEL. Raises ResourceError if the store cannot be used.
    """
    before, level = dict(os.environ), logging.root.manager.disable
    os.environ.update({**SETTINGS, **before, "MLFLOW_TRACKING_URI": uri})
    from alembic.util import CommandError
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException
    from mlflow.tracking.registry import UnsupportedModelRegistryStoreURIException
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError

    known = MlflowException, SQLAlchemyError, CommandError, OSError
    if "MLFLOW_LOGGING_LEVEL" not in before:
        logging.disable()
    try:
        with warnings.catch_warnings(action="ignore"):
            yield MlflowClient()
    except TextmillError:
        raise
    except (UnsupportedModelRegistryStoreURIException, ArgumentError) as error:
        raise ParamsError(f"MLFLOW_TRACKING_URI: {shown(uri)}: unknown store; say sqlite:///FILE") from error
    except ModuleNotFoundError as error:
        if served(uri) or database(uri):
            raise
        raise ParamsError(
            f"MLFLOW_TRACKING_URI: {shown(uri)}: {error.name} is missing; install it, or say sqlite:///FILE"
        ) from error
    except Exception as error:
        if not (isinstance(error, known) or served(uri)):
            raise
        reason = _reason(error) if isinstance(error, known) else "answers in a way that MLflow does not understand"
        hint = "all results are safe; fix it, then run `textmill track`"
        raise ResourceError(f"{shown(uri)}: {reason}; {hint}") from error
    finally:
        logging.disable(level)
        os.environ.clear()
        os.environ.update(before)


def create(file: Path) -> None:
    """Makes an empty store in one step. MLflow, killed while it makes one, leaves a file that it cannot open."""
    with atomic(file) as part, opened(f"sqlite:///{part}") as client:
        client.search_experiments(max_results=1)


def _root(folder: Path) -> Path:
    return Path(os.environ.get("DVC_ROOT") or folder).resolve()


def _reason(error: BaseException) -> str:
    """Returns what sqlite or the system says ('Connection refused'), else the first line of the library's message."""
    text = str(error)
    cause: BaseException | None = error
    while cause:
        if isinstance(cause, sqlite3.Error):
            return problem(cause)
        if isinstance(cause, TimeoutError):
            return "no answer in time; MLFLOW_HTTP_REQUEST_TIMEOUT (seconds) allows more"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    if status := re.search(r"too many (\d+) error responses", text):
        return f"answers with status {status[1]}"
    return shown(text.strip().partition("\n")[0])[:200]
