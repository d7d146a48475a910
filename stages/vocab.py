"""Build a vocabulary from the training split, or fetch a tokenizer, and encode that split; no other split is opened."""

import shutil
from pathlib import Path
from tempfile import SpooledTemporaryFile

from textmill import tokenizers
from textmill.config import PARAMS, load_section
from textmill.console import say
from textmill.fetch import Places
from textmill.files import sha256, whole_folder
from textmill.parquet import count_rows, read_column
from textmill.processes import keep_memory
from textmill.records.data import Classes, Ids, Vocabulary
from textmill.rows import profile
from textmill.text import encoding
from textmill.text.counting import IN_MEMORY
from textmill.text.tokenizer import FILE


def main(
    name: str, train: Path, labels: Path, downloads: Path, out: Path, encoded: Path, metrics: Path,
    params: Path = PARAMS,
) -> None:  # fmt: skip
    """Makes the tokenizer with the key `name` in params; `encoded`: the ids of the training split.

    `out` gets the tokenizer's file, and in its folder `encoder` what was fetched with it.
    """
    entry = load_section(params, f"tokenizers.{name}", dict)
    config = tokenizers.tokenizer_config(entry, f"{params}: tokenizers.{name}")
    names = Classes.read(labels).root
    keep_memory()
    with whole_folder(out) as folder:
        files = config.fetch(Places.of(downloads))
        with SpooledTemporaryFile(IN_MEMORY, dir=str(folder)) as spill:
            tokenizer, documents = tokenizers.fit(lambda: read_column(train, "text"), config, spill, files)
            tokenizers.save(folder / FILE, tokenizer)
            pairs = zip(documents, read_column(train, "label"), strict=True)
            batches = (encoding.Encoded(docs, encoding.classes(column, names)) for docs, column in pairs)
            facts = encoding.save(encoded, batches, count_rows(train), sha256(folder / FILE))
        for file in files.keys() - {FILE}:
            (folder / "encoder").mkdir(exist_ok=True)
            shutil.copyfile(files[file], folder / "encoder" / file)
    Vocabulary(vocabulary=tokenizer.size, train=Ids(**profile.encoded(*facts))).write(metrics)
    say(f"vocab: {name} has {tokenizer.size:,} ids")
