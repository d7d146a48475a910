"""Trains one model on documents in memory, scores it, and reports the results."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from corpora import PRESETS
from threadpoolctl import threadpool_limits

from textmill.config import load_params
from textmill.console import table
from textmill.models import model_entry
from textmill.processes import keep_memory
from textmill.text.encoding import Encoded
from textmill.training.task import Fitted, Task

RESULTS = Path(__file__).parent / "results"
STARTED = time.monotonic()


def entry(preset: str, model: str, **changes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns a preset's model and its `train` section, with changes to the model."""
    params = load_params(PRESETS / f"{preset}.yaml")
    return params["models"][model] | changes, params["train"]


def fit(
    chosen: tuple[Mapping[str, Any], Mapping[str, Any]], data: Encoded, validation: Encoded, vocabulary: int, seed: int
) -> Fitted:
    """Returns a model of `entry`, at its best epoch on `validation`. Prints nothing."""
    keep_memory()  # as the stage does
    checked = model_entry(*chosen, "demo")
    task = Task(vocabulary, int(data.labels.max()) + 1, seed)
    with redirect_stdout(StringIO()), threadpool_limits(1):
        return checked.family.fit(checked.config, checked.settings, data, validation, task)


def accuracy(fitted: Fitted, data: Encoded) -> float:
    """Returns the share of documents that the model gets right."""
    return float(np.mean(fitted.model.predict_proba(data.docs).argmax(1) == data.labels))


def percent(values: float | Sequence[float]) -> str:
    """Returns a share in per cent; several as mean and standard deviation."""
    values = np.atleast_1d(values) * 100
    spread = f" ± {np.std(values, ddof=1):.1f}" if len(values) > 1 else ""
    return f"{np.mean(values):.1f}{spread}"


def report(name: str, title: str, rows: list[dict[str, Any]]) -> None:
    """Prints the rows, and writes them to demos/results/NAME.json."""
    table(title, list(rows[0]), [[str(value) for value in row.values()] for row in rows])
    RESULTS.mkdir(exist_ok=True)
    result = {"title": title, "rows": rows, "seconds": round(time.monotonic() - STARTED), "cores": os.cpu_count()}
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
