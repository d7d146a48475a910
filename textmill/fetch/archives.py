"""Reading of .gz, .bz2, .zip and .tar files, with a limit on size; nothing is ever extracted under its own name."""

import bz2
import errno
import gzip
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from tempfile import SpooledTemporaryFile, gettempdir
from typing import IO, Any, NamedTuple

from textmill.errors import ArtifactError, ResourceError

FORMATS = ("csv", "tsv", "json", "jsonl", "txt", "parquet", "fasttext")
UNPACK: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".tgz": gzip.open, ".bz2": bz2.open}

MAX_BYTES = 8 << 30  # size of one unpacked file
MAX_RATIO = 100  # unpacked size to packed size; text reaches 10, zip bombs 1,000
HARMLESS = 100 << 20  # bytes; smaller files may have any ratio
IN_MEMORY = 64 << 20  # bytes; larger files are unpacked into an unnamed temporary file

DAMAGED = (OSError, EOFError, RuntimeError, zlib.error, lzma.LZMAError, struct.error, tarfile.TarError,
           zipfile.BadZipFile)  # fmt: skip
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


# The first bytes of files that are not text, whatever their names say.
BEGINNINGS = {
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an Excel file of the old kind; save it as csv (UTF-8)",
    b"PK\x03\x04": "a zip file; give it the ending .zip, or unpack it",
    b"\x1f\x8b": "packed by gzip; give it the ending .gz, or unpack it",
    b"PAR1": "a parquet file; give it the ending .parquet",
    b"BZh": "packed by bzip2; give it the ending .bz2, or unpack it",
    b"%PDF": "a PDF; save its texts as csv",
}
SHEETS = ("xl/", "content.xml")  # a zip file with these members is a spreadsheet


class Member(NamedTuple):
    """A file in an archive."""

    name: str
    plain: bool  # not a folder, link, device or sparse file, and its name does not point outside the archive
    open: Callable[[], IO[bytes]]


def format_of(name: str) -> str | None:
    """Returns the format that a file's name implies ('reviews.csv.gz' -> 'csv'), or None."""
    ending = _unpacked_name(name).rpartition(".")[2]
    return ending if ending in FORMATS else None


def is_archive(name: str) -> bool:
    """Returns whether a file with this name is an archive."""
    return _unpacked_name(name).endswith((".zip", ".whl", ".tar"))


def members(path: Path) -> list[str]:
    """Returns the names of the plain files in an archive. Raises ArtifactError if it is damaged."""
    with _explained(str(path)), _unpacked(path) as file, _archive(path.name, file) as listing:
        return [member.name for member in listing if member.plain]


def contents_of(file: IO[bytes]) -> str:
    """Returns what a file is if its first bytes show that it is not a text table, and what to do; "" otherwise.

    Leaves the file at its start.
    """
    head = file.read(8)
    file.seek(0)
    what = next((what for mark, what in BEGINNINGS.items() if head.startswith(mark)), "")
    if head.startswith(b"PK"):
        try:
            with zipfile.ZipFile(file) as archive:
                if any(name.startswith(SHEETS) for name in archive.namelist()):
                    what = "a spreadsheet; save it as csv (UTF-8)"
        except zipfile.BadZipFile:
            what = "the beginning of a zip or Excel file; get the whole file, and save a spreadsheet as csv (UTF-8)"
        file.seek(0)
    return what


@contextmanager
def opened(path: Path, name: str | None = None) -> Iterator[IO[bytes]]:
    """Yields a seekable file with the unpacked bytes of a file, or of one member of an archive.

    Raises ArtifactError, possibly during reading, if it is damaged or a zip bomb, or if the archive does not have
    exactly one plain member of that name; ResourceError if there is no room for the unpacked bytes.
    """
    where = f"{path}!{name}" if name else str(path)
    with _explained(where), _unpacked(path) as file, _member(where, path.name, file, name) as stream:
        yield stream


@contextmanager
def streamed(path: Path, called: str, name: str | None = None) -> Iterator[IO[bytes]]:
    """Yields what `opened` yields, but to be read once, from the start: a .gz or .bz2 is unpacked as it is read.

    called: the file's original name, which shows how it is packed; `path` may be named otherwise.
    """
    where = f"{called}!{name}" if name else called
    unpack = UNPACK.get(PurePosixPath(called).suffix.lower(), open)
    with _explained(where), unpack(path, "rb") as file, _member(where, called, file, name) as stream:
        yield stream


@contextmanager
def _member(where: str, archive: str, file: IO[bytes], name: str | None) -> Iterator[IO[bytes]]:
    if name is None:
        yield file
        return
    with _archive(archive, file) as listing:
        found = [member for member in listing if member.name == name]
        if len(found) != 1 or not found[0].plain:
            what = "a link, a device or an unsafe name" if len(found) == 1 else len(found) or "none"
            others = ", ".join(member.name for member in listing[:10] if member.plain)
            raise ArtifactError(f"{where}: expected one plain file of that name, found {what}; files: {others}")
        with found[0].open() as stream:
            yield stream


@contextmanager
def _unpacked(path: Path) -> Iterator[IO[bytes]]:
    unpack = UNPACK.get(path.suffix.lower())
    if unpack is None:
        with open(path, "rb") as file:
            yield file
        return
    with unpack(path) as packed, SpooledTemporaryFile(IN_MEMORY) as file:
        while data := packed.read(1 << 20):
            file.write(data)
            _bound(file.tell(), path.stat().st_size)
        file.seek(0)
        yield file


@contextmanager
def _archive(name: str, file: IO[bytes]) -> Iterator[list[Member]]:
    if _unpacked_name(name).endswith(".tar"):
        with tarfile.open(fileobj=file, mode="r:") as tar:

            def untar(info: tarfile.TarInfo) -> IO[bytes]:
                file = tar.extractfile(info)
                assert file is not None  # it is plain
                return file

            yield [
                Member(info.name, info.isreg() and not info.issparse() and _safe(info.name), partial(untar, info))
                for info in tar
            ]
    else:
        with zipfile.ZipFile(file) as archive:

            def unzip(info: zipfile.ZipInfo) -> IO[bytes]:
                _bound(info.file_size, info.compress_size)  # zipfile never returns more bytes than declared
                return archive.open(info)

            yield [
                Member(info.filename, stat.S_IFMT(info.external_attr >> 16) in (0, stat.S_IFREG) and not info.is_dir()
                       and _safe(info.filename), partial(unzip, info))
                for info in archive.infolist()
            ]  # fmt: skip


def _safe(name: str) -> bool:
    return not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts


def _bound(size: int, packed: int) -> None:
    if size > min(MAX_BYTES, max(HARMLESS, MAX_RATIO * packed)):
        raise OSError(f"{packed:,} bytes unpack to {size:,} or more")


@contextmanager
def _explained(where: str) -> Iterator[None]:
    try:
        yield
    except DAMAGED as error:
        problem = getattr(error, "strerror", None) or error
        if getattr(error, "errno", None) in FULL:
            raise ResourceError(
                f"{where}: no room to unpack it in {gettempdir()} ({problem}); free some space or set TMPDIR"
            ) from error
        raise ArtifactError(f"{where}: damaged, or not the kind of file that its name says: {problem}") from error


def _unpacked_name(name: str) -> str:
    name = name.lower()
    return f"{name[:-4]}.tar" if name.endswith(".tgz") else name.removesuffix(".gz").removesuffix(".bz2")
