"""Models that the section `compare` names."""

from collections.abc import Collection

from textmill.config import nearest
from textmill.errors import ParamsError
from textmill.judging.comparison import CompareConfig
from textmill.judging.ensembles import check_ensembles


def check_names(config: CompareConfig, models: Collection[str], where: str) -> None:
    """Raises ParamsError under `where` unless every name is that of a model, or may be an ensemble's."""
    check_ensembles(config.ensembles, models, f"{where}.ensembles")
    for name in config.curves or ():
        if name not in models:
            raise ParamsError(f"{where}.curves: '{name}' is no model{nearest(name, list(models))}")
