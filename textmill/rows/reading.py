"""Reads a part of the raw data as a table of strings."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from textmill.errors import ArtifactError, DataError, ParamsError
from textmill.fetch.archives import opened
from textmill.rows.columns import SLICE, ColumnError, check_columns
from textmill.rows.formats import Rows, read_rows
from textmill.rows.joining import joined
from textmill.rows.records import as_string
from textmill.sources.dataset import Dataset, FileDataset
from textmill.sources.parts import Part

COLUMNS = ("text", "label", "group", "split", "id")
ROWS = 50_000  # at most in a chunk
SIZE = 16 << 20  # characters of text in a chunk; the row that exceeds it is still in it


def read_part(
    raw: Path, part: Part, dataset: Dataset, max_chars: int, slices: Sequence[str] = ()
) -> Iterator[pl.DataFrame]:
    """Yields chunks with COLUMNS as str (null if empty); `file` and `row`, for messages; `how` the file was read; and
    what is `bad` about a row whose other columns are then null, or null.

    slices: more columns to read, by the file's names; here their names begin with SLICE. row: the line of a text file
    at which the row begins, or its number from 1 in json and parquet.

    Only a json list is held in memory as a whole, because it has to be parsed at once. Raises DataError, or
    ArtifactError if the file is damaged.
    """
    where = str(raw / part.file) + (f"!{part.member}" if part.member else "")
    sliced = {f"{SLICE}{name}": name for name in slices}
    wanted = _wanted(part, dataset, where) | sliced
    given = {"label": part.label, "split": part.split}
    texts = [name for name in wanted if name.startswith("text")]
    others = {name: pl.lit(given.get(name), pl.String) for name in COLUMNS if name not in wanted}
    others |= {"text": joined(texts)} if texts[1:] else {}
    count = 0
    with opened(raw / part.file, part.member) as file, _test_needs_labels(part):
        if part.format == "parquet":
            how, frames = None, _read_parquet(file, where, wanted)
        else:
            assert isinstance(dataset, FileDataset)  # files of the hub are parquet
            how, rows = read_rows(file, part.format, dataset, where, wanted, max_chars)
            frames = _frames(rows, list(wanted))
        known = {"file": pl.lit(where, pl.Categorical), "how": pl.lit(how).cast(pl.Categorical)}
        for frame in frames:
            count += len(frame)
            yield frame.with_columns(**others, **known).select(*COLUMNS, *sliced, "file", "how", "row", "bad")
    if not count:
        raise DataError(f"{where}: no rows")


@contextmanager
def _test_needs_labels(part: Part) -> Iterator[None]:
    try:
        yield
    except ColumnError as error:
        if part.split != "test" or error.key != "label":
            raise
        raise DataError(f"{error}; a test split needs labels; use `textmill predict` for texts without") from error


def _wanted(part: Part, dataset: Dataset, where: str) -> dict[str, str]:
    """Returns which of COLUMNS to read, with their names in the file. The second column of a text is 'text 2'."""
    first, *more = [dataset.text] if isinstance(dataset.text, str) else dataset.text
    wanted = {"text": first, **{f"text {number}": name for number, name in enumerate(more, 2)}}
    wanted |= {name: getattr(dataset, name) for name in COLUMNS[1:] if getattr(dataset, name) is not None}
    if part.label is not None or part.split == "unlabelled":
        wanted.pop("label", None)
    elif "label" not in wanted:
        raise ParamsError(f"dataset.label: null, but {where} has no label in dataset.members either; set one of them")
    if part.split is not None:
        wanted.pop("split", None)
    return wanted


def _frames(rows: Rows, names: list[str]) -> Iterator[pl.DataFrame]:
    schema = {"row": pl.UInt32, "bad": pl.String, **dict.fromkeys(names, pl.String)}
    texts = slice(2, 2 + sum(name.startswith("text") for name in names))  # they come first
    chunk, size = [], 0
    for row in rows:
        chunk.append(row)
        size += sum(len(cell) for cell in row[texts] if cell)
        if size >= SIZE or len(chunk) == ROWS:
            yield pl.DataFrame(chunk, schema, orient="row")
            chunk, size = [], 0
    if chunk:
        yield pl.DataFrame(chunk, schema, orient="row")


def _read_parquet(file: IO[bytes], where: str, wanted: dict[str, str]) -> Iterator[pl.DataFrame]:
    try:
        parquet, first = pq.ParquetFile(file, buffer_size=1 << 20, pre_buffer=False), 1
        check_columns(parquet.schema_arrow.names, where, wanted)
        for batch in parquet.iter_batches(
            _rows(parquet.metadata), columns=list(dict.fromkeys(wanted.values())), use_threads=False
        ):
            texts = pa.table(
                {key: _strings(batch[name], key, f"{where}, column {name!r}") for key, name in wanted.items()}
            )
            texts.validate(full=True)  # polars trusts that strings are UTF-8
            frame = cast(pl.DataFrame, pl.from_arrow(texts)).with_row_index("row", offset=first)
            yield frame.with_columns(bad=pl.lit(None, pl.String))
            first += len(texts)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise ArtifactError(f"{where}: not a complete parquet file: {error}") from error


def _rows(metadata: pq.FileMetaData) -> int:
    """Returns how many rows fill a chunk on average."""
    size = sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
    return max(1, min(ROWS, SIZE * metadata.num_rows // max(size, 1)))


def _strings(column: pa.Array, key: str, where: str) -> pa.Array:
    """Returns a column as strings: true for a bool, 1 for 1.0, null for NaN."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if key == "label" and (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return pa.array([as_string(value, label=True) for value in column.to_pylist()], pa.large_string())
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_nan(column), None, column)
    elif pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        raise DataError(f"{where}: expected texts, found {kind}")
    return column.cast(pa.large_string())
