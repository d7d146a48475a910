"""Brings the files of a proposal to the folder that its `dataset.path` names."""

import shutil
import zipfile
from pathlib import Path

from textmill.files import atomic
from textmill.look.proposal import Proposal

FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # so that the same files always give the same archive


def copy_files(proposal: Proposal, folder: Path) -> list[Path]:
    """Copies the files, or packs them into one archive. Returns what it wrote. Raises ResourceError on a full disk."""
    if proposal.packed is None:
        copies = []
        for source, name in proposal.files.items():
            with atomic(folder / name) as temporary:
                shutil.copyfile(source, temporary)
            copies.append(folder / name)
        return copies
    with atomic(folder / proposal.packed) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for source, name in proposal.files.items():
            entry = zipfile.ZipInfo(name, FIRST_DAY)
            entry.compress_type = zipfile.ZIP_DEFLATED
            with open(source, "rb") as file, archive.open(entry, "w") as packed:
                shutil.copyfileobj(file, packed)
    return [folder / proposal.packed]
