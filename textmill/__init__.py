"""Textmill: labelled texts in, a tested classifier out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from textmill.classifier import Classifier

__version__ = "0.1.0"


def load(path: str | Path, precision: Literal["float32", "bfloat16"] = "float32") -> Classifier:
    """The classifier of a bundle folder such as data/models/lstm; see `textmill.classifier.load`."""
    from textmill import classifier

    return classifier.load(path, precision)
