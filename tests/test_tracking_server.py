"""Addresses of stores, servers that do not answer, and `textmill ui`."""

import os
import socket

import pytest
from stores import project

from textmill.errors import ParamsError, ResourceError

pytest_plugins = ["stores"]
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("plain")]


@pytest.mark.parametrize("uri", ["./mlruns", "mlruns", "file:///tmp/mlruns", "foo://me:secret@host/x"])
def test_a_uri_that_can_never_work_is_a_params_error(copy, monkeypatch, uri):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(ParamsError, match=r"MLFLOW_TRACKING_URI: .*sqlite:///") as refused:
        project()
    assert "secret" not in str(refused.value)
    assert os.environ["MLFLOW_TRACKING_URI"] == uri


def test_a_dead_server_is_one_line_soon(copy, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://me:secret@127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(
            ResourceError, match=r"^http://\*\*\*@127.0.0.1:\d+: Connection refused; .*`textmill track`$"
        ):
            project()
