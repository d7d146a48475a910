"""Learn one tokenizer from the training split; no other split is opened."""

from pathlib import Path

import polars as pl

from stages.run import run
from textmill import tokenizers
from textmill.config import PARAMS, load_section
from textmill.console import say


def main(name: str, train: Path, out: Path, params: Path = PARAMS) -> None:
    """`name` is the tokenizer's key in params."""
    key = f"tokenizers.{name}"
    config = tokenizers.tokenizer_config(load_section(params, key, dict), f"{params}: {key}")
    tokenizer = tokenizers.learn(pl.read_parquet(train, columns=["text"])["text"], config)
    tokenizers.save(out, tokenizer)
    say(f"vocab: {name} knows {tokenizer.size:,} ids")


if __name__ == "__main__":
    run(main)
