"""Read the raw data, keep the rows that are documents, and count the others under their reasons."""

from pathlib import Path

from textmill.config import PARAMS, load_section
from textmill.console import say
from textmill.files import write_json
from textmill.parquet import append_parquet
from textmill.results.data import Clean
from textmill.rows.cleaning import CleanConfig, Cleaner, arrange, told
from textmill.rows.reading import read_part
from textmill.rows.sorting import spool
from textmill.sources import load_dataset
from textmill.sources.parts import read_manifest
from textmill.stage import run


def main(raw: Path, docs: Path, labels: Path, metrics: Path, params: Path = PARAMS) -> None:
    """One row of `docs` is one usable document; `labels` holds the classes in their order."""
    dataset = load_dataset(params)
    config = load_section(params, "clean", CleanConfig)
    cleaner = Cleaner(dataset.labels, config)
    with spool(docs) as kept:
        for part in read_manifest(raw):
            for rows in read_part(raw, part, dataset, config.max_chars):
                kept.add(cleaner.keep(rows))
        classes, facts = cleaner.finish()
        with append_parquet(docs) as append:
            for some in kept:
                append(arrange(some))
    write_json(labels, classes)
    counted = Clean(**facts)
    counted.write(metrics)
    for line in told(counted):
        say(f"clean: {line}")


if __name__ == "__main__":
    run(main)
