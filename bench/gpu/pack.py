"""IMDB as the networks read it: ids of a word tokenizer of 30,000, each review cut to what any case reads."""

import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile

import polars as pl
from parts import ends
from side_by_side import texts
from training import CONFIG

from textmill import tokenizers
from textmill.files import sha256
from textmill.text.encoding import Encoded, encode, save
from textmill.tokenizers.word import WordTokenizer

READ = 400  # last ids of a review that are kept: no case reads more
HELD = 2_500  # reviews of the test split


def main(folder: Path) -> None:
    train, test = texts("train"), texts("test")[:HELD]
    with TemporaryFile() as spill:
        tokenizer, _ = WordTokenizer.fit(lambda: [train["text"]], CONFIG, spill, {})
    tokenizers.save(folder / "tokenizer.json", tokenizer)
    made_by, labels = sha256(folder / "tokenizer.json"), sorted(train["label"].unique())
    for name, frame in (("train", train), ("test", test)):
        lengths, _ = save(folder / f"{name}.safetensors", parts(frame, tokenizer, labels), len(frame), made_by)
        print(f"{name}: {len(lengths):,} reviews, {lengths.sum():,} ids")


def parts(frame: pl.DataFrame, tokenizer: WordTokenizer, labels: list[str]) -> Iterator[Encoded]:
    for part in frame.iter_slices(5_000):
        encoded = encode(part, tokenizer, labels)
        yield Encoded(ends(encoded.docs, READ), encoded.labels)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
