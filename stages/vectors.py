"""Find vectors for the words of one tokenizer, in a file or by training them here."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stages.run import run
from textmill.config import PARAMS, Seed, load_section
from textmill.console import say
from textmill.files import read_json, sha256
from textmill.results import Vectors
from textmill.text.ragged import SPECIALS, Ragged
from textmill.vectors import NONE, WordVectors, save
from textmill.vectors.config import File, Trained, vectors_config

if TYPE_CHECKING:
    from textmill.tokenizers import Tokenizer


def main(
    name: str, tokenizer: Path, encoded: Path, train_in_test: Path, out: Path, metrics: Path, params: Path = PARAMS
) -> None:
    """`name` is the tokenizer's key in params; where its vectors are null, `out` holds none and little is imported."""
    where = f"{params}: tokenizers.{name}"
    config = vectors_config(load_section(params, f"tokenizers.{name}", dict), where)
    seed = load_section(params, "seed", Seed)
    made_by = sha256(tokenizer)
    if config is None:
        save(out, NONE, made_by)
        Vectors(source=None).write(metrics)
        return

    from textmill import tokenizers
    from textmill.text import encoding
    from textmill.vectors.coverage import coverage

    codec = tokenizers.load(tokenizer)
    docs, unlabelled = (
        encoding.load(encoded / f"{part}.safetensors", made_by).docs for part in ("train", "unlabelled")
    )
    if isinstance(config, Trained):
        found, facts = _trained(config, codec, [(docs, read_json(train_in_test)), (unlabelled, [])], seed)
    else:
        found, facts = _read(config, codec, out.parents[1] / "downloads", where)
    save(out, found, made_by)
    told = Vectors(source=config.source, **facts, **coverage(found, codec.size, docs))
    told.write(metrics)
    say(
        f"vectors: {name}: {told.found:,} of {told.words:,} words, "
        f"{100 * told.running:.1f} % of the running words of train"
    )


def _trained(
    config: Trained, codec: "Tokenizer", parts: list[tuple[Ragged, list[int]]], seed: int
) -> tuple[WordVectors, dict]:
    from textmill.vectors.training import train

    documents = [(docs, np.delete(np.arange(len(docs)), left_out)) for docs, left_out in parts]
    say(f"vectors: {config.method} on {sum(len(rows) for _, rows in documents):,} documents (epochs: {config.epochs})")
    return train(config, documents, codec, seed), {"from": config.method}


def _read(config: File, codec: "Tokenizer", downloads: Path, where: str) -> tuple[WordVectors, dict]:
    from textmill.sources.packing import streamed
    from textmill.sources.store import MIRROR, Places
    from textmill.vectors.files import fetch
    from textmill.vectors.reading import read

    mirror = os.environ.get(MIRROR)
    places = Places(downloads, downloads, Path("data/input"), Path(mirror) if mirror else None)
    file = fetch(config, places, where)
    wanted = {codec.token(number): number for number in range(SPECIALS, codec.size)}
    with streamed(file.path, file.name, file.member) as stream:
        found, counts = read(stream, wanted, file.name)
    return found, {"from": file.name, **counts._asdict()}


if __name__ == "__main__":
    run(main)
