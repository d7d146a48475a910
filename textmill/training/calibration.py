"""Calibration on the validation split: one temperature, and the figures needed for thresholds."""

import numpy as np

from textmill import tally
from textmill.confidence import ENOUGH, Calibration, at_temperature, steps
from textmill.text.encoding import Encoded
from textmill.text.ragged import Ragged
from textmill.training.task import Model

# Gain in log-loss, in nats over all documents, above which a temperature is used even with few documents. By a
# likelihood-ratio test, 1 of 100 models with correct probabilities gains that much by chance (Wilks 1938).
PLAIN = 3.32
COLDEST, HOTTEST = 0.05, 20.0


class Calibrated:
    """A model with its temperature. Only this class applies a temperature to probabilities."""

    def __init__(self, model: Model, calibration: Calibration):
        self.model, self.calibration = model, calibration
        self.temperature, self.METHODS = calibration.temperature, model.METHODS

    def predict_proba(self, docs: Ragged) -> np.ndarray:
        """Returns the calibrated probability of each class for each document, float32 (N, C)."""
        return at_temperature(self.model.predict_proba(docs), self.temperature)

    def positions(self, length: int) -> np.ndarray:
        """Returns the positions that it reads in a document of `length` ids, ascending, int64 (R,)."""
        return self.model.positions(length)

    def tensors(self) -> dict[str, np.ndarray]:
        """Returns the model's weights by name."""
        return self.model.tensors()


def calibrate(model: Model, validation: Encoded) -> Calibrated:
    """Returns a fitted model, calibrated on the validation split."""
    return Calibrated(model, calibration(model.predict_proba(validation.docs), validation.labels))


def calibration(probabilities: np.ndarray, labels: np.ndarray) -> Calibration:
    """Returns the calibration for a model's probabilities (N, C) and class numbers (N,).

    With fewer than ENOUGH documents, the temperature stays 1 unless it gains PLAIN.
    """
    temperature = fitted_temperature(probabilities, labels)
    before, after = (tally.log_loss(at_temperature(probabilities, one), labels) for one in (1, temperature))
    if len(labels) < ENOUGH and len(labels) * (before - after) < PLAIN:
        temperature, after = 1.0, before
    found = at_temperature(probabilities, temperature)
    return Calibration(
        temperature=temperature,
        documents=len(labels),
        log_loss=round(after, 6),
        steps=steps(found.max(1), found.argmax(1) == labels),
    )


def fitted_temperature(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Returns the temperature with the lowest log-loss, to four digits (Guo et al. 2017).

    Each of the N labels is taken to be wrong with probability 1 / (N + 2) (Platt 1999). Otherwise a model without
    errors on the validation split would become fully confident in everything.
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
