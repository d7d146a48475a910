"""Fit one model of params and write its bundle, its learning curve and how it was fitted."""

import shutil
import time
from pathlib import Path

import polars as pl
from threadpoolctl import threadpool_limits

from stages.run import run
from textmill import bundle, encoding, timings
from textmill.config import PARAMS, Count, Seed, load_section
from textmill.files import atomic, digest, read_json, sha256, write_json
from textmill.models import Task, arm
from textmill.tokenizers import load as load_tokenizer

CHECKPOINTS = Path("data/checkpoints")


def main(
    name: str,
    encoded: Path,
    tokenizer: Path,
    labels: Path,
    out: Path,
    history: Path,
    facts: Path,
    params: Path = PARAMS,
) -> None:
    """`name` is the model's key in params; `encoded` holds the splits made with its tokenizer."""
    entry, train = load_section(params, f"models.{name}", dict), load_section(params, "train", dict)
    seed, threads = load_section(params, "seed", Seed), load_section(params, "threads", Count)
    checked = arm(entry, train, f"{params}: models.{name}")
    made_by, classes = sha256(tokenizer), read_json(labels)
    data, validation = (encoding.load(encoded / f"{split}.safetensors", made_by) for split in ("train", "validation"))
    task = Task(load_tokenizer(tokenizer).size, len(classes), seed)

    inputs = [
        entry,
        train,
        seed,
        threads,
        *(sha256(encoded / f"{split}.safetensors") for split in ("train", "validation")),
    ]
    checkpoints = CHECKPOINTS / f"{name}-{digest(inputs)[:16]}"
    started = time.time()
    with threadpool_limits(threads):  # the last digits depend on their number
        fitted = checked.family.fit(checked.config, checked.settings, data, validation, task, checkpoints)
    ended = time.time()

    best = fitted.history[fitted.best_epoch - 1]
    scores = {
        "accuracy": round(best["validation_accuracy"], 6),
        "f1_macro": round(best["validation_f1"], 6),
        "log_loss": round(best["validation_loss"], 6),
    }
    config = {
        "name": name,
        "labels": classes,
        "model": entry,
        "train": train,
        "vocabulary": task.vocabulary,
        "seed": seed,
        "validation": scores,
    }
    whole = bundle.save(out, fitted.model, tokenizer, config)
    with atomic(history) as temporary:
        pl.DataFrame(fitted.history).drop("seconds").write_csv(temporary, float_precision=6)
    write_json(
        facts,
        {
            "family": entry["family"],
            "tokenizer": entry["tokenizer"],
            "parameters": sum(int(tensor.size) for tensor in fitted.model.tensors().values()),
            "epochs": len(fitted.history),
            "best_epoch": fitted.best_epoch,
            "device": fitted.device,
            "precision": fitted.precision,
            "threads": threads,
            "weights": whole["weights"],
            "validation": scores,
        },
    )
    epochs = [row["seconds"] for row in fitted.history]
    times = {"train_seconds": ended - started, "epoch_seconds": epochs, "started": started, "ended": ended}
    timings.note(name, whole["weights"], times)
    shutil.rmtree(checkpoints, ignore_errors=True)


if __name__ == "__main__":
    run(main)
