"""Files: written whole or not at all, and with the same bytes for the same content."""

import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from textmill.errors import ArtifactError, ResourceError, TextmillError
from textmill.refusals import is_memory, number_of

PART = ".textmill.part"  # the ending of temporary folders
TRIES = 20
LONE_SURROGATES = re.compile("[\ud800-\udfff]")  # halves of UTF-16 pairs, which JSON may contain and UTF-8 cannot


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns an OSError, or a library's error that names one, into a ResourceError that names the file."""
    try:
        yield
    except TextmillError:
        raise
    except Exception as error:
        number = number_of(error)
        if number is None and not isinstance(error, OSError):
            raise
        reason = os.strerror(number) if number else error  # pyarrow's strerror is long
        left = f" ({free(path):,} bytes are free)" if number == errno.ENOSPC else ""
        raise ResourceError(f"{path}: cannot be written: {reason}{left}") from error


def free(path: Path) -> int:
    """Returns the free bytes on the disk where `path` is or will be."""
    path = path.absolute()
    return shutil.disk_usage(next(there for there in [path, *path.parents] if there.exists())).free


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yields a temporary path; when the block ends, it is renamed to `path`.

    Also deletes what killed writers left in the folder. Several processes may write the same file; the last one wins.
    Raises ResourceError, leaving nothing behind, if the disk is full or the folder cannot be written.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path.parent)
        # A folder, because safetensors writes to a temporary file of its own, next to the one asked for.
        with _held(path.with_name(f".{path.name}.{os.getpid()}{PART}")) as folder:
            temporary = folder / path.name
            yield temporary
            with open(temporary, "rb+") as file:  # Windows flushes only files opened for writing
                os.fsync(file.fileno())
            os.replace(temporary, path)


@contextmanager
def scratch() -> Iterator[Path]:
    """Yields a folder for temporary files. Deletes it when the block ends, or, if that was killed, at the next call."""
    sweep(Path(tempfile.gettempdir()))
    with _held(Path(tempfile.mkdtemp(prefix=".textmill.", suffix=PART))) as folder:
        yield folder


def sweep(folder: Path) -> None:
    """Deletes what killed writers left in a folder: the temporary folders that no process holds. Not on Windows."""
    with suppress(OSError):
        for left in [folder / name for name in os.listdir(folder) if name.startswith(".") and name.endswith(PART)]:
            if (lock := _lock(left, wait=False)) is not None:
                shutil.rmtree(left, ignore_errors=True)
                os.close(lock)


@contextmanager
def _held(folder: Path) -> Iterator[Path]:
    """Makes a folder that `sweep` leaves alone as long as this process lives, and deletes it when the block ends."""
    for _ in range(TRIES):  # another process may sweep it before it is locked
        folder.mkdir(exist_ok=True)
        if (lock := _lock(folder, wait=True)) is not None:
            break
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def _lock(folder: Path, wait: bool) -> int | None:
    """Locks a folder and returns its descriptor, which holds the lock; None if it is held, gone or cannot be locked."""
    try:
        import fcntl
    except ImportError:  # Windows has no such locks
        return None
    try:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        if os.path.samestat(os.fstat(lock), folder.stat()):
            return lock
    except OSError:  # held, gone, or on a file system without locks
        pass
    os.close(lock)
    return None


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yields a new folder next to `path`; when the block ends, it replaces `path`. On an error it leaves nothing."""
    temporary = path.with_name(f".{path.name}.part")  # a fixed name: the stage's lock keeps other processes away
    try:
        with writing(path):
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir(parents=True)
            yield temporary
            if path.exists():
                shutil.rmtree(path)
            os.replace(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8 with LF line endings, on every system and in every locale."""
    with atomic(path) as temporary:
        temporary.write_bytes(text.encode("utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Writes JSON that is easy to read and to diff: indented, in the given order. Refuses NaN."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Returns a JSON file's content. Raises ArtifactError if it is missing or not JSON."""
    try:
        return parse_json(path.read_bytes(), path)
    except OSError as error:
        raise ArtifactError(f"{path}: {error.strerror}; run `dvc repro` to make it") from error


def parse_json(content: bytes, path: Path) -> Any:
    """Returns what is in the content of a JSON file. Raises ArtifactError, naming `path`, if it is not JSON."""
    try:
        text = content.decode("utf-8")
        value = json.loads(text)
        if "\\ud" in text.lower():  # half of a UTF-16 pair could not be written again
            json.dumps(value, ensure_ascii=False).encode()
        return value
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"{path}: not valid json ({error}); delete it and run `dvc repro`") from error


def sha256(path: Path) -> str:
    """Returns the hex digest of a file's bytes. Raises ArtifactError if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ArtifactError(f"{path}: {error.strerror}") from error


def digest(value: Any) -> str:
    """Returns the hex digest of plain data, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@contextmanager
def reading(path: Path, damaged: type[Exception]) -> Iterator[None]:
    """Turns a library's or the disk's error while reading into an ArtifactError that names the file.

    A lack of memory is no fault of the file: its error passes unchanged.
    """
    try:
        yield
    except (OSError, TypeError, damaged) as error:  # TypeError: an array type that numpy lacks
        if is_memory(error):
            raise
        reason = str(error).splitlines()[0]
        raise ArtifactError(f"{path}: cannot be read ({reason}); delete it and run `dvc repro`") from error


def write_csv(path: Path, frames: Iterable[Any]) -> None:
    """Writes polars frames (at least one, all with the same columns) as one csv."""
    with atomic(path) as temporary, open(temporary, "wb") as file:
        for number, frame in enumerate(frames):
            frame.write_csv(file, include_header=number == 0, float_precision=4)
