"""Turn the texts of all splits into flat ids, once; `vocab` has already encoded train."""

from pathlib import Path

from textmill import tokenizers
from textmill.config import PARAMS
from textmill.console import say
from textmill.files import sha256
from textmill.parquet import count_rows, read_batches, read_column
from textmill.processes import keep_memory
from textmill.records.data import Classes, Ids, Tokenized, Vocabulary
from textmill.rows import profile
from textmill.text import encoding
from textmill.text.prefetching import prefetch


def main(
    splits: Path, labels: Path, tokenizer: Path, learned: Path, out: Path, metrics: Path, params: Path = PARAMS
) -> None:
    """Encodes without truncating, padding or dropping. `learned`: the counts of `vocab`; `metrics`: all."""
    keep_memory()
    codec, names, made_by = tokenizers.load(tokenizer), Classes.read(labels).root, sha256(tokenizer)
    facts = {"train": Vocabulary.read(learned).train}
    for name in ("validation", "test", "unlabelled"):
        path = splits / f"{name}.parquet"
        batches = prefetch(lambda some: encoding.encode(some, codec, names), read_batches(path, ["text", "label"]))
        rows = encoding.of_rows(read_column(path, "id")) if name == "test" else ""  # its answers get their ids back
        counted = encoding.save(out / f"{name}.safetensors", batches, count_rows(path), made_by, rows)
        facts[name] = Ids(**profile.encoded(*counted))
    for line in profile.unread(tokenizer.parent.name, codec.spec()["kind"], facts["validation"]):
        say(f"encode: {line}")
    Tokenized(vocabulary=codec.size, splits=facts).write(metrics)
