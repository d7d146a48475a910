"""Files, written whole or not at all, and with the same bytes for the same content."""

import csv
import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from textmill.errors import ArtifactError, ResourceError

LONE_SURROGATES = re.compile("[\ud800-\udfff]")  # halves of UTF-16 pairs: json brings them, and UTF-8 has none
ROW_GROUP = 4 << 20  # bytes of text in a row group of parquet: what a reader holds at a time
ROW = 100  # bytes that a row's other columns are taken to have


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the disk refuses into a ResourceError that names the file."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error  # pyarrow's strerror is a story
        left = f" ({free(path):,} bytes are free)" if error.errno == errno.ENOSPC else ""
        raise ResourceError(f"{path}: cannot be written: {reason}{left}") from error


def free(path: Path) -> int:
    """Bytes that are free on the disk where `path` is, or will be."""
    path = path.absolute()
    return shutil.disk_usage(next(there for there in [path, *path.parents] if there.exists())).free


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`; what the block wrote there gets the final name at its end.

    Raises ResourceError, with nothing left behind, if the disk is full or the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            with open(temporary, "rb") as file:
                os.fsync(file.fileno())
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A new folder beside `path` that takes its place at the end of the block, or leaves nothing."""
    temporary = path.with_name(f".{path.name}.part")  # one name: the stage's lock keeps others away
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
    """Write UTF-8 with LF line ends, on every system and in every locale."""
    with atomic(path) as temporary:
        temporary.write_bytes(text.encode("utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Write json for people and for diffs: indented, in the given order, NaN refused."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read json. Raises ArtifactError if it is missing or not json."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ArtifactError(f"{path}: {error.strerror}; run `dvc repro`, which makes it") from error
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"{path}: not valid json ({error}); delete it and run `dvc repro`") from error


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes. Raises ArtifactError if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ArtifactError(f"{path}: {error.strerror}") from error


def digest(value: Any) -> str:
    """Hex digest of plain data, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def write_arrays(path: Path, arrays: Mapping[str, Any], note: str) -> None:
    """Write numpy arrays as safetensors. `note` is kept in the header: what the arrays were made from.

    One header key only: safetensors writes two or more in an order of its own.
    """
    from safetensors.numpy import save_file

    with atomic(path) as temporary:
        save_file(dict(arrays), temporary, metadata={"from": note})


@contextmanager
def _reading(path: Path, damaged: type[Exception]) -> Iterator[None]:
    try:
        yield
    except (OSError, TypeError, damaged) as error:  # TypeError: an array of a type that numpy lacks
        reason = str(error).splitlines()[0]
        raise ArtifactError(f"{path}: cannot be read ({reason}); delete it and run `dvc repro`") from error


def read_arrays(path: Path) -> tuple[dict[str, Any], str]:
    """Arrays and the note of `write_arrays`. Raises ArtifactError if the file is missing or damaged."""
    from safetensors import SafetensorError, safe_open

    with _reading(path, SafetensorError), safe_open(path, framework="numpy") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, (file.metadata() or {}).get("from", "")  # noqa: SIM118


def map_arrays(path: Path) -> tuple[dict[str, Any], str]:
    """As `read_arrays`, but flat, read-only, and on disk until they are used. For int32 and int64."""
    import numpy as np
    from safetensors import SafetensorError, safe_open

    with _reading(path, SafetensorError), safe_open(path, framework="numpy"), open(path, "rb") as file:  # it checks
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
        data = np.asarray(np.memmap(file, np.uint8, "r", offset=8 + size))
    note = header.pop("__metadata__", {}).get("from", "")
    kinds = {"I32": np.int32, "I64": np.int64}
    return {name: data[slice(*of["data_offsets"])].view(kinds[of["dtype"]]) for name, of in header.items()}, note


def read_parquet(path: Path, columns: Sequence[str] | None = None) -> Any:
    """Read parquet as one polars frame. Raises ArtifactError if it is missing or damaged."""
    import polars as pl

    with _reading(path, pl.exceptions.PolarsError):
        return pl.read_parquet(path, columns=columns)


def read_batches(path: Path, columns: Sequence[str] | None = None) -> Iterator[Any]:
    """Read parquet as polars frames, a row group at a time (of `append_parquet`: some 4 MB of text).

    Raises ArtifactError if it is missing or damaged.
    """
    import polars as pl
    import pyarrow as pa
    import pyarrow.parquet as pq

    with _reading(path, pa.ArrowException), pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            yield pl.from_arrow(file.read_row_group(group, columns, use_threads=False))


def count_rows(path: Path) -> int:
    """Rows of a parquet file. Raises ArtifactError if it is missing or damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with _reading(path, pa.ArrowException):
        return pq.read_metadata(path).num_rows


def read_history(path: Path) -> list[dict[str, float | None]]:
    """The rows of a learning curve, one an epoch: None where a cell is empty."""
    with open(path, encoding="utf-8", newline="") as file:
        return [{key: float(cell) if cell else None for key, cell in row.items()} for row in csv.DictReader(file)]


def write_parquet(path: Path, frame: Any) -> None:
    """Write a polars frame as parquet."""
    with atomic(path) as temporary:
        frame.write_parquet(temporary, compression="zstd", statistics=False)


@contextmanager
def append_parquet(path: Path) -> Iterator[Callable[[Any], None]]:
    """A function that appends polars frames, one at least, to a new file; one of their columns is the string `text`.

    Row groups are cut by the size of their texts, so that the file has the same bytes however its rows came in frames.
    """
    with atomic(path) as temporary, closing(_RowGroups(path, temporary)) as groups:
        yield groups.append
        groups.flush()


class _RowGroups:
    def __init__(self, path: Path, temporary: Path):
        self.path, self.temporary, self.writer = path, temporary, None
        self.size = 0  # bytes so far
        self.group, self.waiting = 0, []  # the row group that is being filled, and its frames

    def append(self, frame: Any) -> None:
        sizes = frame["text"].str.len_bytes().fill_null(0) + ROW
        ends = sizes.cum_sum().cast(int) + self.size
        groups, start = (ends - sizes) // ROW_GROUP, 0  # a row belongs where it begins
        for length, group in groups.rle().struct.unnest().iter_rows():
            if group != self.group:
                self.flush()
                self.group = group
            self.waiting.append(frame[start : start + length])
            start += length
        self.waiting = self.waiting or [frame]  # it has no rows, but columns
        self.size = ends[-1] if start else self.size

    def flush(self) -> None:
        import polars as pl
        import pyarrow.parquet as pq

        table = pl.concat(self.waiting).to_arrow().combine_chunks()
        self.waiting = []
        with writing(self.path):
            if self.writer is None:
                repeated = [name for name in table.column_names if name not in ("id", "text")]
                self.writer = pq.ParquetWriter(
                    self.temporary, table.schema, compression="zstd", use_dictionary=repeated, write_statistics=False
                )
            self.writer.write_table(table)

    def close(self) -> None:
        if self.writer is not None:
            with writing(self.path):
                self.writer.close()
