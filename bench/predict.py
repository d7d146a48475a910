"""Single texts: milliseconds of a prediction and of loading, for the bundles in data/models, against an older commit.

Run: `make bench ONLY=predict`, after `make repro`. With TEXTMILL_HUB_MIRROR, a linear model on IMDB's words, pairs and
triples is fitted first. Each side is its own process; they take turns. A run takes the median wall time of 60 single
texts and the best CPU time of five loads; the result is the median of seven runs.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

ROOT = Path(__file__).parents[1]
BEFORE = "490a2de"  # the last commit before work on single texts
TEXTS = [
    "A lovely film, warm and funny, though it runs a little long in its second half.",
    "There is no reason to see this, unless you can't sleep.",
    "Dull & awful!",
]
RUNS, LOADS = 7, 5


def serve() -> None:
    """Times the bundle named by each line of stdin; prints the milliseconds of a text and of loading."""
    import textmill

    for line in sys.stdin:
        loads = []
        for _ in range(LOADS):
            start = time.process_time()
            model = textmill.load(line.strip())
            loads.append(time.process_time() - start)
        seconds = []
        for number in range(3 + 60):
            start = time.perf_counter()
            model.predict_proba([TEXTS[number % 3]])
            seconds.append(time.perf_counter() - start)
        print(1000 * statistics.median(seconds[3:]), 1000 * min(loads), flush=True)


def fit_imdb(out: Path) -> None:
    """Fits the linear model of presets/imdb.yaml and writes its bundle."""
    from side_by_side import texts

    from textmill import bundle, models, tokenizers
    from textmill.text.encoding import encode
    from textmill.training.calibration import calibrate
    from textmill.training.task import Task

    train = texts("train")
    config = tokenizers.tokenizer_config({"kind": "word"}, "bench")
    with TemporaryFile() as spill:
        tokenizer, _ = tokenizers.fit(lambda: [train["text"]], config, spill, {})
    names = sorted(train["label"].unique())
    data, held = (encode(part, tokenizer, names) for part in (train, train[: len(train) // 100]))
    entry = {"family": "linear", "tokenizer": "word", "ngrams": 3, "min_count": 2, "c": 0.3}
    checked = models.model_entry(entry, {}, "bench")
    fitted = checked.family.fit(checked.config, None, data, held, Task(tokenizer.size, len(names), 0))
    facts = {"name": "linear", "labels": names, "text": ["text"], "model": checked.config.model_dump(), "train": None}
    tokenizers.save(out / "tokenizer.json", tokenizer)
    facts |= {"vocabulary": tokenizer.size, "seed": 0, "validation": {}}
    model = calibrate(fitted.model, held)
    bundle.save(out / f"linear, {sum(map(len, fitted.model.keys)):,} n-grams", model, out / "tokenizer.json", facts, {})


def as_format_3(folder: Path, out: Path) -> Path:
    """Writes the same bundle in the format that the older commit reads, and returns its folder."""
    from textmill.bundle import signed

    config = json.loads((folder / "config.json").read_text())
    out.mkdir(parents=True)
    for file in folder.iterdir():
        (out / file.name).symlink_to(file.absolute())
    if config["format"] > 3:
        (out / "config.json").unlink()
        config = {key: value for key, value in config.items() if key not in ("text", "calibration")}
        others = [{key: one[key] for key in ("seed", "weights")} for one in config["others"]]
        config = signed(config | {"format": 3, "others": others})
        (out / "config.json").write_text(json.dumps(config))
    return out


@contextmanager
def side(code: Path):
    """Yields a function that times a bundle with the code in a folder."""
    command = [sys.executable, __file__, "--serve"]
    env = {**os.environ, "PYTHONPATH": str(code)}
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def ask(bundle: Path) -> list[float]:
            process.stdin.write(f"{bundle}\n")
            process.stdin.flush()
            return list(map(float, process.stdout.readline().split()))

        yield ask
        process.stdin.close()


def in_turn(case: str, ours: Callable[[], list[float]], theirs: Callable[[], list[float]]) -> list[dict]:
    """Returns the rows of one bundle, timed by both sides in turn."""
    from side_by_side import row

    both = [(ours(), theirs()) for _ in range(RUNS)]
    rows = []
    for which, (what, unit) in enumerate([("a text", "wall ms"), ("loading", "cpu ms")]):
        mine, others = ([run[side][which] for run in both] for side in (0, 1))
        spread = max(max(times) / min(times) for times in (mine, others))
        middle = statistics.median(mine), statistics.median(others)
        rows.append(row(f"{case}, {what}", *middle, unit, spread))
    return rows


def main() -> None:
    from side_by_side import write

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundles", nargs="*", type=Path, default=sorted((ROOT / "data/models").glob("*")))
    parser.add_argument("--before", default=BEFORE)
    given = parser.parse_args()
    with TemporaryDirectory() as name:
        temporary, bundles = Path(name), list(given.bundles)
        archive = subprocess.run(
            ["git", "archive", given.before, "textmill"], cwd=ROOT, capture_output=True, check=True
        )
        (temporary / "before").mkdir()
        subprocess.run(["tar", "x", "-C", temporary / "before"], input=archive.stdout, check=True)
        if "TEXTMILL_HUB_MIRROR" in os.environ:
            (temporary / "imdb").mkdir()
            fit_imdb(temporary / "imdb")
            bundles += sorted((temporary / "imdb").glob("linear*"))
        rows = []
        with side(ROOT) as ours, side(temporary / "before") as theirs:
            for bundle in bundles:
                old = as_format_3(bundle, temporary / "old" / bundle.name)
                rows += in_turn(bundle.name, partial(ours, bundle.absolute()), partial(theirs, old))
        write("predict", rows)


if __name__ == "__main__":
    serve() if "--serve" in sys.argv else main()
