"""Textmill: labelled texts in, a tested classifier out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textmill.bundle import Classifier

__version__ = "0.1.0"


def load(path: str | Path) -> Classifier:
    """The classifier of a bundle folder such as data/models/lstm; see `textmill.bundle.load`."""
    from textmill import bundle

    return bundle.load(path)
