"""Packed files: the same bytes from every format, and none of the tricks that archives can play."""

import bz2
import gzip
import io
import stat
import tarfile
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import small_disk
from hypothesis import given
from hypothesis import strategies as st

from textmill.errors import ArtifactError, ResourceError
from textmill.fetch import archives
from textmill.fetch.archives import format_of, is_archive, members, opened, streamed

DATA = b"text,label\n" + b"".join(b"text %d,pos\n" % number for number in range(2000))
NAME = "in/reviews.csv"


def tar(mode: str, *files: tarfile.TarInfo | tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for file in files:
            if isinstance(file, tarfile.TarInfo):
                archive.addfile(file)
            else:
                info = tarfile.TarInfo(file[0])
                info.size = len(file[1])
                archive.addfile(info, io.BytesIO(file[1]))
    return out.getvalue()


def zipped(*files: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return out.getvalue()


FILES = (("about.md", b"about"), (NAME, DATA))
PACKED = {
    "reviews.csv": (DATA, None),
    "reviews.csv.gz": (gzip.compress(DATA, mtime=0), None),
    "reviews.csv.bz2": (bz2.compress(DATA), None),
    "reviews.zip": (zipped(*FILES), NAME),
    "reviews.tar": (tar("w", *FILES), NAME),
    "reviews.TAR.GZ": (tar("w:gz", *FILES), NAME),
    "reviews.tgz": (tar("w:gz", *FILES), NAME),
    "reviews.tar.bz2": (tar("w:bz2", *FILES), NAME),
}


def read(path: Path, data: bytes, member: str | None) -> bytes:
    path.write_bytes(data)
    with opened(path, member) as file:
        found = file.read()
        file.seek(0)
        assert file.read() == found
        return found


@pytest.mark.parametrize("name", PACKED)
def test_the_same_bytes_out_of_every_packing(tmp_path, name):
    data, member = PACKED[name]
    assert read(tmp_path / name, data, member) == DATA
    assert is_archive(name) == (member is not None)
    assert format_of(name) == (None if member else "csv")
    if member:
        assert members(tmp_path / name) == ["about.md", NAME]


@pytest.mark.parametrize("name", PACKED)
def test_bytes_that_pass_by_are_the_same_and_stored_nowhere(tmp_path, monkeypatch, name):
    data, member = PACKED[name]
    (tmp_path / "0123").write_bytes(data)  # kept by its checksum, say
    monkeypatch.delattr(archives, "SpooledTemporaryFile")
    with streamed(tmp_path / "0123", name, member) as file:
        assert b"".join(iter(lambda: file.read(1000), b"")) == DATA
    if name != "reviews.csv":
        (tmp_path / "0123").write_bytes(data[: len(data) // 2])
        with pytest.raises(ArtifactError, match=f"^{name}.*damaged"), streamed(tmp_path / "0123", name, member) as file:
            file.read()


@pytest.mark.parametrize("name", [name for name in PACKED if name != "reviews.csv"])
@pytest.mark.parametrize("change", [lambda data: data[: len(data) // 2], lambda data: data[:5], lambda data: DATA])
def test_a_damaged_file_is_named(tmp_path, name, change):
    data, member = PACKED[name]
    with pytest.raises(ArtifactError, match=f"{name}.*damaged"):
        read(tmp_path / name, change(data), member)


def test_bytes_after_the_end_of_a_gz_are_refused(tmp_path):
    with pytest.raises(ArtifactError, match="damaged"):
        read(tmp_path / "a.csv.gz", gzip.compress(DATA, mtime=0) + b"garbage", None)


def odd(kind: bytes, **keys) -> tarfile.TarInfo:
    info = tarfile.TarInfo(NAME)
    info.type = kind
    for key, value in keys.items():
        setattr(info, key, value)
    return info


def link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(NAME)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


SPARSE = tarfile.TarInfo(NAME)
SPARSE.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.map": "0,0",
                      "GNU.sparse.size": str(10 << 30)}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.tar", tar("w", odd(tarfile.SYMTYPE, linkname="/etc/passwd"))),
        ("a.tar", tar("w", odd(tarfile.LNKTYPE, linkname="about.md"))),
        ("a.tar", tar("w", odd(tarfile.CHRTYPE, devmajor=1, devminor=5))),
        ("a.tar", tar("w", odd(tarfile.FIFOTYPE))),
        ("a.tar", tar("w", odd(tarfile.DIRTYPE))),
        ("a.tar", tar("w", SPARSE)),
        ("a.tar", tar("w", (NAME, b"one"), (NAME, b"two"))),
        ("a.zip", zipped((link(), b"/etc/passwd"))),
        ("a.zip", zipped(FILES[0])),
    ],
)
def test_only_one_plain_member_is_read(tmp_path, name, data):
    with pytest.raises(ArtifactError, match=f"{name}!{NAME}"):
        read(tmp_path / name, data, NAME)


@pytest.mark.parametrize("member", ["../reviews.csv", "/reviews.csv", "in/../../reviews.csv"])
def test_names_that_point_elsewhere_are_refused(tmp_path, member):
    for name, data in (("a.tar", tar("w", (member, DATA))), ("a.zip", zipped((member, DATA)))):
        with pytest.raises(ArtifactError, match="unsafe"):
            read(tmp_path / name, data, member)
        assert members(tmp_path / name) == []


def test_bombs_are_stopped_on_the_way(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "HARMLESS", 1 << 20)
    bomb = bytes(8 << 20)
    for name, data, member in (
        ("a.csv.gz", gzip.compress(bomb, mtime=0), None),
        ("a.csv.bz2", bz2.compress(bomb), None),
        ("a.zip", zipped((NAME, bomb)), NAME),
        ("a.tar.gz", tar("w:gz", ("first", bomb), (NAME, DATA)), NAME),
    ):
        with pytest.raises(ArtifactError, match="unpack to"):
            read(tmp_path / name, data, member)


def test_no_room_to_unpack_is_not_called_damage(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "IN_MEMORY", 1000)
    data = gzip.compress(DATA, mtime=0)
    with small_disk(len(data) + 100), pytest.raises(ResourceError, match=r"a\.csv\.gz: no room to unpack it in "):
        read(tmp_path / "a.csv.gz", data, None)


def test_a_zip_with_a_password_is_refused(tmp_path):
    data = bytearray(zipped((NAME, DATA)))
    data[6] |= 1  # the flag "encrypted", in the local header and in the directory
    data[data.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(ArtifactError, match="password"):
        read(tmp_path / "a.zip", bytes(data), NAME)


@given(name=st.sampled_from(sorted(PACKED)), data=st.data())
def test_no_damage_raises_anything_else(tmp_path_factory, name, data):
    raw, member = PACKED[name]
    raw = bytearray(raw[: data.draw(st.integers(0, len(raw)))] if data.draw(st.booleans()) else raw)
    for position in data.draw(st.lists(st.integers(0, max(0, len(raw) - 1)), max_size=4)):
        raw[position : position + 1] = data.draw(st.binary(min_size=1, max_size=1))
    with suppress(ArtifactError):
        read(tmp_path_factory.getbasetemp() / name, bytes(raw), member)
