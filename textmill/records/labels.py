"""Facts about the labels: which look wrong, and what more of them would bring."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from textmill.records.curve import Curve
from textmill.records.suspects import Suspects


@dataclass(frozen=True)
class Labels:
    """The suspects, and the curves of the models that have one."""

    suspects: Suspects
    curves: dict[str, Curve]

    @classmethod
    def read(cls, suspects: Path, folder: Path, models: Iterable[str]) -> Self:
        """Returns the labels' records. folder: the folder with each model's results."""
        curves = {name: Curve.read(folder / name / Curve.FILE) for name in models}
        return cls(Suspects.read(suspects), {name: curve for name, curve in curves.items() if curve.metric})
