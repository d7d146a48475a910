"""Turn the texts of validation and test into flat ids, as `vocab` did with those of train: once, and never again."""

from pathlib import Path

import numpy as np

from stages.run import run
from textmill import tokenizers
from textmill.config import PARAMS
from textmill.encoding import encode, load, save
from textmill.files import count_rows, read_batches, read_json, sha256, write_json
from textmill.profile import lengths
from textmill.ragged import UNK
from textmill.splits import SPLITS


def main(
    splits: Path, labels: Path, tokenizer: Path, train: Path, out: Path, metrics: Path, params: Path = PARAMS
) -> None:
    """Nothing is cut, padded or dropped. `metrics` counts the encoded training split, too."""
    codec = tokenizers.load(tokenizer)
    names, made_by = read_json(labels), sha256(tokenizer)
    facts = {}
    for name in SPLITS:
        path, encoded = splits / f"{name}.parquet", train if name == "train" else out / f"{name}.safetensors"
        if name != "train":
            batches = (encode(some, codec, names) for some in read_batches(path, ["text", "label"]))
            save(encoded, batches, count_rows(path), made_by)
        docs = load(encoded, made_by).docs
        unknown = np.count_nonzero(docs.ids == UNK) / len(docs.ids)
        facts[name] = {"tokens": len(docs.ids), "unknown": round(unknown, 5), "lengths": lengths(docs.lengths)}
    write_json(metrics, {"vocabulary": codec.size, "splits": facts})


if __name__ == "__main__":
    run(main)
