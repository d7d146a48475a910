"""The models that the section `compare` names."""

from collections.abc import Collection

from textmill.config import nearest
from textmill.errors import ParamsError
from textmill.judging.comparison import CompareConfig
from textmill.judging.ensembles import check_ensembles


def check_names(config: CompareConfig, models: Collection[str], where: str) -> None:
    """Raises ParamsError under `where` unless all names exist, and ensembles' names are free."""
    check_ensembles(config.ensembles, models, f"{where}.ensembles")
    for name in config.curves or ():
        if name not in models:
            raise ParamsError(f"{where}.curves: '{name}' is not a model{nearest(name, list(models))}")
