"""Fetching a file by its checksum: what each source gives, keeps and refuses."""

import gzip
import hashlib
import os
import threading
import time
import zipfile
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import HANGS

from textmill.config import validate
from textmill.errors import ArtifactError, ParamsError, ResourceError
from textmill.fetch import PathFile, Places, UrlFile, WheelFile, budget, fetch, fetch_members, hosts
from textmill.fetch.places import MIRROR

CSV = b"text,label\ngood,pos\nbad,neg\n"
SHA = hashlib.sha256(CSV).hexdigest()
OTHER = "0" * 64


@pytest.fixture
def places(tmp_path: Path) -> Places:
    (tmp_path / "downloads").mkdir()
    return Places(tmp_path / "downloads", None)


def at(address: str, *checksums: str) -> UrlFile:
    return UrlFile(source="url", url=address, sha256=list(checksums) or [SHA])


def own(path: Path | str, *checksums: str) -> PathFile:
    return PathFile(source="path", path=str(path), sha256=list(checksums) or [SHA])


def in_wheel(member: str = "demo/reviews.csv", checksum: str = SHA, package: str = "demo==1.0") -> WheelFile:
    return WheelFile(source="wheel", package=package, member=member, sha256=[checksum])


# --- url --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("ftp://example.org/a.vec", "begins with https:// or http://; set source: path for a local file"),
        ("file:///a.vec", "begins with https:// or http://; set source: path for a local file"),
        ("https:///a.vec", "begins with https:// or http://"),
        ("https://me:secret@example.org", "ends in the name of a file"),
        ("https://me:secret@example.org/?a=b", "ends in the name of a file"),
        ("https://example.org/a/..", "ends in the name of a file"),
        ("https://example.org/a/%2e%2e", "ends in the name of a file"),
        ("https://example.org/a%00b", "ends in the name of a file"),
    ],
)
def test_an_address_is_one_of_a_file(address, message):
    with pytest.raises(ParamsError, match=r"t\.url: expected an address that") as caught:
        validate({"source": "url", "url": address, "sha256": [SHA]}, UrlFile, "t")
    assert message in str(caught.value)
    assert "secret" not in str(caught.value)


class Server(ThreadingHTTPServer):
    """Answers with the given functions in turn, then always with the last."""

    daemon_threads = True

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), 0
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def address(self, path="reviews.csv", user=""):
        return f"http://{user}127.0.0.1:{self.server_port}/{path}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked += 1
        answers = self.server.answers
        (answers.pop(0) if len(answers) > 1 else answers[0])(self)

    def log_message(self, *_):
        pass


def answer(body=CSV, status=200, length=None, **headers):
    def send(handler):
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return send


@pytest.fixture
def serve(monkeypatch):
    monkeypatch.setattr(hosts, "PAUSE", 0.0)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    servers = []

    def start(*answers):
        servers.append(Server(*answers))
        return servers[-1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_download_is_kept_and_the_network_not_asked_again(places, serve):
    server = serve(answer())
    config = at(server.address("a%20b/reviews.csv?token=secret"))
    first = fetch(config, places, "demo")
    assert first == (places.downloads / SHA, "reviews.csv", SHA)
    assert first.path.read_bytes() == CSV
    assert fetch(config, places, "demo") == first
    assert server.asked == 1
    assert os.listdir(places.downloads) == [SHA]


def test_a_kept_file_that_changed_is_fetched_again(places, serve):
    server = serve(answer())
    (places.downloads / SHA).write_bytes(CSV.replace(b"good", b"goof"))
    assert fetch(at(server.address()), places, "demo").path.read_bytes() == CSV
    assert server.asked == 1


def test_any_of_the_checksums_is_good(places, serve):
    assert fetch(at(serve(answer()).address(), OTHER, SHA), places, "demo").sha256 == SHA


@pytest.mark.parametrize("body", [b"<html>Please log in</html>", b"", CSV[:-1] + b"x"])
def test_another_checksum_is_refused_and_kept_for_a_look(places, serve, body):
    config = at(serve(answer(body)).address())
    with pytest.raises(ArtifactError) as caught:
        fetch(config, places, "demo")
    assert SHA in str(caught.value)
    assert hashlib.sha256(body).hexdigest() in str(caught.value)
    assert (places.downloads / "reviews.csv.bad").read_bytes() == body
    assert os.listdir(places.downloads) == ["reviews.csv.bad"]


@pytest.mark.parametrize("failure", [answer(b"busy", 503), answer(CSV[:9], length=len(CSV)), lambda handler: None])
def test_two_failures_are_overcome(places, serve, failure):
    server = serve(failure, failure, answer())
    fetch(at(server.address()), places, "demo")
    assert server.asked == 3


def test_a_download_that_always_ends_early_says_how_much_came(places, serve):
    server = serve(answer(CSV[:9], length=len(CSV)))
    with pytest.raises(ArtifactError, match=f"expected {len(CSV)} bytes, got 9"):
        fetch(at(server.address()), places, "demo")
    assert server.asked == hosts.TRIES
    assert os.listdir(places.downloads) == []


@pytest.mark.parametrize(("failure", "what"), [(answer(b"", 404), "404"), (lambda handler: None, "ConnectionError")])
def test_a_host_that_fails_is_named_without_passwords(places, serve, capsys, failure, what):
    config = at(serve(failure).address("reviews.csv?key=secret", user="me:secret@"))
    with pytest.raises(
        ResourceError, match=rf"127\.0\.0\.1: cannot download reviews\.csv .*{what}.*source: path"
    ) as caught:
        fetch(config, places, "demo")
    assert "secret" not in str(caught.value) + capsys.readouterr().out


def test_a_silent_host_is_given_up(places, serve, monkeypatch):
    monkeypatch.setattr(hosts, "TIMEOUT", (0.2, 0.2))
    monkeypatch.setattr(hosts, "TRIES", 1)
    done = threading.Event()
    server = serve(lambda handler: done.wait(HANGS))
    with pytest.raises(ResourceError, match="ReadTimeout"):
        fetch(at(server.address()), places, "demo")
    done.set()


def test_a_closed_port_is_a_resource_error(places, serve):
    server = serve(answer())
    server.shutdown()
    server.server_close()
    with pytest.raises(ResourceError, match="ConnectionError"):
        fetch(at(server.address()), places, "demo")


def test_redirects_are_followed_but_only_to_http(places, serve):
    target = serve(answer())
    moved = serve(answer(b"", 302, Location=target.address("elsewhere").replace("127.0.0.1", "localhost")))
    fetch(at(moved.address()), places, "demo")
    assert target.asked == 1
    bad = serve(answer(b"", 302, Location="file:///etc/hostname"))
    with pytest.raises(ResourceError):
        fetch(at(bad.address(), OTHER), places, "demo")


# --- a host that lies -------------------------------------------------------------------------------------------------


def endless(piece: bytes, pause: float = 0.0, head: bytes = b"HTTP/1.0 200 OK\r\n\r\n"):
    """Sends pieces until the client hangs up, a minute at most."""

    def send(handler):
        handler.wfile.write(head)
        end = time.monotonic() + HANGS
        with suppress(OSError):
            while time.monotonic() < end:
                handler.wfile.write(piece)
                handler.wfile.flush()
                time.sleep(pause)

    return send


def raw(text: bytes):
    return lambda handler: handler.wfile.write(text)


def chunks(*sent: bytes):
    return raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(sent))


BOMB = gzip.compress(bytes(1 << 24))


@pytest.mark.parametrize(
    ("lie", "kind", "words"),
    [
        (endless(b"x" * 10_000), ArtifactError, "expected at most 1,000,000 bytes, got 1,0.*or more; set source: path"),
        (answer(b"x" * 2_000_000), ArtifactError, "expected at most 1,000,000 bytes, the host has 2,000,000"),
        (answer(b"", length="9" * 18), ArtifactError, "expected at most 1,000,000 bytes, the host has 999,9"),
        (answer(b"", length="9" * 30), ArtifactError, "Content-Length: '9+', not a number"),
        (answer(BOMB, **{"Content-Encoding": "gzip"}), ArtifactError, "expected at most 1,000,000 bytes, got 1,0"),
        (answer(b"no", **{"Content-Encoding": "gzip"}), ResourceError, "ContentDecodingError"),
        (answer(length="abc"), ArtifactError, "Content-Length: 'abc', not a number"),
        (answer(length="-5"), ArtifactError, "Content-Length: '-5', not a number"),
        (answer(length="1e3"), ArtifactError, "Content-Length: '1e3', not a number"),
        (answer(length="\u00b2"), ArtifactError, "Content-Length: '\u00b2', not a number"),
        (answer(length="29, 30"), ResourceError, "reviews.csv: the host's answer is not valid http|InvalidHeader"),
        (endless(b"x", 0.02), ResourceError, r"only \d+ bytes came in 0 s; try again later"),
        (endless(b"x", 0.02, b""), ResourceError, "only 0 bytes came in 0 s"),
        (endless(b"A: b\r\n", 0.02, b"HTTP/1.0 200 OK\r\n"), ResourceError, "only 0 bytes came in 0 s"),
        (endless(b"A: b\r\n", 0.0, b"HTTP/1.0 200 OK\r\n"), ResourceError, "ConnectionError"),
        (endless(b"A" * 1000, 0.0, b"HTTP/1.0 200 "), ResourceError, "ConnectionError"),
        (answer(b"", 302, Location="http://[::1/x"), ResourceError, "not valid http|InvalidURL"),
        (answer(b"", 302, Location="http://"), ResourceError, "302"),
        (answer(b"", 302, Location="http://a:99999999/x"), ResourceError, "InvalidURL|not valid http"),
        (answer(b"", 302, Location="\u00e9://x"), ResourceError, "cannot download|not valid http"),
        (answer(b"", 302, Location="reviews.csv"), ResourceError, "302|only 0 bytes came"),
        (chunks(b"zz\r\nabc"), ArtifactError, "expected more, got 0"),
        (chunks(b"-5\r\nabc"), ResourceError, "not valid http"),
        (chunks(b"3\r\nabc\r\n"), ArtifactError, "expected more, got 0"),
        (chunks(b"9" * 40 + b"\r\nabc"), ArtifactError, "expected more, got 0"),
        (raw(b"\xff\x00 hello"), ResourceError, "ConnectionError"),
        (raw(b"HTTP/1.1 abc OK\r\n\r\n"), ResourceError, "ConnectionError"),
        (raw(b"HTTP/1.1 999 OK\r\n\r\n"), ResourceError, "cannot download reviews.csv .999"),
        (endless(b"HTTP/1.1 100 Continue\r\n\r\n", 0.0, b""), ResourceError, "only 0 bytes came in 0 s"),
        (answer(CSV[5:], 206, **{"Content-Range": "bytes 5-33/34"}), ResourceError, "cannot download reviews.csv .206"),
        (answer(b"", 204), ResourceError, "cannot download reviews.csv .204"),
        (raw(b"ICY 200 OK\r\n\r\nabc"), ResourceError, "ConnectionError"),
        (endless(b"0" * 1000, 0.0, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), ArtifactError, "got 0"),
        (chunks(b"3;" + b"x" * 70_000 + b"\r\nabc\r\n"), ArtifactError, "expected more, got 0"),
    ],
)
def test_every_lie_of_a_host_is_one_line_and_bounded(places, serve, monkeypatch, lie, kind, words):
    monkeypatch.setattr(budget, "MOST", 1_000_000)
    monkeypatch.setattr(budget, "WINDOW", 0.2)
    config = at(serve(lie).address("reviews.csv?key=secret", user="me:secret@"))
    started = time.monotonic()
    with pytest.raises(kind, match=words) as caught:
        fetch(config, places, "demo")
    assert time.monotonic() - started < 5
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300
    assert os.listdir(places.downloads) == []


def test_a_host_that_never_ends_meets_the_deadline(places, serve, monkeypatch):
    monkeypatch.setattr(budget, "DEADLINE", 0.3)
    with pytest.raises(ResourceError, match=r"reviews\.csv: not complete after 0\.0 hours"):
        fetch(at(serve(endless(b"x" * 1000, 0.01)).address()), places, "demo")


def test_a_slow_host_is_waited_for(places, serve, monkeypatch):
    monkeypatch.setattr(budget, "WINDOW", 0.2)
    monkeypatch.setattr(budget, "LEAST", 20)

    def slowly(handler):
        handler.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n")
        for place in range(0, len(CSV), 5):
            time.sleep(0.05)
            handler.wfile.write(CSV[place : place + 5])

    monkeypatch.setattr(hosts, "CHUNK", 5)
    assert fetch(at(serve(slowly).address()), places, "demo").path.read_bytes() == CSV


def sized(server: Server, size: int) -> UrlFile:
    return UrlFile(source="url", url=server.address(), sha256=[SHA], size=size)


def test_a_pinned_size_stops_what_is_longer_and_tries_what_is_shorter_again(places, serve):
    size = len(CSV)
    fetch(sized(serve(answer()), size), places, "demo")
    (places.downloads / SHA).unlink()
    long = serve(answer(CSV * 1000))
    with pytest.raises(ArtifactError, match=f"expected {size} bytes, the host has {size * 1000:,}; correct `size`"):
        fetch(sized(long, size), places, "demo")
    assert long.asked == 1
    with pytest.raises(ArtifactError, match=f"expected {size} bytes, got [0-9,]+ or more"):
        fetch(sized(serve(endless(CSV * 1000)), size), places, "demo")
    short = serve(raw(b"HTTP/1.0 200 OK\r\n\r\n" + CSV[:9]))
    with pytest.raises(ArtifactError, match=f"expected {size} bytes, got 9; try again"):
        fetch(sized(short, size), places, "demo")
    assert short.asked == hosts.TRIES
    assert os.listdir(places.downloads) == []
    with pytest.raises(ArtifactError, match="expected sha256"):  # shorter, and the host says so: kept for a look
        fetch(sized(serve(answer(b"<html>")), size), places, "demo")
    assert (places.downloads / "reviews.csv.bad").read_bytes() == b"<html>"


@pytest.mark.parametrize("size", [0, -1, True, "29", 1 << 41])
def test_a_size_is_a_number_of_bytes(size):
    with pytest.raises(ParamsError, match=r"t\.size: expected"):
        validate({"source": "url", "url": "https://example.org/a.csv", "sha256": [SHA], "size": size}, UrlFile, "t")


# --- path -------------------------------------------------------------------------------------------------------------


def test_a_path_is_read_where_it_lies_and_checked(tmp_path, places):
    path = tmp_path / "mine.csv"
    path.write_bytes(CSV)
    assert fetch(own(path), places, "demo") == (path, "mine.csv", SHA)
    assert os.listdir(places.downloads) == []
    with pytest.raises(ArtifactError, match=rf"mine\.csv: expected sha256 {OTHER} or 1{{64}}, found {SHA}$"):
        fetch(own(path, OTHER, "1" * 64), places, "demo")


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda path: None, "no such file"),
        (Path.mkdir, "not a file"),
        (os.mkfifo, "not a file"),
        (lambda path: path.symlink_to("nowhere"), "no such file"),
    ],
)
def test_what_is_no_file_is_refused(tmp_path, places, make, what):
    make(tmp_path / "mine.csv")
    with pytest.raises(ArtifactError, match=f"mine.csv: {what}"):
        fetch(own(tmp_path / "mine.csv"), places, "demo")


# --- wheel ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def index(tmp_path, monkeypatch):
    """Makes a folder of wheels pip's only index."""
    folder = tmp_path / "index"
    folder.mkdir()
    with zipfile.ZipFile(folder / "demo-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("demo/__init__.py", "raise SystemExit('code of the wheel was run')")
        wheel.writestr("demo/reviews.csv", CSV)
        wheel.writestr("demo/about.md", b"about")
        wheel.writestr("demo-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n")
        wheel.writestr("demo-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("demo-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_a_member_of_a_wheel(places, index, monkeypatch):
    first = fetch(in_wheel(), places, "demo")
    assert first == (places.downloads / SHA, "reviews.csv", SHA)
    assert first.path.read_bytes() == CSV
    monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")
    assert fetch(in_wheel(), places, "demo") == first  # kept
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    with pytest.raises(ArtifactError, match=r"demo/other\.csv.*demo/reviews\.csv"):
        fetch(in_wheel("demo/other.csv", OTHER), places, "demo")
    with pytest.raises(ArtifactError, match=rf"demo==1\.0-reviews\.csv: expected sha256 {OTHER}, found {SHA}"):
        fetch(in_wheel(checksum=OTHER), places, "demo")


def test_a_wheel_is_downloaded_once_for_all_its_files(places, index, capsys):
    about = hashlib.sha256(b"about").hexdigest()
    found = fetch_members("demo==1.0", {"demo/reviews.csv": [SHA], "demo/about.md": [about]}, places)
    assert [file.name for file in found] == ["reviews.csv", "about.md"]
    assert sorted(os.listdir(places.downloads)) == sorted([SHA, about])
    assert capsys.readouterr().out.count("pip download") == 1


def test_a_wheel_that_is_not_there(places, index):
    with pytest.raises(ResourceError, match=r"pip download demo==9\.9"):
        fetch(in_wheel(package="demo==9.9"), places, "demo")


# --- the mirror, and what is kept -------------------------------------------------------------------------------------


def test_the_mirror_is_the_one_that_the_environment_names(tmp_path, monkeypatch):
    for value, mirror in (("/some/where", Path("/some/where")), ("", None)):
        monkeypatch.setenv(MIRROR, value)
        assert Places.of(tmp_path) == Places(tmp_path, mirror)
    monkeypatch.delenv(MIRROR)
    assert Places.of(tmp_path) == Places(tmp_path, None)


def test_the_mirror_stands_in_for_a_url_and_a_path(tmp_path, places, capsys):
    inside = Places(places.downloads, tmp_path / "mirror")
    file = tmp_path / "mirror/demo/reviews.csv"
    for config in (own("nowhere/reviews.csv"), at("https://host.invalid/some/reviews.csv")):
        with pytest.raises(ArtifactError, match=r"reviews\.csv: not in the mirror at .*/demo/reviews\.csv; put it"):
            fetch(config, inside, "demo")
    file.parent.mkdir(parents=True)
    file.write_bytes(CSV)
    assert fetch(own("nowhere/reviews.csv"), inside, "demo") == (file, "reviews.csv", SHA)
    kept = fetch(at("https://host.invalid/some/reviews.csv"), inside, "demo")
    assert kept == (places.downloads / SHA, "reviews.csv", SHA)
    assert capsys.readouterr().out.count(f"using the mirror's copy, {file}") == 2
    assert fetch(at("https://host.invalid/some/reviews.csv"), places, "demo") == kept
    assert "already downloaded" in capsys.readouterr().out


def test_a_full_disk_leaves_nothing(tmp_path):
    def receive(path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(ResourceError, match=r"No space left on device \([\d,]+ bytes are free\)"):
        Places(tmp_path, None).keep("a.csv", [SHA], receive)
    assert os.listdir(tmp_path) == []
