"""Tables as parquet, read and written whole or one row group at a time."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from textmill.files import atomic, reading, writing

if TYPE_CHECKING:
    import polars as pl

ROW_GROUP = 4 << 20  # bytes of text per row group: what a reader holds at a time
ROW = 100  # assumed bytes of a row's other columns


def read_parquet(path: Path, columns: list[str] | None = None) -> "pl.DataFrame":
    """Returns a parquet file as one polars frame. Raises ArtifactError if it is missing or damaged."""
    import polars as pl

    with reading(path, pl.exceptions.PolarsError):
        return pl.read_parquet(path, columns=columns)


def read_batches(path: Path, columns: list[str] | None = None) -> Iterator["pl.DataFrame"]:
    """Yields a parquet file as polars frames, a row group at a time (about 4 MB of text by `append_parquet`).

    Raises ArtifactError if it is missing or damaged.
    """
    import polars as pl
    import pyarrow as pa
    import pyarrow.parquet as pq

    with reading(path, pa.ArrowException), pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            yield cast(pl.DataFrame, pl.from_arrow(file.read_row_group(group, columns, use_threads=False)))


def read_column(path: Path, name: str) -> Iterator["pl.Series"]:
    """Yields one column, as polars Series, one row group at a time."""
    return (some[name] for some in read_batches(path, [name]))


def count_rows(path: Path) -> int:
    """Returns the number of rows of a parquet file. Raises ArtifactError if it is missing or damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with reading(path, pa.ArrowException):
        return pq.read_metadata(path).num_rows


def write_parquet(path: Path, frame: "pl.DataFrame") -> None:
    """Writes a polars frame as parquet."""
    with atomic(path) as temporary:
        frame.write_parquet(temporary, compression="zstd", statistics=False)


@contextmanager
def append_parquet(path: Path) -> Iterator[Callable[["pl.DataFrame"], None]]:
    """Yields a function that appends polars frames (at least one, with a string column `text`) to a new file.

    Row groups are split by the size of their texts, so the file has the same bytes however its rows are grouped into
    frames.
    """
    with atomic(path) as temporary, closing(_RowGroups(path, temporary)) as groups:
        yield groups.append
        groups.flush()


class _RowGroups:
    def __init__(self, path: Path, temporary: Path):
        self.path, self.temporary = path, temporary
        self.writer: Any = None  # pyarrow's
        self.size = 0  # bytes so far
        self.group = 0  # the row group that is being filled
        self.waiting: list[pl.DataFrame] = []  # its frames so far

    def append(self, frame: "pl.DataFrame") -> None:
        sizes = frame["text"].str.len_bytes().fill_null(0) + ROW
        ends = sizes.cum_sum().cast(int) + self.size
        groups, start = (ends - sizes) // ROW_GROUP, 0  # a row belongs to the group that it begins in
        for length, group in groups.rle().struct.unnest().iter_rows():
            if group != self.group:
                self.flush()
                self.group = group
            self.waiting.append(frame[start : start + length])
            start += length
        self.waiting = self.waiting or [frame]  # a frame without rows still has columns
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
