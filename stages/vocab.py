"""Learn one tokenizer from the training split, and encode that split in passing; no other split is opened."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile

import polars as pl

from stages.run import run
from textmill import encoding, profile, tokenizers
from textmill.config import PARAMS, load_section
from textmill.console import say
from textmill.files import count_rows, read_batches, read_json, sha256, write_json, writing


def main(name: str, train: Path, labels: Path, out: Path, encoded: Path, metrics: Path, params: Path = PARAMS) -> None:
    """`name` is the tokenizer's key in params; `encoded` is what `encode` would make of the training split."""
    entry = load_section(params, f"tokenizers.{name}", dict)
    config = tokenizers.tokenizer_config(entry, f"{params}: tokenizers.{name}")
    names = read_json(labels)
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=out.parent) as spill:
            tokenizer, documents = tokenizers.fit(lambda: _column(train, "text"), config, spill)
            tokenizers.save(out, tokenizer)
            pairs = zip(documents, _column(train, "label"), strict=True)
            batches = (encoding.Encoded(docs, encoding.classes(column, names)) for docs, column in pairs)
            facts = encoding.save(encoded, batches, count_rows(train), sha256(out))
    write_json(metrics, {"vocabulary": tokenizer.size, "train": profile.encoded(*facts)})
    say(f"vocab: {name} knows {tokenizer.size:,} ids")


def _column(path: Path, name: str) -> Iterator[pl.Series]:
    return (some[name] for some in read_batches(path, [name]))


if __name__ == "__main__":
    run(main)
