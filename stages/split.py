"""Cut the documents into train, validation, test and unlabelled; count and profile what came out."""

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import polars as pl

from textmill.config import PARAMS, Seed, load_section
from textmill.console import say
from textmill.files import append_parquet, read_batches, read_json, whole_folder, write_json
from textmill.rows.profile import profile
from textmill.rows.splits import SIDES, SPLITS, SplitConfig, in_test, limit, outline, split
from textmill.stage import run


def main(docs: Path, labels: Path, out: Path, metrics: Path, params: Path = PARAMS) -> None:
    """Given splits are kept, missing ones are cut by `split` and `seed`. The texts are read twice, and never held.

    train_in_test.json: the rows of train.parquet whose texts stand in test too.
    """
    config = load_section(params, "split", SplitConfig)
    seed = load_section(params, "seed", Seed)
    names = read_json(labels)
    whole = pl.concat([outline(some, names) for some in read_batches(docs)])
    sides = cut = split(whole, names, config, seed)
    if config.sizes:
        sides = limit(cut, whole, config.sizes, seed)
    left_out = {name: int((cut == name).sum() - (sides == name).sum()) for name in SPLITS}
    repeated = in_test(whole, sides)
    leaking = pl.Series(repeated) & (sides == "unlabelled")  # a model may learn from those, and must not from the test
    sides = sides.set(leaking, None)
    facts = profile(whole, sides, names)
    with whole_folder(out) as folder, ExitStack() as files:
        append = {name: files.enter_context(append_parquet(folder / f"{name}.parquet")) for name in SIDES.categories}
        done = 0
        for some in read_batches(docs):
            for name in append:
                append[name](some.filter(sides[done : done + len(some)] == name).drop("split"))
            done += len(some)
        rows = np.flatnonzero(repeated[(sides == "train").fill_null(False).to_numpy()])
        write_json(folder / "train_in_test.json", rows.tolist())
    counted = {"left_out": left_out, "unlabelled_in_test": int(leaking.sum())}
    write_json(metrics, {"seed": seed, "by": config.by, **counted, **facts})
    say("split: " + ", ".join(f"{name} {part['rows']:,}" for name, part in facts["splits"].items()))
    if any(left_out.values()):
        say("split: left out by split.sizes: " + ", ".join(f"{name} {rows:,}" for name, rows in left_out.items()))
    for pair, rows in facts["overlap"].items():
        if rows:
            a, b = pair.split("-")
            say(f"split: {rows:,} documents of {b} stand in {a} too")
    if leaking.any():
        say(f"split: {leaking.sum():,} unlabelled documents left out, whose texts stand in test")


if __name__ == "__main__":
    run(main)
