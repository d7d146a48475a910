"""The number of updates in a training, with enough of them on small data (`train.updates`)."""

import math

import numpy as np

from textmill.training.batching import batches
from textmill.training.settings import TrainConfig

LEAST = 32  # documents in an update; gradients of fewer are mostly noise


def batches_by_update(
    lengths: np.ndarray, settings: TrainConfig, rng: np.random.Generator | None = None
) -> list[list[np.ndarray]]:
    """Returns the batches of an epoch, as `batching.batches` makes them, in one list per update.

    lengths: int (N,). Without `rng`, their number is the least possible; a random epoch has at least as many.
    """
    parts = batches(lengths, settings.batch_tokens, settings.batch_documents, rng)
    return [parts[at : at + settings.accumulate] for at in range(0, len(parts), settings.accumulate)]


def largest(lengths: np.ndarray, settings: TrainConfig) -> tuple[int, int]:
    """Returns the documents and the padded length of the batch with most ids, of those without random draws.

    lengths: int (N,). Random batches have nearly as many.
    """
    parts = batches(lengths, settings.batch_tokens, settings.batch_documents)
    return max(((len(rows), int(lengths[rows].max())) for rows in parts), key=lambda size: size[0] * size[1])


def with_enough_updates(settings: TrainConfig, lengths: np.ndarray) -> TrainConfig:
    """Returns settings with at least `settings.updates` updates, unless training stops early; null: unchanged.

    lengths: int (N,), of the training documents, truncated. First, batches get smaller, down to LEAST documents per
    update; then epochs are added, and patience grows in proportion.
    """
    least, rows = settings.updates, len(lengths)
    if least is None:
        return settings
    per = math.ceil(least / settings.epochs)
    if len(batches_by_update(lengths, settings)) >= per:
        return settings
    documents = max(1, max(LEAST, rows // per) // settings.accumulate)
    smaller = min(settings.batch_documents or documents, documents)
    settings = settings.model_copy(update={"batch_documents": smaller})
    epochs = max(settings.epochs, math.ceil(least / len(batches_by_update(lengths, settings))))
    patience = settings.patience and round(settings.patience * epochs / settings.epochs)
    return settings.model_copy(update={"epochs": epochs, "patience": patience})
