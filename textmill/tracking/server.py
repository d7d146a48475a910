"""MLflow's pages, for this machine alone."""

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from textmill.config import PARAMS, load_params
from textmill.console import say
from textmill.tracking.lookup import experiment_id
from textmill.tracking.pages import address
from textmill.tracking.store import database, shown, store_uri

PORT = 5000
SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # 2 processes instead of 10
    "PYTHONWARNINGS": "ignore",  # they are about packages that MLflow uses
}


def serve(project: Path, port: int) -> None:
    """Prints the address of the scores, and becomes the server of the project's store if that is not a server itself.

    Raises ParamsError for a store that MLflow refuses.
    """
    uri = store_uri(project)
    if urlsplit(uri).scheme in ("http", "https"):
        say(f"ui: open {shown(uri)}")
        return
    say(f"ui: open {_scores(project, uri, server(port))} (stop with Ctrl-C)")
    words = ["-m", "mlflow", "ui", "--workers", "1", "--host", "127.0.0.1", "--port", str(port)]
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, *words, "--backend-store-uri", uri], os.environ | SETTINGS)


def server(port: int = PORT) -> str:
    """Returns the address of this machine's server."""
    return f"http://127.0.0.1:{port}"


def _scores(project: Path, uri: str, at: str) -> str:
    """Returns the address of the view of scores for the data in params.yaml, or that of the server."""
    dataset = load_params(project / PARAMS).get("dataset")
    file, name = database(uri), dataset.get("name") if isinstance(dataset, dict) else None
    found = experiment_id(file, str(name)) if file and name else None
    return address(at, found) if found else at
