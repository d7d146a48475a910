"""Bring the data set's files to data/raw: as received, checked, complete or absent."""

import os
from pathlib import Path

from textmill.config import PARAMS
from textmill.console import say
from textmill.files import whole_folder
from textmill.sources import SOURCES, load_dataset
from textmill.sources.dataset import write_manifest
from textmill.sources.store import MIRROR, Places
from textmill.stage import run


def main(inputs: Path, out: Path, params: Path = PARAMS) -> None:
    """Fetch what `dataset` names; files already in the downloads folder beside `out` are not fetched again."""
    dataset = load_dataset(params)
    mirror = os.environ.get(MIRROR)
    with whole_folder(out) as raw:
        places = Places(raw, out.parent / "downloads", inputs, Path(mirror) if mirror else None)
        parts = SOURCES[dataset.source].fetch(dataset, places)
        write_manifest(raw, parts)
        files = {part.file: (raw / part.file).stat().st_size for part in parts}
    for file, size in files.items():
        say(f"{out / file}: {size:,} bytes")


if __name__ == "__main__":
    run(main)
