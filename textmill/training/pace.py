"""How many updates a training makes: small data gets enough of them (`train.updates`)."""

import math

import numpy as np

from textmill.training.batching import batches
from textmill.training.settings import TrainConfig

LEAST = 32  # documents behind an update: gradients of fewer are mostly noise


def groups(
    lengths: np.ndarray, settings: TrainConfig, rng: np.random.Generator | None = None
) -> list[list[np.ndarray]]:
    """The batches of an epoch, as `batching.batches` gives them, those behind each update together.

    lengths: int (N,). Without `rng` there are as few as there can be: an epoch that is shaken has as many, or more.
    """
    parts = batches(lengths, settings.batch_tokens, settings.batch_documents, rng)
    return [parts[at : at + settings.accumulate] for at in range(0, len(parts), settings.accumulate)]


def paced(settings: TrainConfig, lengths: np.ndarray) -> TrainConfig:
    """Settings with at least `settings.updates` updates in all, unless training stops early; null: as they are.

    lengths: int (N,), of the training documents as they are read. First batches get smaller, down to LEAST documents
    behind an update; then epochs are added, and patience grows in the same ratio.
    """
    least, rows = settings.updates, len(lengths)
    if least is None:
        return settings
    per = math.ceil(least / settings.epochs)
    if len(groups(lengths, settings)) >= per:
        return settings
    documents = max(1, max(LEAST, rows // per) // settings.accumulate)
    smaller = min(settings.batch_documents or documents, documents)
    settings = settings.model_copy(update={"batch_documents": smaller})
    epochs = max(settings.epochs, math.ceil(least / len(groups(lengths, settings))))
    patience = settings.patience and round(settings.patience * epochs / settings.epochs)
    return settings.model_copy(update={"epochs": epochs, "patience": patience})
