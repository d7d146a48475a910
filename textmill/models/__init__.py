"""Model families: each is a module of this package, found by its name and imported when it is used.

A project can add families: modules like these in its package `families`.
"""

import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from textmill.config import Section, shown
from textmill.errors import ParamsError, TextmillError
from textmill.extras import EXTRAS
from textmill.training.task import Family, Reads

FAMILIES = tuple(sorted(module.name for module in iter_modules(__path__) if not module.ispkg))
OWN = "families"  # the package with a project's own families


@dataclass(frozen=True)
class ModelEntry:
    """A checked entry of `models:`: its family, its config, and the training settings that apply to it."""

    family: Family
    config: Section
    settings: Section | None

    @property
    def reads(self) -> Reads:
        """What its training reads in addition to ids and labels."""
        return self.family.reads(self.config)


def model_entry(entry: Any, train: Mapping[str, Any], where: str) -> ModelEntry:
    """Checks an entry of `models:`, whose keys override those of the `train` section.

    Raises ParamsError with the key under `where` ('params.yaml: models.lstm').
    """
    own = family(entry.get("family") if isinstance(entry, dict) else None, where)
    return ModelEntry(own, *own.check(entry, train, where))


def family(name: Any, where: str = "model") -> Family:
    """Returns the family with this name, ours or the project's.

    Raises ParamsError with the key under `where` if there is none, or with the module if it does not define a family.
    """
    own = own_families()
    if both := set(own) & set(FAMILIES):
        raise ParamsError(f"{OWN}/{min(both)}.py: Textmill has a family with this name; rename yours")
    if name not in FAMILIES + own:
        raise ParamsError(f"{where}.family: expected one of {', '.join(FAMILIES + own)}, found {shown(name)}")
    if name in FAMILIES:
        return import_module(f"textmill.models.{name}").FAMILY
    try:
        found = getattr(import_module(f"{OWN}.{name}"), "FAMILY", None)
    except SyntaxError as error:
        raise ParamsError(f"{_here(error.filename)}, line {error.lineno}: {error.msg}") from error
    except Exception as error:  # a user's module may raise anything
        if isinstance(error, TextmillError) or (isinstance(error, ModuleNotFoundError) and error.name in EXTRAS):
            raise
        lines = [one for one in traceback.extract_tb(error.__traceback__) if OWN in Path(one.filename).parts]
        place = f"{_here(lines[-1].filename)}, line {lines[-1].lineno}" if lines else f"{OWN}/{name}.py"
        raise ParamsError(f"{place}: {type(error).__name__}: {error}") from error
    if not isinstance(found, Family):
        raise ParamsError(f"{OWN}/{name}.py: expected FAMILY = NetworkFamily(Config, Network), found {found!r}")
    return found


def _here(path: str | None) -> str:
    """Returns a path relative to the project."""
    return str(path).removeprefix(f"{Path.cwd()}/")


def own_families() -> tuple[str, ...]:
    """Returns the names of the project's families: the modules of a package `families` on Python's import path."""
    package = find_spec(OWN)
    folders = package.submodule_search_locations if package else None
    return tuple(sorted(module.name for module in iter_modules(folders) if module.name[0] != "_")) if folders else ()
