"""Turn the splits' texts into flat ids: tokenising happens here and never again."""

from pathlib import Path

from stages.run import run
from textmill import tokenizers
from textmill.config import PARAMS
from textmill.encoding import encode, save, unknown_share
from textmill.files import read_json, read_parquet, sha256, write_json
from textmill.profile import lengths
from textmill.splits import SPLITS


def main(splits: Path, labels: Path, tokenizer: Path, out: Path, metrics: Path, params: Path = PARAMS) -> None:
    """Encode train, validation and test with one tokenizer; nothing is cut, padded or dropped."""
    codec = tokenizers.load(tokenizer)
    names = read_json(labels)
    facts = {}
    for name in SPLITS:
        part = read_parquet(splits / f"{name}.parquet", columns=["text", "label"])
        encoded = encode(part, codec, names)
        save(out / f"{name}.safetensors", encoded, sha256(tokenizer))
        facts[name] = {
            "tokens": len(encoded.docs.ids),
            "unknown": round(unknown_share(encoded.docs), 5),
            "lengths": lengths(encoded.docs.lengths),
        }
    write_json(metrics, {"vocabulary": codec.size, "splits": facts})


if __name__ == "__main__":
    run(main)
