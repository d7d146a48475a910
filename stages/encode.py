"""Turn the splits' texts into flat ids: tokenising happens here and never again."""

from pathlib import Path

from stages.run import run
from textmill import tokenizers
from textmill.config import PARAMS
from textmill.encoding import encode, save
from textmill.files import count_rows, read_batches, read_json, sha256, write_json
from textmill.profile import lengths
from textmill.splits import SPLITS


def main(splits: Path, labels: Path, tokenizer: Path, out: Path, metrics: Path, params: Path = PARAMS) -> None:
    """Encode train, validation and test with one tokenizer; nothing is cut, padded or dropped."""
    codec = tokenizers.load(tokenizer)
    names, made_by = read_json(labels), sha256(tokenizer)
    facts = {}
    for name in SPLITS:
        path = splits / f"{name}.parquet"
        batches = (encode(some, codec, names) for some in read_batches(path, ["text", "label"]))
        counts, unknown = save(out / f"{name}.safetensors", batches, count_rows(path), made_by)
        tokens = int(counts.sum())
        facts[name] = {"tokens": tokens, "unknown": round(unknown / tokens, 5), "lengths": lengths(counts)}
    write_json(metrics, {"vocabulary": codec.size, "splits": facts})


if __name__ == "__main__":
    run(main)
