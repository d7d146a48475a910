"""What MLflow takes: the one place where names and values are made to fit, so that nothing raises halfway."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from textmill.tracking.store import shown

LONGEST_NAME, LONGEST_VALUE = 250, 6000


def safe_params(params: Mapping[str, Any]) -> dict[str, str]:
    """Params as text, spelt as in params.yaml, without passwords, cut at MLflow's length."""
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in params.items()}
    return {key: shown(text)[:LONGEST_VALUE] for key, text in _safe_names(texts).items()}


def safe_metrics(metrics: Mapping[str, float | None]) -> dict[str, float]:
    """The finite numbers: MLflow keeps an infinity as another number."""
    return _safe_names({key: value for key, value in metrics.items() if value is not None and math.isfinite(value)})


def _safe_names(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same values under names of letters, digits and `_-. /` that lead out of no folder; distinct, as they were."""
    safe: dict[str, Any] = {}
    for name, value in values.items():
        parts = [re.sub(r"[^\w\-. ]", "_", part) for part in name.split("/")]
        short = "/".join(part if part.strip(".") else "_" for part in parts)[: LONGEST_NAME - 10]
        number = 1
        while (distinct := short if number == 1 else f"{short}_{number}") in safe:
            number += 1
        safe[distinct] = value
    return safe
