"""Proposes a `dataset` section for one or more of the user's files."""

from collections.abc import Sequence
from pathlib import Path

from textmill.errors import ArtifactError, DataError
from textmill.fetch.archives import is_archive
from textmill.look.multiple_files import of_archive, of_files
from textmill.look.proposal import Given, Proposal
from textmill.look.roles import proposed, roles, stem
from textmill.look.rows import look_at
from textmill.sources.dataset import SPREADSHEETS


def propose(paths: Path | Sequence[Path], given: Given | None = None, folder: str = "data/input") -> Proposal:
    """Returns a proposal for reading the files. Looks at a bounded part of each, and writes nothing.

    folder: where the files will be in the project. Raises ParamsError if what the user gave does not fit, DataError if
    a file has the wrong kind or no texts, and ArtifactError if one is missing or damaged.
    """
    given, paths = given or Given(), [paths] if isinstance(paths, Path) else list(paths)
    for path in paths:
        if not path.is_file():
            raise ArtifactError(f"{path}: {'a folder; name the files in it' if path.is_dir() else 'no such file'}")
        if path.name.lower().endswith(SPREADSHEETS):
            raise DataError(f"{path}: this is a spreadsheet; save it as csv (UTF-8) and name that file")
    if len(paths) > 1:
        return of_files(paths, given, folder)
    (path,) = paths
    if is_archive(path.name):
        return of_archive(path, given, folder)
    looked = look_at(path, None, given)
    if len(looked.columns) == 1:
        raise DataError(
            f"{path}: only texts and no classes; give a table with a class column, or a file for each class, "
            "such as pos.txt neg.txt"
        )
    found = roles(looked, given, str(path))
    keys = {"path": f"{folder}/{path.name}"}
    return proposed(given.name or stem(path.name), keys, found, looked, {path: path.name}, looked.notes)
