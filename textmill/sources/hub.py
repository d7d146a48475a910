"""Datasets from the Hugging Face hub, at a pinned revision, or from a folder laid out like the hub."""

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
    """A dataset on the Hugging Face hub, at a pinned revision."""

    source: Literal["hub"]
    repo: Repo  # repository on the Hugging Face hub, or below TEXTMILL_HUB_MIRROR, a folder with the same layout
    config: Column | None = None  # the hub's name for one of several tables
    revision: Revision  # commit of the repository
    # the hub's splits to use, and what each one is here: train, validation, test or unlabelled; null: a column says
    # it, or `split` divides the rows
    splits: Annotated[
        dict[Annotated[str, like(r"[\w.-]*\w", "the name of a split")], Split | None], Field(min_length=1)
    ]


def fetch_splits(dataset: Hub, raw: Path, places: Places) -> list[Part]:
    """Writes one parquet file per split, with the labels' names, and returns the files."""
    import pyarrow as pa

    parts = []
    for split, given in dataset.splits.items():
        where, file = f"{dataset.repo}, {split}", raw / f"{split}.parquet"
        with TemporaryDirectory() as cache:
            table = _load(dataset, split, where, places, cache)
            try:
                rows = _write(table, dataset.label, file)
            except (OSError, pa.ArrowException) as error:
                if getattr(error, "errno", None):  # the disk is at fault, not the data
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
    """Returns a split, from the cache of `datasets` or from the mirror, which is read in place, outside that cache."""
    import datasets

    datasets.logging.set_verbosity(datasets.logging.CRITICAL)
    if places.mirror:
        folder = places.in_mirror(wanted, *dataset.repo.split("/"))
        source = {"path": str(folder), "streaming": True, "cache_dir": cache}
    else:
        say(f"Downloading {wanted} from the Hugging Face hub")
        source = {"path": dataset.repo, "revision": dataset.revision}
    try:
        return datasets.load_dataset(**source, name=dataset.config, split=split)
    except ValueError as error:
        raise ParamsError(f"dataset.config or splits: {first_line(error)}") from error
    except Exception as error:  # the hub's HTTP client may raise anything
        raise no_hub(wanted, error) from error


def _write(table: "Table", label: str | None, file: Path) -> int:
    """Writes the rows in batches and returns how many there were."""
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
    """Returns the batch with class names for numbers, and null for -1, which means "no label" on the hub."""
    names = getattr((features or {}).get(label), "names", None)
    if not names:
        return batch
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers = batch[label].combine_chunks()
    known = pc.if_else(pc.greater_equal(numbers, 0), numbers, None)
    return batch.set_column(batch.column_names.index(label), label, pa.array(names).take(known))
