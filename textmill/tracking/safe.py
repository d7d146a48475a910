"""Params and metrics under names and values that MLflow accepts."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from textmill.tracking.store import shown

LONGEST_NAME, LONGEST_VALUE = 250, 6000


def safe_params(params: Mapping[str, Any]) -> dict[str, str]:
    """Returns params as text, spelled as in params.yaml, without passwords, truncated at MLflow's length."""
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in params.items()}
    return {key: _short(shown(text)) for key, text in _safe_names(texts).items()}


def _short(text: str) -> str:
    """Truncates a value, and says so: MLflow would do it without a word."""
    note = f" ... ({len(text):,} characters; params.yaml has all)"
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - len(note)] + note


def safe_metrics(metrics: Mapping[str, float | None]) -> dict[str, float]:
    """Returns the finite numbers: MLflow stores another number instead of infinity."""
    return _safe_names({key: value for key, value in metrics.items() if value is not None and math.isfinite(value)})


def _safe_names(values: Mapping[str, Any]) -> dict[str, Any]:
    """Renames to letters, digits and `_-. /`. Distinct names stay distinct; no name leads out of a folder."""
    safe: dict[str, Any] = {}
    for name, value in values.items():
        parts = [re.sub(r"[^\w\-. ]", "_", part) for part in name.split("/")]
        short = "/".join(part if part.strip(".") else "_" for part in parts)[: LONGEST_NAME - 10]
        number, distinct = 1, short
        while distinct in safe:
            number += 1
            distinct = f"{short}_{number}"
        safe[distinct] = value
    return safe
