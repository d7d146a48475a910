"""List the documents whose labels look wrong, with their texts, for people to read."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import SpooledTemporaryFile

import polars as pl

from textmill.annotation.suspects import encoded, escape_formulas, judge, most_suspicious, summary
from textmill.config import PARAMS, Seed, load_section
from textmill.console import say
from textmill.files import write_csv
from textmill.parquet import read_batches
from textmill.records.data import Classes
from textmill.report.labels import suspects_line
from textmill.rows.splits import SPLITS, SplitConfig, pieces
from textmill.text.counting import IN_MEMORY
from textmill.text.encoding import Encoded, classes


def main(splits: Path, labels: Path, table: Path, out: Path, params: Path = PARAMS) -> None:
    """Judges all documents of train, validation and test by models that were not trained on them or their groups.

    table: for a spreadsheet; out: for the page.
    """
    by, seed = load_section(params, "split", SplitConfig).by, load_section(params, "seed", Seed)
    names = Classes.read(labels).root

    def read(columns: list[str]) -> Iterator[pl.DataFrame]:
        for split in SPLITS:
            for some in read_batches(splits / f"{split}.parquet", columns):
                yield some.with_columns(split=pl.lit(split))

    docs = pl.concat(read(["id", "label"]))
    tied = pieces(read(["text", "label", "group"]), names, by)
    with SpooledTemporaryFile(IN_MEMORY) as spill:
        ids, vocabulary = encoded(lambda: (some["text"] for some in read(["text"])), spill)
    found = judge(Encoded(ids, classes(docs["label"], names)), tied, vocabulary, len(names), seed)
    most = most_suspicious(found, docs, names)
    texts = pl.concat(some.filter(pl.col("id").is_in(most["id"].implode())) for some in read(["id", "text"]))
    most = most.join(texts.drop("split"), on="id", how="left", maintain_order="left")
    write_csv(table, [escape_formulas(most)])
    (facts := summary(found, most)).write(out)
    say(f"suspects: {suspects_line(facts, table)}")
