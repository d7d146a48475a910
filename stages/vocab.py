"""Learn one tokenizer from the training split; no other split is opened."""

from pathlib import Path

from stages.run import run
from textmill import tokenizers
from textmill.config import PARAMS, load_section
from textmill.console import say
from textmill.files import read_batches


def main(name: str, train: Path, out: Path, params: Path = PARAMS) -> None:
    """`name` is the tokenizer's key in params."""
    entry = load_section(params, f"tokenizers.{name}", dict)
    config = tokenizers.tokenizer_config(entry, f"{params}: tokenizers.{name}")
    tokenizer = tokenizers.learn((some["text"] for some in read_batches(train, ["text"])), config)
    tokenizers.save(out, tokenizer)
    say(f"vocab: {name} knows {tokenizer.size:,} ids")


if __name__ == "__main__":
    run(main)
