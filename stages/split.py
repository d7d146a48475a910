"""Split the documents into train, validation, test and unlabelled; count and profile the splits."""

from contextlib import ExitStack
from functools import partial
from pathlib import Path

import polars as pl

from textmill.config import PARAMS, Seed, load_section
from textmill.console import say
from textmill.files import whole_folder
from textmill.parquet import append_parquet, read_batches, read_column
from textmill.records.data import Classes, Split, TrainInTest
from textmill.rows.near import near_copies, twins
from textmill.rows.profile import lines, profile
from textmill.rows.splits import SIDES, SPLITS, SplitConfig, outline, partition, without_twins


def main(docs: Path, labels: Path, out: Path, metrics: Path, params: Path = PARAMS) -> None:
    """Keeps the splits that the data has, and draws the others by `split` and `seed`; texts are never kept in memory.

    train_in_test.json: the rows of train.parquet whose texts are also in test.
    """
    config = load_section(params, "split", SplitConfig)
    seed = load_section(params, "seed", Seed)
    names = Classes.read(labels).root
    whole = pl.concat([outline(some, names) for some in read_batches(docs)])
    parts = partition(whole, names, config, seed)
    if config.twins == "leave_out":
        parts = without_twins(parts, whole, names, twins(partial(read_column, docs, "text"), parts.sides, seed))
    with whole_folder(out) as folder, ExitStack() as files:
        append = {name: files.enter_context(append_parquet(folder / f"{name}.parquet")) for name in SIDES.categories}
        done = 0
        for some in read_batches(docs):
            for name in append:
                append[name](some.filter(parts.sides[done : done + len(some)] == name).drop("split"))
            done += len(some)
        TrainInTest(parts.train_in_test).write(folder / TrainInTest.FILE)
    counts = parts.counts | profile(whole, parts.sides, names)
    sizes = {name: part["rows"] for name, part in counts["splits"].items()}
    near = near_copies({name: read_column(out / f"{name}.parquet", "text") for name in SPLITS}, sizes, seed)
    facts = Split(seed=seed, by=config.by, **counts, **near._asdict())
    facts.write(metrics)
    for line in lines(facts):
        say(f"split: {line}")
