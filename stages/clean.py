"""Read the raw data, keep the rows that are documents, and count the others by reason."""

from pathlib import Path

import polars as pl
import polars.selectors as cs

from textmill.config import PARAMS, load_section
from textmill.console import say
from textmill.judging.slicing import EvaluateConfig
from textmill.parquet import append_parquet, write_parquet
from textmill.records.data import Classes, Clean
from textmill.rows.cleaning import CleanConfig, Cleaner, arrange, lines
from textmill.rows.columns import SLICE
from textmill.rows.reading import read_part
from textmill.rows.sorting import spool
from textmill.sources import load_dataset
from textmill.sources.parts import read_manifest


def main(raw: Path, docs: Path, labels: Path, metrics: Path, columns: Path, params: Path = PARAMS) -> None:
    """Writes one row of `docs` for each usable document, and the classes, in order, to `labels`.

    `columns` holds the columns to slice by, apart from the documents: another slice trains no model again.
    """
    dataset = load_dataset(params)
    config, sliced = load_section(params, "clean", CleanConfig), load_section(params, "evaluate", EvaluateConfig).slices
    cleaner = Cleaner(dataset.labels, config)
    with spool(docs) as kept:
        for part in read_manifest(raw):
            for rows in read_part(raw, part, dataset, config.max_chars, sliced):
                kept.add(cleaner.keep(rows))
        classes, facts = cleaner.finish()
        beside = []
        with append_parquet(docs) as append:
            for some in kept:
                rows = arrange(some)
                append(rows.drop(cs.starts_with(SLICE)))
                beside.append(rows.select("id", cs.starts_with(SLICE)) if sliced else rows.clear().select("id"))
        write_parquet(columns, pl.concat(beside))
    Classes(classes).write(labels)
    (counted := Clean(**facts)).write(metrics)
    for line in lines(counted):
        say(f"clean: {line}")
