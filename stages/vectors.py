"""Get vectors for the words of one tokenizer, from a file or by training them."""

from pathlib import Path
from typing import Any

import numpy as np

from textmill.config import PARAMS, Seed, load_section
from textmill.console import say
from textmill.fetch import Places
from textmill.files import sha256
from textmill.records.data import TrainInTest, Vectors
from textmill.vectors import NONE, save
from textmill.vectors.config import Trained, vectors_config


def main(
    name: str, tokenizer: Path, encoded: Path, train_in_test: Path, downloads: Path, out: Path, metrics: Path,
    params: Path = PARAMS,
) -> None:  # fmt: skip
    """Writes the vectors of the tokenizer with the key `name`; null: `out` has none, and little is imported."""
    config = vectors_config(load_section(params, f"tokenizers.{name}", dict), f"{params}: tokenizers.{name}")
    seed, made_by = load_section(params, "seed", Seed), sha256(tokenizer)
    if config is None:
        save(out, NONE, made_by)
        Vectors(source=None).write(metrics)
        return

    from textmill import tokenizers
    from textmill.text import encoding
    from textmill.vectors import coverage, finding, training

    codec = tokenizers.load(tokenizer)
    train, more = (encoding.load(encoded / f"{part}.safetensors", made_by).docs for part in ("train", "unlabelled"))
    facts: dict[str, Any]
    if isinstance(config, Trained):
        kept = np.delete(np.arange(len(train)), TrainInTest.read(train_in_test).rows(len(train)))
        documents = [(train, kept), (more, np.arange(len(more)))]
        found, facts = training.train(config, documents, codec, seed), {"from": config.method}
    else:
        found, facts = finding.find(config, codec, Places.of(downloads))
    save(out, found, made_by)
    told = Vectors(source=config.source, **facts, **coverage.coverage(found, codec.size, train))
    told.write(metrics)
    of = f"{told.found:,} of {told.words:,} words"
    say(f"vectors: {name}: {of}, {100 * told.running:.1f} % of the running words of train")
