"""Find vectors for the words of one tokenizer, in a file or by training them here."""

from pathlib import Path

import numpy as np

from stages.run import run
from textmill.config import PARAMS, load_section
from textmill.files import sha256, write_json
from textmill.vectors import WordVectors, save
from textmill.vectors.config import vectors_config


def main(
    name: str, tokenizer: Path, encoded: Path, train_in_test: Path, out: Path, metrics: Path, params: Path = PARAMS
) -> None:
    """`name` is the tokenizer's key in params; where its vectors are null, `out` holds none."""
    entry = load_section(params, f"tokenizers.{name}", dict)
    vectors_config(entry, f"{params}: tokenizers.{name}")
    save(out, WordVectors(np.empty(0, np.int64), np.empty((0, 0), np.float32)), sha256(tokenizer))
    write_json(metrics, {"source": None, "found": 0, "dim": 0})


if __name__ == "__main__":
    run(main)
