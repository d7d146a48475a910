"""Cut the documents into train, validation, test and unlabelled; count and profile what came out."""

from pathlib import Path

from stages.run import run
from textmill.config import PARAMS, Seed, load_section
from textmill.console import say
from textmill.files import read_json, read_parquet, write_json, write_parquet
from textmill.profile import profile
from textmill.splits import SplitConfig, split


def main(docs: Path, labels: Path, out: Path, metrics: Path, params: Path = PARAMS) -> None:
    """Given splits are kept, missing ones are cut by `split` and `seed`."""
    config = load_section(params, "split", SplitConfig)
    seed = load_section(params, "seed", Seed)
    names = read_json(labels)
    parts = split(read_parquet(docs), names, config, seed)
    for name, part in parts.items():
        write_parquet(out / f"{name}.parquet", part)
    facts = profile(parts, names)
    write_json(metrics, {"seed": seed, "by": config.by, **facts})
    say("split: " + ", ".join(f"{name} {len(part):,}" for name, part in parts.items()))
    for pair, rows in facts["overlap"].items():
        if rows:
            a, b = pair.split("-")
            say(f"split: {rows:,} documents of {b} stand in {a} too")


if __name__ == "__main__":
    run(main)
