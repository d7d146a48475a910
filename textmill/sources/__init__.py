"""Where labelled texts come from: the `dataset` section, and how its files get into data/raw."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from textmill.config import load_section
from textmill.fetch import Places
from textmill.fetch.archives import is_archive
from textmill.sources.files import LocalFile, Url, Wheel, fetch_file
from textmill.sources.hub import Hub, fetch_splits
from textmill.sources.parts import Part

AnyDataset = Wheel | Url | LocalFile | Hub
SOURCES: dict[str, type[AnyDataset]] = {"wheel": Wheel, "url": Url, "path": LocalFile, "hub": Hub}
SOURCE: Any = Literal[*SOURCES]  # the type of their names, for pydantic


def load_dataset(params: Path) -> AnyDataset:
    """Returns the `dataset` section as the config of its source. Raises ParamsError with the key's path.

    Two steps instead of a pydantic union, so that an error names the key and not the union's branches.
    """
    source = load_section(params, "dataset.source", SOURCE)
    return load_section(params, "dataset", SOURCES[source])


def fetch_dataset(dataset: AnyDataset, raw: Path, inputs: Path, places: Places) -> list[Part]:
    """Copies a dataset's files to the folder `raw` and returns what they hold.

    inputs: the folder with the user's files, which DVC watches.
    Raises ArtifactError if a file is missing or its checksum is not the pinned one, ResourceError if it cannot be
    downloaded, ParamsError if `dataset` names something that the file does not hold, DataError if it has no rows.
    """
    if isinstance(dataset, Hub):
        return fetch_splits(dataset, raw, places)
    return fetch_file(dataset, raw, inputs, places)


def may_bring_splits(dataset: Mapping[str, Any]) -> bool:
    """Whether the data of this section, with its defaults, may come in splits: by a column, or a file for each."""
    files = [dataset[key] for key in ("path", "url", "member") if isinstance(dataset.get(key), str)]
    return dataset["split"] is not None or not files or is_archive(files[0])
