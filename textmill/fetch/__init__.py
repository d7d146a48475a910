"""One file by its checksum, wherever it is: data, vectors and encoders all come this way.

A download is kept in `Places.downloads`. A file of the user's, or of the hub, is read where it lies.
"""

from pathlib import Path

from textmill.fetch.path import PathFile, fetch_path
from textmill.fetch.places import Fetched, Places
from textmill.fetch.url import UrlFile, fetch_url
from textmill.fetch.wheel import WheelFile, fetch_members

File = WheelFile | UrlFile | PathFile


def fetch(file: File, places: Places, folder: str) -> Fetched:
    """The file that a config names. `folder` is where a mirror has it.

    Raises ArtifactError if the file is missing or has another checksum, and ResourceError if its host does not give it.
    """
    match file:
        case WheelFile():
            return fetch_members(file.package, {file.member: file.sha256}, places)[file.member]
        case UrlFile():
            return fetch_url(file.url, file.sha256, places, folder)
        case PathFile():
            return fetch_path(Path(file.path), file.sha256, places, folder)
