"""Sorts rows by key without holding them all: writes sorted runs to disk, then returns one range of keys at a time.

An external merge sort (Knuth, The Art of Computer Programming 3, 5.4), with key ranges in place of the merge.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import numpy as np
import polars as pl
import pyarrow as pa

from textmill.files import writing

RUN = 128 << 20  # bytes in memory before they are sorted and written; less is never written
RANGES = 1024  # ranges of the keys; each must fit into memory, which holds up to 100 GB
FIRST = np.arange(1, RANGES, dtype=np.uint64) << np.uint64(64 - 10)  # the first key of each range except the lowest


class Spool:
    """Collects frames in any order. All have the same columns, among them `key`, UInt64."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.waiting: list[pl.DataFrame] = []
        self.size: float = 0  # their bytes
        self.runs: list[tuple[Path, np.ndarray]] = []  # each with the ranges that its record batches hold
        self.sizes = np.zeros(RANGES, np.int64)  # bytes in each range, over all runs

    def add(self, frame: pl.DataFrame) -> None:
        """Adds rows. Raises ResourceError if the disk is full."""
        self.waiting.append(frame)
        self.size += frame.estimated_size()
        if self.size >= RUN:
            self._write()

    def __iter__(self) -> Iterator[pl.DataFrame]:
        """Yields every row once. Each frame holds all rows of a range of keys, in any order; the ranges ascend."""
        if not self.runs:
            yield pl.concat(self.waiting)
            return
        if self.waiting:
            self._write()
        part = (np.cumsum(self.sizes) - self.sizes) // (RUN // 2)
        for ranges in np.split(np.arange(RANGES), np.flatnonzero(np.diff(part)) + 1):
            yield pl.concat([self._read(*run, ranges) for run in self.runs])

    def _write(self) -> None:
        """Writes a new run, with one record batch per range."""
        run = pl.concat(self.waiting).sort("key")
        self.waiting, self.size = [], 0
        table = run.to_arrow().combine_chunks()
        bounds = np.concatenate([[0], np.searchsorted(run["key"].to_numpy(), FIRST), [len(run)]])
        held = np.flatnonzero(np.diff(bounds))
        path = self.folder / f"{len(self.runs)}.arrow"
        with writing(path):
            self.folder.mkdir(parents=True, exist_ok=True)
            with pa.ipc.new_file(path, table.schema) as file:
                for number in held:
                    batch = table.slice(bounds[number], bounds[number + 1] - bounds[number])
                    file.write_table(batch)
                    self.sizes[number] += batch.nbytes
        self.runs.append((path, held))

    def _read(self, run: Path, held: np.ndarray, ranges: np.ndarray) -> pl.DataFrame:
        with pa.OSFile(str(run)) as file, pa.ipc.open_file(file) as batches:
            wanted = [batches.get_batch(int(number)) for number in np.flatnonzero(np.isin(held, ranges))]
            return cast(pl.DataFrame, pl.from_arrow(pa.Table.from_batches(wanted, batches.schema)))


@contextmanager
def spool(beside: Path) -> Iterator[Spool]:
    """Yields a Spool with its files in a hidden folder next to `beside`, its later output. Deletes the folder."""
    folder = beside.with_name(f".{beside.name}.spool.part")  # a fixed name: the next run deletes what a killed one left
    shutil.rmtree(folder, ignore_errors=True)
    try:
        yield Spool(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
