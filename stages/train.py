"""Train one model of params, once per seed; write its bundle, its learning curve and facts about the training."""

from pathlib import Path
from typing import Any

from textmill import bundle, models, timings
from textmill.config import PARAMS, Seed, Threads, load_section
from textmill.processes import FIRST, PROCESSES, keep_memory, on_threads
from textmill.records.data import Classes
from textmill.records.fit import Fit
from textmill.records.history import HISTORY, write_history
from textmill.training.inputs import Inputs, depends_on
from textmill.training.seeds import checkpoint_folders, delete_checkpoints, fit_seeds


def main(
    name: str, code: Path, learned: Path, encoded: Path, vocab: Path, vectors: Path, train_in_test: Path, labels: Path,
    out: Path, metrics: Path, checkpoints: Path, pretrained: Path, params: Path = PARAMS,
) -> None:  # fmt: skip
    """Trains the model with the key `name` in params. The seed that is best on validation is shipped, with its curve.

    code: the digests of what this stage runs; learned: the counts of `vocab`. A killed run resumes from `checkpoints`;
    `pretrained` keeps each model's last pretraining.
    """
    entry, train = load_section(params, f"models.{name}", dict), load_section(params, "train", dict)
    seed, threads = load_section(params, "seed", Seed), load_section(params, "threads", Threads)
    text = load_section(params, "dataset.text", str | list[str])
    model = models.model_entry(entry, train, f"{params}: models.{name}")
    inputs, classes = Inputs(code, learned, encoded, vocab, vectors, train_in_test), Classes.read(labels).root
    data, validation, task = inputs.read(model.reads, len(classes), seed, pretrained / name)
    places = checkpoint_folders(checkpoints, name, depends_on(entry, train, threads, inputs.files))
    keep_memory()
    with on_threads(threads):  # the last digits depend on their number
        runs = fit_seeds(model.family, model.config, model.settings, data, validation, task, places)
    if FIRST:  # under torchrun all ranks hold the same models; one writes them
        config: dict[str, Any] = {"name": name, "labels": classes, "text": [text] if isinstance(text, str) else text}
        config |= {"model": model.config.model_dump(), "train": model.settings and model.settings.model_dump()}
        config |= {"vocabulary": task.vocabulary, "seed": runs.shipped}
        config |= {"validation": runs.validated(runs.shipped).model_dump()}
        whole = bundle.save(out, runs.models[runs.shipped], inputs.tokenizer, config, runs.others, task.encoder)
        write_history(metrics / HISTORY, runs.best.history)
        runs.record(entry, threads, PROCESSES, whole.weights).write(metrics / Fit.FILE)
        timings.record(metrics, whole.weights, runs.timing())
        delete_checkpoints(checkpoints, name)
