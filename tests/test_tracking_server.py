"""Addresses of stores, servers that die, answer wrongly or not at all, and `textmill ui`."""

import http.client
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import HANGS
from stores import COMPARISON, PARAMS, choose, project, write_lock

from textmill.errors import ParamsError, ResourceError
from textmill.files import write_json
from textmill.records.comparison import Comparison
from textmill.tracking.server import serve

pytest_plugins = ["stores"]
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("plain")]


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextmanager
def running(command, port, **named):
    """Runs a server for the block, once it answers."""
    with open(os.devnull, "w") as nowhere:
        process = subprocess.Popen([sys.executable, "-m", *command], stdout=nowhere, stderr=nowhere, **named)
    try:
        for _ in range(HANGS * 10):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health").close()
                break
            except OSError:
                assert process.poll() is None
                time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def upstream(tmp_path_factory):
    """The port of a real server."""
    folder, port = tmp_path_factory.mktemp("server"), free_port()
    command = ["mlflow", "server", "--workers", "1", "--port", str(port), "--backend-store-uri"]
    command += [f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", str(folder / "files")]
    with running(command, port, env=os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}):
        yield port


class Proxy(ThreadingHTTPServer):
    """A server before the real one; after some requests it answers as `how` says."""

    daemon_threads = True

    def __init__(self, upstream):
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream, self.how, self.left, self.seen, self.only = upstream, "", 0, set(), ""

    def fail(self, how, after=0):
        self.how, self.left = how, after

    def fails(self, command, path):
        """Returns whether to answer wrongly. The first answer of each kind gets lost."""
        kind = command, re.sub(r"[0-9a-f]{32}|/\d+/|\?.*", "", path) if "/artifacts/" not in path else ""
        new, self.seen = kind not in self.seen, self.seen | {kind}
        self.left -= 1
        return self.left < 0 and (self.how != "lost" or (new and kind[1].endswith(self.only)))

    def handle_error(self, *about):
        pass


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answers = {
        "500": (500, b"oops", {}),
        "503": (503, b"busy", {"Retry-After": "3600"}),
        "html": (200, b"<html>log in</html>", {}),
        "odd": (200, b'{"experiment": [3], "runs": {"a": 1}}', {}),
    }

    def log_message(self, *about):
        pass

    def answer(self, status, body, headers):
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def forward(self, body):
        asked = {name: value for name, value in self.headers.items() if name != "Transfer-Encoding"}
        connection = http.client.HTTPConnection("127.0.0.1", self.server.upstream)
        connection.request(self.command, self.path, body, asked)
        found = connection.getresponse()
        return found.status, found.read(), {"Content-Type": found.headers["Content-Type"] or ""}

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "Transfer-Encoding" in self.headers:  # an empty file
            self.rfile.readline(), self.rfile.readline()
        proxy = self.server
        if not proxy.how or not proxy.fails(self.command, self.path):
            self.answer(*self.forward(body))
        elif proxy.how in self.answers:
            self.answer(*self.answers[proxy.how])
        else:
            if proxy.how == "silent":
                time.sleep(3)
            elif proxy.how == "lost":
                self.forward(body)
            self.close_connection = True

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815


@pytest.fixture
def proxy(upstream, fresh, monkeypatch, request):
    """The proxy, as the store of this folder. Models have no code there: hundreds of files that take time."""
    choose("linear", re.sub(r"\W", "-", request.node.name))
    write_lock()

    def save(folder, model_id, run_id, result, config):
        shutil.copytree(result.bundle.path, folder / "artifacts" / result.name)

    monkeypatch.setattr("textmill.tracking.packaging.save", save)
    with Proxy(upstream) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.server_port}")
        yield server
        server.shutdown()


def held(proxy):
    """Returns what the server has, by name, and checks that runs are complete and that the alias has a version."""
    from mlflow import MlflowClient

    proxy.fail("")
    client, dataset = MlflowClient(os.environ["MLFLOW_TRACKING_URI"]), Comparison.read(COMPARISON).dataset
    experiment = client.get_experiment_by_name(dataset).experiment_id
    runs, name = client.search_runs([experiment]), f"textmill-{dataset}"
    assert {run.data.tags.get("textmill.complete") for run in runs} == {"yes"}
    found = client.search_model_versions(f"name = '{name}'")
    assert client.get_model_version_by_alias(name, "champion").version in [one.version for one in found]
    models = client.search_logged_models([experiment])
    return sorted(run.info.run_name for run in runs), sorted((one.name, str(one.status)) for one in models), len(found)


RUNS = ["always bad", "both", "linear", "rnn", "rnn seed 42", "rnn seed 7"]
WHOLE = RUNS, [("linear", "READY"), ("rnn", "READY")], 1


def failed():
    """Returns whether a try failed; if so, it must name the server in one line."""
    try:
        project()
    except ResourceError as error:
        said = str(error)
        known = re.fullmatch(r"http://127.0.0.1:\d+: [^\n]+; all results are safe; fix it, .*", said)
        return bool(known) or pytest.fail(said)
    return False


def test_a_server_that_dies_in_the_middle_loses_nothing(proxy, capfd):
    failures = 0
    for requests in (0, 2, 5, 9, 14, 24, 36, 50):  # each continues where the one before it failed
        proxy.fail("dead", after=requests)
        failures += failed()
    assert failures >= 6
    proxy.fail("")
    assert project().startswith("track: 2 runs")
    assert held(proxy) == WHOLE
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("only", ["", "/logged-models"])
def test_a_request_whose_answer_got_lost_is_not_done_twice(proxy, only):
    """MLflow's client asks again, and the server has already done it. Once for each kind of request, or for one."""
    proxy.fail("lost")
    proxy.only = only
    assert sum(failed() for _ in range(4)) < 4
    assert len(proxy.seen) > 20
    proxy.fail("")
    project()
    assert held(proxy) == WHOLE


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("500", "answers with status 500"),
        ("503", "answers with status 503"),
        ("html", "API request to endpoint was successful but the response body was not in a valid JSON"),
        ("odd", "answers in a way that MLflow does not understand"),
        ("silent", "no answer in time; MLFLOW_HTTP_REQUEST_TIMEOUT"),
    ],
)
def test_a_wrong_answer_is_one_line(proxy, monkeypatch, capfd, how, says):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    for requests in (0, 3):
        proxy.fail(how, after=requests)
        with pytest.raises(ResourceError, match=rf"^http://127.0.0.1:\d+: {says}.*; all results are safe"):
            project()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "uri",
    [
        *("./mlruns", "mlruns", "file:///tmp/mlruns", "C:\\mlruns", "sqlite:///.", "sqlite://", "sqlite:///:memory:"),
        *(
            "http://",
            "http://[::1/x",
            "http://host:99999",
            "foo://me:secret@host/x",
            "postgresql+no://me:secret@host/x",
        ),
    ],
)
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


def status(port, host, **headers):
    """Returns the status of a request under this name; one with an origin writes."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    path, body = ("/api/2.0/mlflow/experiments/search", b'{"max_results": 1}') if headers else ("/", None)
    connection.request(
        "POST" if body else "GET", path, body, {"Host": host, "Content-Type": "application/json"} | headers
    )
    return connection.getresponse().status


def test_the_pages_answer_under_known_names_only(copy):
    """A page elsewhere could otherwise read and write through the browser of someone who opens it (DNS rebinding)."""
    port = free_port()
    write_json(Path("params.yaml"), PARAMS | {"tracking": {"enabled": True}})
    with running(["textmill", "ui", "--port", str(port), "--allowed-hosts", "runs.example.org"], port):
        local = [f"localhost:{port}", f"127.0.0.1:{port}", "localhost:6000"]
        assert {status(port, host) for host in [*local, "runs.example.org", "runs.example.org:8443"]} == {200}
        assert {status(port, host) for host in ("evil.example", "10.0.0.1", "xruns.example.org", "")} == {403}
        for origin in ("https://runs.example.org", f"http://localhost:{port}"):
            assert status(port, local[0], Origin=origin) == 200
        assert status(port, local[0], Origin="http://evil.example") == 403
        with pytest.raises(ResourceError, match=rf"port {port}: Address already in use; name another one with --port"):
            serve(Path(), port)


@pytest.mark.parametrize("name", ["*", "https://runs.example.org", "runs.example.org/x", "a b", "runs..org"])
def test_what_is_no_name_of_a_host_is_refused(name):
    with pytest.raises(ParamsError, match=r"--allowed-hosts: .*: give a name such as"):
        serve(Path(), 5000, f"runs.example.org, {name}")


def test_without_names_only_this_machine_may_ask(monkeypatch, copy):
    """The default of MLflow also lets in every private address."""
    started = []
    monkeypatch.setattr(os, "execve", lambda _, words, __: started.extend(words))
    write_json(Path("params.yaml"), PARAMS)
    serve(Path(), free_port())
    allowed = started[started.index("--allowed-hosts") + 1].split(",")
    assert allowed == ["localhost", "localhost:*", "127.0.0.1", "127.0.0.1:*"]
