"""A file of a repository on the Hugging Face hub, at a pinned revision."""

from pathlib import Path

from textmill.console import say
from textmill.errors import ResourceError
from textmill.fetch.path import fetch_path
from textmill.fetch.places import MIRROR, Fetched, Places


def fetch_from_hub(repo: str, revision: str, file: str, checksum: str | None, places: Places) -> Fetched:
    """The file in the hub's own cache or, unchecked by its revision, in the mirror. checksum: None accepts any."""
    wanted = f"{repo}, {file}"
    if places.mirror:
        path = places.in_mirror(wanted, *repo.split("/"), file)
    else:
        from huggingface_hub import hf_hub_download

        say(f"{wanted}: from the Hugging Face hub")
        try:
            path = Path(hf_hub_download(repo, file, revision=revision))
        except Exception as error:  # whatever its HTTP client raises comes through
            raise unreachable(wanted, error) from error
    return fetch_path(path, checksum and [checksum], places)


def unreachable(wanted: str, error: Exception) -> ResourceError:
    """The error of what the hub does not give."""
    return ResourceError(f"{wanted}: {first_line(error)}; without the hub, name a local copy in {MIRROR}")


def first_line(error: Exception) -> str:
    """What an error says first, or its type if it says nothing."""
    return (str(error).splitlines() or [type(error).__name__])[0]
