"""MLflow's pages, for this machine alone."""

import os
import re
import socket
import sys
from pathlib import Path

from textmill.config import PARAMS, load_params
from textmill.console import say
from textmill.errors import ParamsError, ResourceError
from textmill.tracking.lookup import experiment_id
from textmill.tracking.pages import address
from textmill.tracking.store import database, served, shown, store_uri

PORT = 5000
SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # 2 processes instead of 10
    "PYTHONWARNINGS": "ignore",  # they are about packages that MLflow uses
}
NAME = re.compile(r"(\*\.)?[\w-]+(\.[\w-]+)*(:\d+)?", re.ASCII)  # not `*`, which would let every page in


def serve(project: Path, port: int, allowed_hosts: str | None = None) -> None:
    """Prints the address of the scores, and becomes the server of the project's store if that is not a server itself.

    allowed_hosts: names with commas between them, by which a proxy is reached. Raises ParamsError for a store that
    MLflow refuses or a wrong name, ResourceError for a file or a port that cannot be used.
    """
    names = _names(allowed_hosts)
    uri = store_uri(project)
    if served(uri):
        say(f"ui: open {shown(uri)}")
        return
    _check_free(port)
    say(f"ui: open {_scores(project, uri, server(port))} (stop with Ctrl-C)")
    words = ["-m", "mlflow", "ui", "--workers", "1", "--host", "127.0.0.1", "--port", str(port)]
    words += ["--backend-store-uri", uri, *_guards(names)]
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, *words], os.environ | SETTINGS)


def _guards(names: list[str]) -> list[str]:
    """Returns MLflow's options that refuse requests under other names, and writes from pages of other names.

    Any port of this machine is allowed, because an ssh tunnel may start at another one.
    """
    known = [name + port for name in names for port in ([""] if ":" in name else ["", ":*"])]
    hosts = ["localhost", "localhost:*", "127.0.0.1", "127.0.0.1:*", *known]
    origins = [f"{scheme}://{name}" for name in known for scheme in ("https", "http")]
    # MLflow always adds this machine's origins to those that are named.
    return ["--allowed-hosts", ",".join(hosts), "--cors-allowed-origins", ",".join(origins or [server()])]


def _names(allowed_hosts: str | None) -> list[str]:
    """Returns the names. Raises ParamsError for what is none."""
    names = [name.strip() for name in (allowed_hosts or "").split(",") if name.strip()]
    for name in names:
        if not NAME.fullmatch(name):
            raise ParamsError(f"--allowed-hosts: {name!r}: give a name such as runs.example.org, without https:// or /")
    return names


def _check_free(port: int) -> None:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError as error:
            raise ResourceError(f"port {port}: {error.strerror}; name another one with --port") from error


def server(port: int = PORT) -> str:
    """Returns the address of this machine's server."""
    return f"http://127.0.0.1:{port}"


def _scores(project: Path, uri: str, at: str) -> str:
    """Returns the address of the view of scores for the data in params.yaml, or that of the server."""
    dataset = load_params(project / PARAMS).get("dataset")
    file, name = database(uri), dataset.get("name") if isinstance(dataset, dict) else None
    found = experiment_id(file, str(name)) if file else None
    return address(at, found) if found else at
