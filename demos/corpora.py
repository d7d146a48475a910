"""The documents of a preset in memory, fetched and cleaned like `dvc repro clean` does."""

from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

import polars as pl

from textmill import tokenizers
from textmill.config import load_params, load_section
from textmill.fetch import Places
from textmill.rows.cleaning import CleanConfig, Cleaner, arrange
from textmill.rows.reading import read_part
from textmill.sources import fetch_dataset, load_dataset
from textmill.text import encoding
from textmill.text.encoding import Encoded
from textmill.tokenizers.word import WordTokenizer

ROOT = Path(__file__).parents[1]
PRESETS = ROOT / "presets"


def documents(preset: str, as_filed: bool = False) -> tuple[pl.DataFrame, list[str]]:
    """Returns id, text, label, group and split of each document, and the classes in order.

    The documents are in the pipeline's order, which depends only on their content; with `as_filed`, in the files'
    order.
    """
    params = PRESETS / f"{preset}.yaml"
    dataset, config = load_dataset(params), load_section(params, "clean", CleanConfig)
    cleaner = Cleaner(dataset.labels, config)
    with TemporaryDirectory() as folder, redirect_stdout(StringIO()):
        raw = Path(folder)
        parts = fetch_dataset(dataset, raw, ROOT / "data/input", Places.of(ROOT / "data/downloads"))
        kept = [cleaner.keep(rows) for part in parts for rows in read_part(raw, part, dataset, config.max_chars)]
    docs = pl.concat(kept)
    labels, _ = cleaner.finish()
    return (docs if as_filed else arrange(docs)), labels


def tokenizer(texts: pl.Series, preset: str, **changes: object) -> WordTokenizer:
    """Returns the preset's word tokenizer, with changes to its entry, learned from these texts only."""
    entry = load_params(PRESETS / f"{preset}.yaml")["tokenizers"]["word"] | changes
    config = tokenizers.tokenizer_config(entry, f"presets/{preset}.yaml: tokenizers.word")
    with TemporaryFile() as spill:
        return WordTokenizer.fit(lambda: [texts], config, spill, {})[0]


def encode(docs: pl.DataFrame, codec: WordTokenizer, labels: list[str]) -> Encoded:
    """Returns the documents' ids and class numbers."""
    return encoding.encode(docs, codec, labels)


def drawn(
    docs: pl.DataFrame, labels: list[str], preset: str, train: int, validation: int, test: int
) -> tuple[dict[str, Encoded], WordTokenizer]:
    """Returns documents sampled from the data's splits, by split, and the tokenizer learned from `train`."""
    labelled = docs.filter(pl.col("split") != "unlabelled").sample(fraction=1, shuffle=True, seed=0)
    learn, held = (labelled.filter(split=name) for name in ("train", "test"))
    parts = {"train": learn[:train], "validation": learn[train : train + validation], "test": held[:test]}
    codec = tokenizer(parts["train"]["text"], preset)
    return {name: encode(part, codec, labels) for name, part in parts.items()}, codec
