"""A dataset of the Hugging Face hub, at a pinned revision, or of a folder laid out like the hub."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from textmill.config import Repo, Revision, like
from textmill.console import say
from textmill.errors import ArtifactError, DataError, ParamsError
from textmill.fetch import Places
from textmill.fetch.hosts import first_line, no_hub
from textmill.files import sha256
from textmill.sources.dataset import Column, Dataset
from textmill.sources.naming import Split
from textmill.sources.parts import Part

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import Dataset as Table

BATCH = 10_000  # rows in memory at a time


class Hub(Dataset):
    """`splits`: the hub's splits to take, and what each is here; null: a column tells, or it is cut by `split`."""

    source: Literal["hub"]
    repo: Repo  # on the Hugging Face hub; TEXTMILL_HUB_MIRROR names a folder laid out alike
    config: Column | None = None  # the hub's name of one of several tables
    revision: Revision  # of the repository
    splits: Annotated[
        dict[Annotated[str, like(r"[\w.-]*\w", "the name of a split")], Split | None], Field(min_length=1)
    ]  # the hub's splits to take, and what each is here: train, validation, test, unlabelled; null: it is cut here


def fetch_splits(dataset: Hub, raw: Path, places: Places) -> list[Part]:
    """Write one parquet file per split, with the labels' names."""
    import pyarrow as pa

    parts = []
    for split, given in dataset.splits.items():
        where, file = f"{dataset.repo}, {split}", raw / f"{split}.parquet"
        with TemporaryDirectory() as cache:
            table = _load(dataset, split, where, places, cache)
            try:
                rows = _write(table, dataset.label, file)
            except (OSError, pa.ArrowException) as error:
                if getattr(error, "errno", None):  # the disk's fault, not the data's
                    raise
                raise ArtifactError(f"{where}: damaged: {error}") from error
        declared = (table.info.splits or {}).get(split)
        if rows == 0:
            raise DataError(f"{where}: no rows")
        if declared and declared.num_examples not in (rows, None):
            raise ArtifactError(f"{where}: expected {declared.num_examples:,} rows, got {rows:,}")
        parts.append(Part(file.name, sha256(file), "parquet", split=given))
    return parts


def _load(dataset: Hub, split: str, wanted: str, places: Places, cache: str) -> "Table":
    """Downloads go to datasets' own cache; a mirror is read where it lies and leaves nothing in that cache."""
    import datasets

    datasets.logging.set_verbosity(datasets.logging.CRITICAL)
    if places.mirror:
        folder = places.in_mirror(wanted, *dataset.repo.split("/"))
        source = {"path": str(folder), "streaming": True, "cache_dir": cache}
    else:
        say(f"{wanted}: from the Hugging Face hub")
        source = {"path": dataset.repo, "revision": dataset.revision}
    try:
        return datasets.load_dataset(**source, name=dataset.config, split=split)
    except ValueError as error:
        raise ParamsError(f"dataset.config or splits: {first_line(error)}") from error
    except Exception as error:  # whatever its HTTP client raises comes through
        raise no_hub(wanted, error) from error


def _write(table: "Table", label: str | None, file: Path) -> int:
    """Write the rows, a batch at a time; how many there were."""
    import pyarrow.parquet as pq

    count, writer = 0, None
    for batch in table.with_format("arrow").iter(batch_size=BATCH):
        batch = _named(batch, label, table.features).replace_schema_metadata(None)
        writer = writer or pq.ParquetWriter(file, batch.schema, compression="zstd")
        writer.write_table(batch)
        count += batch.num_rows
    if writer:
        writer.close()
    return count


def _named(batch: "pa.Table", label: str | None, features: dict) -> "pa.Table":
    """Class numbers as names; -1, the hub's sign for "no label", as null."""
    names = getattr((features or {}).get(label), "names", None)
    if not names:
        return batch
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers = batch[label].combine_chunks()
    known = pc.if_else(pc.greater_equal(numbers, 0), numbers, None)
    return batch.set_column(batch.column_names.index(label), label, pa.array(names).take(known))
