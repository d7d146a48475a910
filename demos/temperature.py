"""Mistake: trusting a temperature from a few documents. It is a single number, but it has a standard deviation, and it
harms a model whose probabilities were nearly right.

Run `make repro`, then `python demos/temperature.py`. Samples of the validation documents, drawn 200 times, fit the
temperature of each model of params.yaml. All test documents show what it changes, and which temperature suits them (T
of test). `always`: the fitted temperature is used (Guo et al. 2017). `textmill`: with fewer than 300 documents it stays
1 unless the gain is clear, assuming that a label may be wrong.
"""

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize_scalar
from trained import Answers, trained
from trial import report

from textmill import tally
from textmill.confidence import at_temperature
from textmill.training.calibration import COLDEST, HOTTEST, calibration

SIZES, DRAWS, SEED = (20, 50, 100, 200, 300), 200, 0


def always(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Returns the temperature with the least log-loss."""

    def loss(log: float) -> float:
        return tally.log_loss(at_temperature(probabilities, np.exp(log)), labels)

    return float(np.exp(minimize_scalar(loss, bounds=np.log([COLDEST, HOTTEST]), method="bounded").x))


def ours(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Returns the temperature of the stage `train`."""
    return calibration(probabilities, labels).temperature


RULES: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {"always": always, "textmill": ours}


def changes(validation: Answers, test: Answers, size: int, rng: np.random.Generator) -> dict[str, tuple[float, float]]:
    """Returns, by rule, the temperature from `size` documents, and the change of the log-loss on test."""
    rows = rng.choice(len(validation.labels), size, replace=False)
    before, found = tally.log_loss(test.probabilities, test.labels), {}
    for name, rule in RULES.items():
        temperature = rule(validation.probabilities[rows], validation.labels[rows])
        after = tally.log_loss(at_temperature(test.probabilities, temperature), test.labels)
        found[name] = temperature, after - before
    return found


def main() -> None:
    rows = []
    for model, result in trained().items():
        rng = np.random.default_rng(SEED)
        own = always(result.test.probabilities, result.test.labels)
        for size in SIZES:
            draws = [changes(result.validation, result.test, size, rng) for _ in range(DRAWS)]
            row = {"model": model, "T of test": f"{own:.2f}", "documents": f"{size:,}"}
            for name in RULES:
                temperatures, added = np.array([draw[name] for draw in draws]).T
                row |= {f"{name}: T": f"{temperatures.mean():.2f} ± {temperatures.std(ddof=1):.2f}"}
                row |= {f"{name}: log-loss": f"{added.mean():+.3f}", f"{name}: worse": f"{(added > 1e-9).mean():.0%}"}
            rows.append(row)
    report("temperature", f"What a temperature of few documents does to test, {DRAWS} draws", rows)


if __name__ == "__main__":
    main()
