"""Textmill: train, compare and use text classifiers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import polars as pl

    from textmill.classifier import Classifier


def __getattr__(name: str) -> str:
    """Returns `__version__` from pyproject.toml. No stored file holds it, so a release changes no bytes."""
    if name == "__version__":
        from importlib.metadata import version

        return version("textmill")
    raise AttributeError(f"module 'textmill' has no attribute {name!r}")


def load(path: str | Path, precision: Literal["float32", "bfloat16"] = "float32") -> Classifier:
    """Returns the classifier in a model's folder, such as data/models/lstm; see `textmill.classifier.load`."""
    from textmill import classifier
    from textmill.extras import naming_extras

    with naming_extras():
        return classifier.load(path, precision)


def results(folder: str | Path = ".") -> pl.DataFrame:
    """Returns models, seeds and scores of the project in a folder; `textmill.report.frame.frame` has the columns."""
    from textmill.report.frame import frame

    return frame(Path(folder, "report/comparison.json"), Path(folder, "metrics/models"))
