"""Learn or fetch one tokenizer, and encode the training split in passing; no other split is opened."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import SpooledTemporaryFile

import polars as pl

from stages.run import run
from textmill import tokenizers
from textmill.config import PARAMS, load_section
from textmill.console import say
from textmill.files import count_rows, read_batches, read_json, sha256, whole_folder
from textmill.processes import keep_memory
from textmill.results import Vocabulary
from textmill.rows import profile
from textmill.sources.pretrained import fetch
from textmill.sources.store import MIRROR, Places
from textmill.text import encoding
from textmill.tokenizers import FILE
from textmill.tokenizers.counting import IN_MEMORY


def main(name: str, train: Path, labels: Path, out: Path, encoded: Path, metrics: Path, params: Path = PARAMS) -> None:
    """`name` is the tokenizer's key in params; `encoded` is what `encode` would make of the training split.

    `out` gets the tokenizer's file, and below `encoder` what was fetched with it.
    """
    entry = load_section(params, f"tokenizers.{name}", dict)
    config = tokenizers.tokenizer_config(entry, f"{params}: tokenizers.{name}")
    names = read_json(labels)
    mirror = os.environ.get(MIRROR)
    keep_memory()
    with whole_folder(out) as folder:
        places = Places(folder, out.parent.parent / "downloads", Path("data/input"), Path(mirror) if mirror else None)
        files = fetch(config, places)
        with SpooledTemporaryFile(IN_MEMORY, dir=folder) as spill:
            tokenizer, documents = tokenizers.fit(lambda: _column(train, "text"), config, spill, files)
            tokenizers.save(folder / FILE, tokenizer)
            pairs = zip(documents, _column(train, "label"), strict=True)
            batches = (encoding.Encoded(docs, encoding.classes(column, names)) for docs, column in pairs)
            facts = encoding.save(encoded, batches, count_rows(train), sha256(folder / FILE))
        for file in files.keys() - {FILE}:
            (folder / "encoder").mkdir(exist_ok=True)
            shutil.copyfile(files[file], folder / "encoder" / file)
    Vocabulary(vocabulary=tokenizer.size, train=profile.encoded(*facts)).write(metrics)
    say(f"vocab: {name} knows {tokenizer.size:,} ids")


def _column(path: Path, name: str) -> Iterator[pl.Series]:
    return (some[name] for some in read_batches(path, [name]))


if __name__ == "__main__":
    run(main)
