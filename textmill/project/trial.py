"""A project's whole pipeline on rows that are made up: for its own tests, which see none of its data."""

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

ROWS = 60  # of each class
COPIED = ("dvc.yaml", "stages", "families", "pyproject.toml", ".dvcignore", ".gitignore")
OVERRIDES = ("epochs", "updates", "seeds", "pretrain")  # of a model's entry, which would take long


def try_out(project: Path, folder: Path) -> Path:
    """Copy the project's code and params to an empty folder, run them there on made-up rows; the report's page.

    Each network trains for one epoch. Models that read files of others (encoders, word vectors) are left out.
    Raises AssertionError with what was printed if a stage fails.
    """
    for name in COPIED:
        if (path := project / name).is_dir():
            shutil.copytree(path, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif path.exists():
            shutil.copy(path, folder / name)
    params = small(load_params(project / "params.yaml"))
    dataset = params["dataset"]
    write_text(folder / "params.yaml", as_yaml(params))
    write_text(folder / dataset["path"], made_up(dataset))
    env = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    env |= {"DVC_NO_ANALYTICS": "true", "PYTHONPATH": os.pathsep.join(sys.path)}
    for words in (["git", "init", "-q"], ["dvc", "init", "-q"], ["dvc", "repro"]):
        done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder / "report/index.html"


def small(params: Mapping[str, Any]) -> dict[str, Any]:
    """The same experiment on made-up rows: one epoch, no file that must be fetched, nothing for MLflow.

    Raises ParamsError if no model is left.
    """

    def plain(entry: Mapping[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in entry.items() if key not in OVERRIDES}

    tokenizers = {name: entry for name, entry in params["tokenizers"].items() if not _fetches(entry)}
    models = {name: plain(entry) for name, entry in params["models"].items() if entry["tokenizer"] in tokenizers}
    if not models:
        raise ParamsError("models: all read files that others have made; there is none to try out")
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


def made_up(dataset: Mapping[str, Any]) -> str:
    """Rows of csv with the dataset's columns, in which each class has a word of its own."""
    labels, texts = dataset.get("labels") or ["one", "two"], dataset["text"]
    classes = sorted(set(labels.values())) if isinstance(labels, Mapping) else labels
    columns = [*([texts] if isinstance(texts, str) else texts), dataset["label"]]
    columns += [dataset["group"]] if dataset.get("group") else []
    rows = [",".join(f'"{name}"' for name in columns)]
    for number in range(ROWS * len(classes)):
        label = classes[number % len(classes)]
        text = f"a text of class{number % len(classes)} with number n{number}"
        cells = [text if name not in (dataset["label"], dataset.get("group")) else label for name in columns]
        if dataset.get("group"):
            cells[-1] = f"group {number // (2 * len(classes))}"
        rows.append(",".join('"' + cell.replace('"', '""') + '"' for cell in cells))
    return "\n".join(rows) + "\n"


def _fetches(tokenizer: Mapping[str, Any]) -> bool:
    """Whether a tokenizer, or its word vectors, is a file that someone else has made."""
    return "files" in tokenizer or bool((tokenizer.get("vectors") or {}).get("source", "trained") != "trained")
