"""Memory and time per document of the text stages, on generated corpora of two sizes.

Run: `make bench ONLY=scale` (300 MB against 30 MB), or `SCALE_MB=3000 make bench ONLY=scale`. The folder for temporary
files needs five times as much space. Documents are made of sentences of one class from real ones (side_by_side.texts)
and of rare words, whose number grows with the corpus. Each stage is its own process, started as DVC starts it. In the
results, `ours` is the large corpus and `reference` the small one.
"""

import csv
import os
import shutil
import subprocess
import sys
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from side_by_side import row, texts, write

from textmill.files import read_json

ROOT = Path(__file__).parents[1]
LARGE = int(os.environ.get("SCALE_MB", 300))  # MB; the small corpus has a tenth of it
RUNS = 2  # runs on the small corpus, for the spread
SENTENCE = r"[^.!?]+[.!?]*\s*"
TAIL = 0.01  # share of rare words, which follow Zipf's law with the exponent below
EXPONENT = 1.3

STAGES = {
    "download": ["data/input", "data/downloads", "data/raw"],
    "clean": ["data/raw", "data/clean/docs.parquet", "data/clean/labels.json", "metrics/clean.json",
              "data/clean/columns.parquet"],
    "split": ["data/clean/docs.parquet", "data/clean/labels.json", "data/split", "metrics/split.json"],
    "vocab": ["word", "data/split/train.parquet", "data/clean/labels.json", "data/downloads", "data/vocab/word",
              "data/encoded/word/train.safetensors", "metrics/vocab-word.json"],
    "encode": ["data/split", "data/clean/labels.json", "data/vocab/word/tokenizer.json",
               "metrics/vocab-word.json", "data/encoded/word", "metrics/encode-word.json"],
}  # fmt: skip


def generate(path: Path, size: int) -> None:
    """Writes a csv with `size` bytes of text, row by row."""
    frame = texts()
    column, labels = frame["text"], frame["label"]
    sentences = column.str.extract_all(SENTENCE)
    counts = sentences.list.len().to_numpy()
    classes = {label: sentences.filter(labels == label).explode().drop_nulls().to_list() for label in labels.unique()}
    names = sorted(classes)
    rng = np.random.default_rng(0)
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        written = 0
        while written < size:
            name = names[rng.integers(len(names))]
            picked = rng.integers(len(classes[name]), size=max(1, counts[rng.integers(len(counts))]))
            text = "".join(classes[name][number] for number in picked)
            tail = rng.zipf(EXPONENT, rng.poisson(TAIL * len(text) / 6))
            text += " ".join(f"w{number:x}" for number in tail)
            writer.writerow([text, name])
            written += len(text)


def measure(folder: Path) -> dict[str, tuple[float, float]]:
    """Runs each stage in `folder`; returns its CPU microseconds per document and its peak memory in MB."""
    used = {}
    for stage, words in STAGES.items():
        command = [sys.executable, "-m", "textmill.stage", stage, *words]
        process = subprocess.Popen(command, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)})
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"scale: {stage} ended with {process.returncode}")
        used[stage] = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    documents = read_json(folder / "metrics/clean.json")["kept"]
    return {stage: (seconds / documents * 1e6, peak) for stage, (seconds, peak) in used.items()}


def corpus(megabytes: int, runs: int) -> list[dict[str, tuple[float, float]]]:
    """Returns the results of `measure` on a corpus of that size, for each of `runs` runs."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "data/input").mkdir(parents=True)
        shutil.copy(ROOT / "presets/csv.yaml", folder / "params.yaml")
        maker = get_context("spawn").Process(
            target=generate, args=(folder / "data/input/reviews.csv", megabytes * 10**6)
        )
        maker.start()  # in its own process, because a child's peak memory includes what its parent had at the start
        maker.join()
        if maker.exitcode:
            raise SystemExit("scale: cannot make the corpus")
        return [measure(folder) for _ in range(runs)]


def main() -> None:
    small, (large,) = corpus(LARGE // 10, RUNS), corpus(LARGE, 1)
    rows = []
    for stage in STAGES:
        for column, unit in enumerate(("cpu us a document", "MB at the peak")):
            ours, references = large[stage][column], [run[stage][column] for run in small]
            case = f"{stage}, {LARGE} MB against {LARGE // 10} MB"
            rows.append(row(case, ours, min(references), unit, max(references) / min(references)))
    write("scale", rows)


if __name__ == "__main__":
    main()
