"""Makes a project: a folder with everything it needs, or nothing at all."""

import logging
import os
import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from textmill.errors import ParamsError, ResourceError
from textmill.files import write_text, writing
from textmill.look.copying import copy_files
from textmill.look.proposal import Proposal
from textmill.project.source import Source
from textmill.project.template import files, filled, pinned_files, pipeline

BASE = ".textmill"  # folder of a project with the templates that it was made from, for `textmill upgrade`
HARMLESS = {".git", ".venv", "venv"}  # what may be in the folder already
INPUT = Path("data/input")
IGNORED = ".dvcignore"
COPIES = {"cache": {"type": ["reflink", "copy"]}}  # whatever the user's own config says: a link would lead to where the
# project is made, and not to where it is then


def check_folder(folder: Path) -> None:
    """Raises ParamsError unless a project can be made in this folder: it is new or empty."""
    if folder.exists() and not folder.is_dir():
        raise ParamsError(f"{folder}: this is a file; name a folder")
    if folder.exists() and (there := sorted({path.name for path in folder.iterdir()} - HARMLESS)):
        raise ParamsError(f"{folder}: not empty (it has {', '.join(there[:3])}); name a new folder")
    if not folder.absolute().parent.is_dir():
        raise ParamsError(f"{folder.parent}: no such folder; create it first")


def create(folder: Path, proposal: Proposal | None, params: Callable[[Path], str], source: Source) -> None:
    """Makes the project, with the proposal's files in data/input, added to DVC.

    params: returns the text of params.yaml; called with the project's folder when the files are in it. Raises
    ResourceError, leaving nothing behind, if the disk, git or DVC fails.
    """
    folder = folder.absolute()
    with writing(folder), TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.", suffix=".part") as made:
        new = Path(made)
        data = copy_files(proposal, new / INPUT) if proposal else []
        for name, text in contents(folder.name, params(new), source).items():
            write_text(new / name, text)
        source.write_wheel(new)
        _repositories(new, data)
        folder.mkdir(exist_ok=True)
        for path in sorted(new.iterdir()):
            if not (folder / path.name).exists():  # an existing repository stays
                os.replace(path, folder / path.name)


def contents(name: str, params: str, source: Source) -> dict[str, str]:
    """Returns every text of a new project by its path."""
    texts = files() | pipeline() | pinned_files(source.pin, extras(params))
    texts["README.md"] = filled(texts["README.md"], {"@NAME@": name})
    return texts | {"params.yaml": params} | {f"{BASE}/{path}": text for path, text in pipeline().items()}


def extras(params: str) -> str:
    """Returns the extras of textmill that params need."""
    needed = ["networks", "pipeline"]
    needed += ["pretrained"] * bool(re.search(r"\b(kind|family): *pretrained\b", params))
    needed += ["vectors"] * bool(re.search(r"\bvectors: *(\{|\n)", params))
    return ",".join(needed)


def _repositories(folder: Path, data: Sequence[Path]) -> None:
    """Initialises git, then DVC, and adds the data to DVC's cache."""
    try:
        git = subprocess.run(
            ["git", "init", "-q", "-b", "main"], cwd=folder, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise ResourceError("git is not installed; a project is a git repository") from error
    if git.returncode:
        raise ResourceError(f"git init: {git.stderr.strip()}")
    _dvc(folder, data)


def _dvc(folder: Path, data: Sequence[Path]) -> None:
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    logging.getLogger("dvc").setLevel(logging.ERROR)
    ignored = (folder / IGNORED).read_text(encoding="utf-8")
    try:
        Repo.init(str(folder)).close()
        write_text(folder / ".dvc/config", "[core]\n    analytics = false\n")
        write_text(folder / IGNORED, ignored)  # DVC has written its own
        with Repo(str(folder), config=COPIES) as dvc:
            dvc.add([str(path) for path in data])
    except DvcException as error:
        raise ResourceError(f"dvc: {error}") from error
