"""Fit one model of params, once a seed, and write its bundle, its learning curve and how it was fitted."""

import shutil
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import polars.selectors as cs
from threadpoolctl import threadpool_limits

from stages.run import FIRST, PROCESSES, run
from textmill import bundle, models, timings
from textmill.config import PARAMS, Seed, Threads, load_section
from textmill.console import say
from textmill.files import atomic, digest, read_json, sha256, write_json
from textmill.models import ModelEntry, model_entry
from textmill.processes import keep_memory
from textmill.text import encoding
from textmill.text.encoding import Encoded
from textmill.tokenizers import load as load_tokenizer
from textmill.training.task import Fitted, Task
from textmill.training.validation import GOODNESS
from textmill.vectors import load as load_vectors

CHECKPOINTS = Path("data/checkpoints")
PRETRAINED = Path("data/pretrained")  # what each model last read before its training, for the next one
CODE = Path(models.__file__).parent


def main(
    name: str,
    encoded: Path,
    vocab: Path,
    vectors: Path,
    train_in_test: Path,
    labels: Path,
    out: Path,
    history: Path,
    facts: Path,
    params: Path = PARAMS,
) -> None:
    """`name` is the model's key in params; `encoded` holds the splits made with its tokenizer, `vocab` what it is.

    vectors, train_in_test and the unlabelled documents are read by the models that ask for them. The seed that is
    best on validation is shipped; the curve is its own.
    """
    entry, train = load_section(params, f"models.{name}", dict), load_section(params, "train", dict)
    seed, threads = load_section(params, "seed", Seed), load_section(params, "threads", Threads)
    checked = model_entry(entry, train, f"{params}: models.{name}")
    tokenizer, classes = vocab / "tokenizer.json", read_json(labels)
    files = {split: encoded / f"{split}.safetensors" for split in ("train", "validation", "unlabelled")}
    made_by = sha256(tokenizer)
    data, validation, unlabelled = (encoding.load(file, made_by) for file in files.values())
    task = Task(
        load_tokenizer(tokenizer).size,
        len(classes),
        seed,
        vectors=load_vectors(vectors, made_by) if checked.reads.vectors else None,
        corpus=encoding.corpus(data.docs, unlabelled.docs, read_json(train_in_test)) if checked.reads.corpus else None,
        encoder=vocab / "encoder" if checked.reads.encoder and (vocab / "encoder").is_dir() else None,
        cache=PRETRAINED / name,
    )

    inputs = [*files.values(), vectors, train_in_test, *sorted((vocab / "encoder").glob("*"))]
    key = [without_seeds(entry), without_seeds(train), threads, *map(sha256, [*inputs, *sorted(CODE.glob("*.py"))])]
    keep_memory()
    with threadpool_limits(threads):  # the last digits depend on their number
        runs = fit(name, checked, data, validation, task, key)
    if not FIRST:  # under torchrun all ranks hold the same models; one writes them
        return

    shipped = best(runs, checked)
    told = {
        "name": name,
        "labels": classes,
        "model": checked.config.model_dump(),
        "train": checked.settings.model_dump() if checked.settings else None,  # what applied
        "vocabulary": task.vocabulary,
        "seed": shipped,
        "validation": validated(runs[shipped]),
    }
    others = {other: fitted.model for other, fitted in runs.items() if other != shipped}
    whole = bundle.save(out, runs[shipped].model, tokenizer, told, others, task.encoder)
    with atomic(history) as temporary:
        curve = pl.DataFrame(runs[shipped].history).drop("seconds")
        curve.with_columns(cs.float().round_sig_figs(6)).write_csv(temporary)
    how = {"family": entry["family"], "tokenizer": entry["tokenizer"], "threads": threads, "processes": PROCESSES}
    write_json(facts, how | described(runs, shipped, whole.weights))
    timings.note(name, whole.weights, times(runs, shipped))
    for left in CHECKPOINTS.glob(f"{name}-{'?' * 16}"):  # of runs with other params, too
        shutil.rmtree(left)


def fit(
    name: str, checked: ModelEntry, data: Encoded, validation: Encoded, task: Task, key: list[Any]
) -> dict[int, Fitted]:
    """The model of each seed, in ascending order. Without settings there is one fit, with the task's own seed.

    key: all that a fit depends on beside its seed. Checkpoints go on only where it is the same; those of a finished
    seed stay until all are done, so that a killed stage does not train it again.
    """
    seeds = sorted(checked.settings.seeds) if checked.settings else [task.seed]
    runs = {}
    for number, seed in enumerate(seeds, 1):
        if len(seeds) > 1:
            say(f"seed {seed} ({number} of {len(seeds)})")
        folder = CHECKPOINTS / f"{name}-{digest([seed, *key])[:16]}"
        own = replace(task, seed=seed)
        runs[seed] = checked.family.fit(checked.config, checked.settings, data, validation, own, folder)
    return runs


def without_seeds(section: Mapping[str, Any]) -> dict[str, Any]:
    """Params that say how one seed is trained: another seed in the list changes none of those before it."""
    return {key: value for key, value in section.items() if key != "seeds"}


def best(runs: Mapping[int, Fitted], checked: ModelEntry) -> int:
    """The seed whose best epoch is the best on validation, by what the model monitors; the lowest among equals."""
    if checked.settings is None:
        return next(iter(runs))
    goodness = GOODNESS[checked.settings.monitor]
    return max(runs, key=lambda seed: goodness(runs[seed].history[runs[seed].best_epoch - 1]))


def validated(fitted: Fitted) -> dict[str, float]:
    """Validation scores of the best epoch."""
    row = fitted.history[fitted.best_epoch - 1]
    keys = {"accuracy": "validation_accuracy", "f1_macro": "validation_f1", "log_loss": "validation_loss"}
    return {name: round(row[key], 6) for name, key in keys.items()}


def described(runs: Mapping[int, Fitted], shipped: int, weights: str) -> dict[str, Any]:
    """How the shipped seed was fitted, `validation` as the mean over all seeds, and what is each seed's own."""
    each = [
        {"seed": seed, "epochs": len(fitted.history), "best_epoch": fitted.best_epoch, "validation": validated(fitted)}
        for seed, fitted in runs.items()
    ]
    own = runs[shipped]
    return {
        "parameters": sum(int(tensor.size) for tensor in own.model.tensors().values()),
        "epochs": len(own.history),
        "best_epoch": own.best_epoch,
        "device": own.device,
        "precision": own.precision,
        "weights": weights,
        "validation": {
            name: round(sum(one["validation"][name] for one in each) / len(each), 6) for name in validated(own)
        },
        "seed": shipped,
        "seeds": each,
        "pretraining": own.pretraining and {key: own.pretraining[key] for key in own.pretraining if key != "seconds"},
    }


def times(runs: Mapping[int, Fitted], shipped: int) -> dict[str, Any]:
    """Seconds of all seeds together; a resumed run counts the epochs before, too."""
    seconds, ended = sum(map(taken, runs.values())), time.time()
    epochs = [row["seconds"] for row in runs[shipped].history]
    return {"train_seconds": seconds, "epoch_seconds": epochs, "started": ended - seconds, "ended": ended}


def taken(fitted: Fitted) -> float:
    """Seconds of pretraining and training."""
    return (fitted.pretraining or {}).get("seconds", 0.0) + sum(row["seconds"] for row in fitted.history)


if __name__ == "__main__":
    run(main)
