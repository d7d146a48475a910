"""The families of models: a module each, found by its name here, and imported when it is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from textmill.config import Section
from textmill.errors import ParamsError
from textmill.training.task import Family, Reads

FAMILIES = tuple(sorted(module.name for module in iter_modules(__path__) if not module.ispkg))


@dataclass(frozen=True)
class ModelEntry:
    """One entry of `models:`, checked: its family, its own config, and the training settings that apply to it."""

    family: Family
    config: Section
    settings: Section | None

    @property
    def reads(self) -> Reads:
        """What its training reads beside ids and labels."""
        return self.family.reads(self.config)


def model_entry(entry: Any, train: Mapping[str, Any], where: str) -> ModelEntry:
    """Check an entry of `models:`; its keys override those of the `train` section.

    Raises ParamsError naming the key under `where` ('params.yaml: models.lstm').
    """
    own = family(entry.get("family") if isinstance(entry, dict) else None, where)
    return ModelEntry(own, *own.check(entry, train, where))


def family(name: Any, where: str = "model") -> Family:
    """The one of FAMILIES that has this name. Raises ParamsError naming the key under `where` if none has."""
    if name not in FAMILIES:
        raise ParamsError(f"{where}.family: expected one of {', '.join(FAMILIES)}, found {name!r}")
    return import_module(f"textmill.models.{name}").FAMILY
