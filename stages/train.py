"""Fit one model of params and write its bundle, its learning curve and how it was fitted."""

import shutil
import time
from pathlib import Path

import polars as pl
import polars.selectors as cs
from threadpoolctl import threadpool_limits

from stages.run import FIRST, PROCESSES, run
from textmill import bundle, encoding, models, timings
from textmill.config import PARAMS, Count, Seed, load_section
from textmill.files import atomic, digest, read_json, sha256, write_json
from textmill.models import Task, arm
from textmill.processes import keep_memory
from textmill.tokenizers import load as load_tokenizer
from textmill.vectors import load as load_vectors

CHECKPOINTS = Path("data/checkpoints")
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

    vectors, train_in_test and the unlabelled documents are read by the models that ask for them.
    """
    entry, train = load_section(params, f"models.{name}", dict), load_section(params, "train", dict)
    seed, threads = load_section(params, "seed", Seed), load_section(params, "threads", Count)
    checked = arm(entry, train, f"{params}: models.{name}")
    tokenizer, classes = vocab / "tokenizer.json", read_json(labels)
    files = {split: encoded / f"{split}.safetensors" for split in ("train", "validation", "unlabelled")}
    made_by = sha256(tokenizer)
    data, validation, unlabelled = (encoding.load(file, made_by) for file in files.values())
    task = Task(
        load_tokenizer(tokenizer).size,
        len(classes),
        seed,
        vectors=load_vectors(vectors, made_by) if checked.uses_vectors else None,
        corpus=encoding.corpus(data.docs, unlabelled.docs, read_json(train_in_test)) if checked.pretrains else None,
        encoder=vocab / "encoder" if (vocab / "encoder").is_dir() else None,
    )

    files = [*files.values(), vectors, train_in_test, *sorted(CODE.glob("*.py"))]
    key = digest([entry, train, seed, threads, *map(sha256, files)])
    checkpoints = CHECKPOINTS / f"{name}-{key[:16]}"  # goes on only where inputs, params and code are the same
    keep_memory()
    with threadpool_limits(threads):  # the last digits depend on their number
        fitted = checked.family.fit(checked.config, checked.settings, data, validation, task, checkpoints)
    if not FIRST:  # under torchrun all ranks hold the same model; one writes it
        return

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
        "train": checked.settings.model_dump() if checked.settings else None,  # what applied
        "vocabulary": task.vocabulary,
        "seed": seed,
        "validation": scores,
    }
    whole = bundle.save(out, fitted.model, tokenizer, config)
    with atomic(history) as temporary:
        pl.DataFrame(fitted.history).drop("seconds").with_columns(cs.float().round_sig_figs(6)).write_csv(temporary)
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
            "processes": PROCESSES,
            "weights": whole["weights"],
            "validation": scores,
        },
    )
    epochs = [row["seconds"] for row in fitted.history]
    ended, seconds = time.time(), sum(epochs)  # a resumed run counts the epochs before, too
    times = {"train_seconds": seconds, "epoch_seconds": epochs, "started": ended - seconds, "ended": ended}
    timings.note(name, whole["weights"], times)
    for left in CHECKPOINTS.glob(f"{name}-{'?' * 16}"):  # of runs with other params, too
        shutil.rmtree(left)


if __name__ == "__main__":
    run(main)
