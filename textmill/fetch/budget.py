"""The budget of a download: bytes, a least rate and a deadline, so that no host can fill the disk or never end."""

import queue
import threading
import time
from collections.abc import Generator, Iterable, Iterator

from textmill.errors import ArtifactError, ResourceError

MOST = 8 << 30  # bytes of a body when no `size` is pinned: as much as an unpacked file may have
LEAST = 1000  # bytes per second, over WINDOW: a poor mobile line has ten times that, a host that drips bytes less
WINDOW = 60.0  # seconds
DEADLINE = 6 * 3600.0  # seconds for the whole download: 8 GB at 3 Mbit/s
WAITING = 4  # pieces in memory


def in_time(pieces: Iterable[bytes], name: str) -> Generator[bytes, None, None]:
    """Yields the pieces of a download while they come fast enough. Raises ResourceError when they do not.

    pieces: read in a thread, because a read may wait for ever: a timeout of the socket starts again with every byte.
    The thread of a download that is given up ends with the process.
    """
    came: queue.Queue[bytes | BaseException | None] = queue.Queue(WAITING)
    given_up = threading.Event()

    def read() -> None:
        try:
            for piece in pieces:
                came.put(piece)
                if given_up.is_set():
                    return
            came.put(None)
        except BaseException as error:
            came.put(error)

    threading.Thread(target=read, daemon=True).start()
    started = since = time.monotonic()
    window = 0  # bytes
    try:
        while True:
            now = time.monotonic()
            if now - started > DEADLINE:
                raise ResourceError(
                    f"{name}: not complete after {DEADLINE / 3600:.1f} hours; use your own copy with source: path"
                )
            if now - since > WINDOW:
                if window < LEAST * WINDOW:
                    raise ResourceError(
                        f"{name}: only {window:,} bytes came in {now - since:.0f} s; try again later, or use your own "
                        "copy with source: path"
                    )
                since, window = now, 0
            try:
                piece = came.get(timeout=max(0.0, min(since + WINDOW, started + DEADLINE) - now) + 0.01)
            except queue.Empty:
                continue
            if piece is None:
                return
            if isinstance(piece, BaseException):
                raise piece
            window += len(piece)
            yield piece
    finally:
        given_up.set()
        while not came.empty():  # the thread may wait for room
            came.get_nowait()


def at_most(pieces: Iterable[bytes], name: str, size: int | None) -> Iterator[bytes]:
    """Yields the pieces of a download. Raises ArtifactError before it yields more bytes than expected.

    size: the pinned size, in bytes; None: MOST.
    """
    got = 0
    for piece in pieces:
        got += len(piece)
        check_size(got, name, size, "got")
        yield piece


def check_size(found: int, name: str, size: int | None, verb: str = "the host has") -> None:
    """Raises ArtifactError if these are more bytes than expected. size: as for `at_most`."""
    if found > (MOST if size is None else size):
        expected = f"at most {MOST:,}" if size is None else f"{size:,}"
        more = " or more" if verb == "got" else ""
        advice = "set source: path" if size is None else "correct `size`, or look at what the address gives"
        raise ArtifactError(f"{name}: expected {expected} bytes, {verb} {found:,}{more}; {advice}")
