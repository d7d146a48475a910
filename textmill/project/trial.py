"""Runs a project's whole pipeline on made-up rows: for its own tests, which use none of its data."""

import csv
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textmill.config import as_yaml, load_params
from textmill.errors import ParamsError
from textmill.files import write_text

ROWS = 60  # per class
COPIED = ("dvc.yaml", "stages", "families", "pyproject.toml", ".dvcignore", ".gitignore")
OVERRIDES = ("epochs", "updates", "seeds", "pretrain")  # keys of a model's entry that would take long


def try_out(project: Path, folder: Path) -> Path:
    """Runs the project's code and params on made-up rows in an empty folder. Returns the report's page.

    Each network trains for one epoch. Models that need third-party files (encoders, word vectors) are left out. Raises
    AssertionError with the output if a stage fails.
    """
    for name in COPIED:
        if (path := project / name).is_dir():
            shutil.copytree(path, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif path.exists():
            shutil.copy(path, folder / name)
    params = small(load_params(project / "params.yaml"))
    dataset = params["dataset"]
    write_text(folder / "params.yaml", as_yaml(params))
    write_text(folder / dataset["path"], synthetic_rows(dataset))
    env = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    env |= {"DVC_NO_ANALYTICS": "true", "PYTHONPATH": os.pathsep.join(sys.path)}
    for words in (["git", "init", "-q"], ["dvc", "init", "-q"], ["dvc", "repro"]):
        done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder / "report/index.html"


def small(params: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the same experiment on made-up rows: one epoch, no file to fetch, and nothing for MLflow.

    Raises ParamsError if no model is left.
    """

    def plain(entry: Mapping[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in entry.items() if key not in OVERRIDES}

    tokenizers = {name: entry for name, entry in params["tokenizers"].items() if not _fetches(entry)}
    models = {name: plain(entry) for name, entry in params["models"].items() if entry["tokenizer"] in tokenizers}
    if not models:
        raise ParamsError("models: all of them need third-party files; there is none to try out")
    ensembles = {
        name: members
        for name, members in params["compare"].get("ensembles", {}).items()
        if set(members) <= models.keys()
    }
    for entry in tokenizers.values():
        if "min_freq" in entry:
            entry["min_freq"] = 1
    found = params["dataset"]
    columns = {key: found[key] for key in ("text", "label", "group", "labels") if found.get(key) is not None}
    columns |= {"label": found.get("label") or "label"}
    return {
        **params,
        "dataset": {"name": found["name"], "source": "path", "path": "data/input/made-up.csv", **columns},
        "split": {key: value for key, value in params["split"].items() if key != "sizes"},
        "tokenizers": tokenizers,
        "train": {**plain(params["train"]), "seeds": [1], "epochs": 1},
        "models": models,
        "compare": {**params["compare"], "ensembles": ensembles},
        "tracking": {"enabled": False},
    }


def synthetic_rows(dataset: Mapping[str, Any]) -> str:
    """Returns csv rows with the dataset's columns, in which each class has its own word."""
    texts = [dataset["text"]] if isinstance(dataset["text"], str) else dataset["text"]
    label, group, classes = dataset["label"], dataset.get("group"), _label_values(dataset.get("labels"))
    table = io.StringIO()
    rows = csv.DictWriter(table, dict.fromkeys([*texts, label, *([group] if group else [])]), lineterminator="\n")
    rows.writeheader()
    for number in range(ROWS * len(classes)):
        kind = number % len(classes)
        cells = dict.fromkeys(texts, f"a text of class{kind} with number n{number}") | {label: classes[kind]}
        rows.writerow(cells | ({group: f"group {number // (2 * len(classes))}"} if group else {}))
    return table.getvalue()


def _label_values(labels: list[str] | Mapping[str, str | None] | None) -> list[str]:
    """Returns labels for the rows: all that params name, and two more if these give fewer than two classes."""
    if isinstance(labels, list):
        return labels
    named = labels or {}
    classes = {name for name in named.values() if name is not None}
    return [*named, *(["one", "two"] if len(classes) < 2 else [])]


def _fetches(tokenizer: Mapping[str, Any]) -> bool:
    """Returns whether a tokenizer or its word vectors are a third-party file."""
    return "files" in tokenizer or bool((tokenizer.get("vectors") or {}).get("source", "trained") != "trained")
