"""MLflow's pages, for this machine alone."""

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from textmill.console import say
from textmill.tracking.store import shown, store_uri

QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


def serve(project: Path, port: int) -> None:
    """Become the server of the project's store; where that is a server itself, say its address.

    Raises ParamsError for a store that MLflow refuses.
    """
    uri = store_uri(project)
    if urlsplit(uri).scheme in ("http", "https"):
        say(f"ui: open {shown(uri)}")
        return
    words = ["-m", "mlflow", "ui", "--workers", "1", "--host", "127.0.0.1", "--port", str(port)]
    os.execve(sys.executable, [sys.executable, *words, "--backend-store-uri", uri], os.environ | QUIET)
