"""Fetch the data set's files to data/raw: as received, checked, complete or absent."""

from pathlib import Path

from textmill.config import PARAMS
from textmill.console import say
from textmill.fetch import Places
from textmill.files import whole_folder
from textmill.sources import fetch_dataset, load_dataset
from textmill.sources.parts import write_manifest


def main(inputs: Path, downloads: Path, out: Path, params: Path = PARAMS) -> None:
    """Fetches the files that `dataset` names; files already in `downloads` are not downloaded again."""
    dataset = load_dataset(params)
    with whole_folder(out) as raw:
        parts = fetch_dataset(dataset, raw, inputs, Places.of(downloads))
        write_manifest(raw, parts)
        files = {part.file: (raw / part.file).stat().st_size for part in parts}
    for file, size in files.items():
        say(f"{out / file}: {size:,} bytes")
