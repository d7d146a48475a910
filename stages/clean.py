"""Read the raw data, keep the rows that are documents, and count the others under their reasons."""

from pathlib import Path

import polars as pl

from stages.run import run
from textmill.cleaning import CleanConfig, clean
from textmill.config import PARAMS, load_section
from textmill.console import say
from textmill.files import write_json, write_parquet
from textmill.sources import load_dataset
from textmill.sources.dataset import read_manifest
from textmill.tables import read_part


def main(raw: Path, docs: Path, labels: Path, metrics: Path, params: Path = PARAMS) -> None:
    """One row of `docs` is one usable document; `labels` holds the classes in their order."""
    dataset = load_dataset(params)
    config = load_section(params, "clean", CleanConfig)
    rows = pl.concat([read_part(raw, part, dataset, config.max_chars) for part in read_manifest(raw)])
    cleaned = clean(rows, dataset.labels, config)
    write_parquet(docs, cleaned.docs)
    write_json(labels, cleaned.labels)
    write_json(metrics, cleaned.facts)
    dropped = "".join(f", {count:,} {reason}" for reason, count in cleaned.facts["dropped"].items())
    say(f"clean: {len(cleaned.docs):,} documents of {len(rows):,} rows{dropped}")


if __name__ == "__main__":
    run(main)
