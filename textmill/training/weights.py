"""The check of weights from a file against what a model expects."""

from collections.abc import Mapping

import numpy as np

from textmill.errors import ArtifactError

Form = tuple[tuple[int, ...], str]  # shape and dtype


def check_weights(tensors: Mapping[str, np.ndarray], expected: Mapping[str, Form], where: str) -> None:
    """Raises ArtifactError with `where` and the first tensor that is missing or not as expected.

    Checks names, shapes, types, and that all numbers are finite.
    """
    for name in sorted(expected.keys() | tensors.keys()):
        if name not in tensors:
            raise ArtifactError(f"{where}: {name} is missing")
        if name not in expected:
            raise ArtifactError(f"{where}: {name} is not a weight of this model")
        (shape, kind), found = expected[name], tensors[name]
        if (found.shape, str(found.dtype)) != (shape, kind):
            raise ArtifactError(f"{where}: {name}: expected {kind} {shape}, found {found.dtype} {found.shape}")
        if found.dtype.kind == "f" and not np.isfinite(found).all():
            raise ArtifactError(f"{where}: {name} contains NaN or infinity")
