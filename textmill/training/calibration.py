"""One temperature for a model's probabilities, and what is to know for thresholds: both from the validation split."""

import numpy as np

from textmill import tally
from textmill.confidence import ENOUGH, Calibration, steps, tempered
from textmill.text.encoding import Encoded
from textmill.text.ragged import Ragged
from textmill.training.task import Model

# Gain in nats over all documents, from which a temperature is used though they are few: by a likelihood-ratio test
# chance alone gives that much to 1 of 100 models whose probabilities are right (Wilks 1938).
PLAIN = 3.32
COLDEST, HOTTEST = 0.05, 20.0


class Calibrated:
    """A model whose probabilities are taken at its temperature: the one place where that happens."""

    def __init__(self, model: Model, calibration: Calibration):
        self.model, self.calibration = model, calibration
        self.temperature, self.METHODS = calibration.temperature, model.METHODS

    def predict_proba(self, docs: Ragged) -> np.ndarray:
        """Probability of each class for each document, float32 (N, C)."""
        return tempered(self.model.predict_proba(docs), self.temperature)

    def positions(self, length: int) -> np.ndarray:
        """Which ids of a document of `length` it reads, in ascending order: int64 (R,)."""
        return self.model.positions(length)

    def tensors(self) -> dict[str, np.ndarray]:
        """The model's weights by name."""
        return self.model.tensors()


def calibrated(model: Model, validation: Encoded) -> Calibrated:
    """A fitted model with the temperature and the thresholds that the validation split tells."""
    return Calibrated(model, calibration(model.predict_proba(validation.docs), validation.labels))


def calibration(probabilities: np.ndarray, labels: np.ndarray) -> Calibration:
    """Of probabilities (N, C), as the model gives them, and class numbers (N,).

    Fewer than ENOUGH documents leave the temperature at 1 unless it gains PLAIN.
    """
    temperature = fitted_temperature(probabilities, labels)
    before, after = (tally.log_loss(tempered(probabilities, one), labels) for one in (1, temperature))
    if len(labels) < ENOUGH and len(labels) * (before - after) < PLAIN:
        temperature, after = 1.0, before
    found = tempered(probabilities, temperature)
    return Calibration(
        temperature=temperature,
        documents=len(labels),
        log_loss=round(after, 6),
        steps=steps(found.max(1), found.argmax(1) == labels),
    )


def fitted_temperature(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """The temperature with the least log-loss, to four digits (Guo et al. 2017).

    The label of each of N documents is believed as one that may be wrong, with a chance of 1 / (N + 2) (Platt 1999):
    otherwise a validation split without a mistake would make the model sure of everything.
    """
    from scipy.optimize import minimize_scalar

    rows, doubt = np.arange(len(labels)), 1 / (len(labels) + 2)
    logs = np.log(np.maximum(probabilities.astype(np.float64), np.finfo(np.float32).tiny))  # (N, C)
    logs -= logs.max(1, keepdims=True)
    believed = (1 - doubt) * logs[rows, labels] + doubt * logs.mean(1)  # (N,)

    def loss(cold: float) -> float:
        inverse = np.exp(-cold)
        return float(np.mean(np.log(np.exp(logs * inverse).sum(1)) - believed * inverse))

    best = minimize_scalar(loss, bounds=np.log([COLDEST, HOTTEST]), method="bounded", options={"xatol": 1e-6})
    return float(f"{np.exp(best.x):.4g}")
