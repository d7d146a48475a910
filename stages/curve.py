"""Train one model on parts of the training split, if params ask for its curve, and forecast the gain of more labels."""

from pathlib import Path

from textmill.config import PARAMS, Seed, Threads, load_section
from textmill.console import say
from textmill.files import sha256
from textmill.judging.comparison import CompareConfig
from textmill.parquet import read_batches
from textmill.processes import keep_memory, on_threads
from textmill.records.curve import Curve
from textmill.records.data import Classes, TrainInTest
from textmill.report.labels import curve_line


def main(
    name: str, code: Path, learned: Path, encoded: Path, vocab: Path, vectors: Path, splits: Path, labels: Path,
    out: Path, checkpoints: Path, pretrained: Path, params: Path = PARAMS,
) -> None:  # fmt: skip
    """Measures the curve of the model with the key `name`. Most models have none and return before heavy imports."""
    compare, entry = load_section(params, "compare", CompareConfig), load_section(params, f"models.{name}", dict)
    if not compare.wants_curve(name, entry["family"]):
        Curve().write(out)
        return
    from textmill import models
    from textmill.annotation import curve, score_cache
    from textmill.rows.splits import SplitConfig, pieces
    from textmill.text import encoding
    from textmill.training.inputs import Inputs, depends_on

    train, by = load_section(params, "train", dict), load_section(params, "split", SplitConfig).by
    seed, threads = load_section(params, "seed", Seed), load_section(params, "threads", Threads)
    model = models.model_entry(entry, train, f"{params}: models.{name}")
    inputs = Inputs(code, learned, encoded, vocab, vectors, splits / TrainInTest.FILE)
    names = Classes.read(labels).root
    data, validation, task = inputs.read(model.reads, len(names), seed, pretrained / name)
    test = encoding.load(encoded / "test.safetensors", sha256(inputs.tokenizer))
    tied = pieces(read_batches(splits / "train.parquet"), names, by)
    files = [*inputs.files, encoded / "test.safetensors", splits / "train.parquet"]
    before = score_cache.ScoreCache(checkpoints, name, [*depends_on(entry, train, threads, files), seed, by])
    keep_memory()
    with on_threads(threads):
        sizes = curve.measure(model, data, validation, test, task, tied, compare.metric, before)
    before.delete_others()
    (found := curve.with_forecasts(sizes, compare.metric, by, compare.alpha, len(set(tied)))).write(out)
    say(f"curve: {name}: {curve_line(found)}")
