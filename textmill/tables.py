"""A part of the raw data as a table of strings."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from textmill.errors import ArtifactError, DataError, ParamsError
from textmill.records import Rows, check_columns, read_rows
from textmill.sources.dataset import Dataset, Part
from textmill.sources.packing import opened

COLUMNS = ("text", "label", "group", "split", "id")
CHUNK = 50_000  # rows held as Python objects


def read_part(raw: Path, part: Part, dataset: Dataset, max_chars: int) -> pl.DataFrame:
    """COLUMNS as str, null where there is nothing, and `file` and `row`, which name a row in messages.

    row: where it begins: its line in a text file, its number from 1 in json and parquet.
    Raises DataError, or ArtifactError if the file is damaged.
    """
    where = str(raw / part.file) + (f"!{part.member}" if part.member else "")
    wanted = _wanted(part, dataset, where)
    with opened(raw / part.file, part.member) as file:
        if part.format == "parquet":
            frame = _read_parquet(file, where, wanted)
        else:
            frame = _frame(read_rows(file, part.format, dataset, where, wanted, max_chars), wanted)
    if frame.is_empty():
        raise DataError(f"{where}: no rows")
    given = {"label": part.label, "split": part.split}
    absent = {name: pl.lit(given.get(name), pl.String) for name in COLUMNS if name not in wanted}
    return frame.with_columns(**absent, file=pl.lit(where, pl.Categorical)).select(*COLUMNS, "file", "row")


def _wanted(part: Part, dataset: Dataset, where: str) -> dict[str, str]:
    """Which of COLUMNS to read, each with its name in the file."""
    wanted = {name: getattr(dataset, name) for name in COLUMNS if getattr(dataset, name) is not None}
    if part.label is not None or part.split == "unlabelled":
        wanted.pop("label", None)
    elif "label" not in wanted:
        raise ParamsError(f"dataset.label: null, but {where} has no label in dataset.members either; give one of them")
    if part.split is not None:
        wanted.pop("split", None)
    return wanted


def _frame(rows: Rows, names: Iterable[str]) -> pl.DataFrame:
    schema = {"row": pl.UInt32, **dict.fromkeys(names, pl.String)}
    chunks = [pl.DataFrame(schema=schema)]
    while chunk := list(islice(rows, CHUNK)):
        chunks.append(pl.DataFrame(chunk, schema, orient="row"))
    return pl.concat(chunks)


def _read_parquet(file: BinaryIO, where: str, wanted: dict[str, str]) -> pl.DataFrame:
    try:
        parquet = pq.ParquetFile(file)
        check_columns(parquet.schema_arrow.names, where, wanted)
        table = parquet.read(columns=list(wanted.values()))
        texts = pa.table({key: _strings(table[name], f"{where}, column {name!r}") for key, name in wanted.items()})
        texts.validate(full=True)  # polars trusts that strings are UTF-8
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise ArtifactError(f"{where}: not a whole parquet file: {error}") from error
    return pl.from_arrow(texts).with_row_index("row", offset=1)


def _strings(column: pa.ChunkedArray, where: str) -> pa.ChunkedArray:
    """As strings: true for a bool, 1 for 1.0, null for NaN."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_nan(column), None, column)
    elif pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        raise DataError(f"{where}: expected texts, found {kind}")
    return column.cast(pa.large_string())
