"""DVC's cache: outputs of every commit that was run or fetched here, by md5."""

import json
from collections.abc import Mapping
from configparser import ConfigParser, Error
from pathlib import Path

from textmill.lockfile import hash_of


def cache_of(folder: Path) -> Path:
    """Returns the folder of the cache's files: the one in .dvc/config, else .dvc/cache."""
    folder = folder.resolve()
    home = next((one / ".dvc" for one in [folder, *folder.parents] if (one / ".dvc").is_dir()), folder / ".dvc")
    config, where = ConfigParser(interpolation=None), "cache"
    for file in ("config", "config.local"):  # the later file wins
        try:
            config.read(home / file)
            where = config.get("cache", "dir", fallback=where)
        except Error:
            continue
    return home / where / "files" / "md5"


def cached_file(cache: Path, md5: str) -> Path | None:
    """Returns the file with this md5, if the cache has it."""
    path = cache / md5[:2] / md5[2:]
    return path if path.is_file() else None


def objects(cache: Path) -> list[Path]:
    """Returns all files of the cache, sorted. A name that ends in .dir is the listing of a folder."""
    return sorted(path for path in cache.glob("[0-9a-f][0-9a-f]/*") if path.is_file())


def used_for(outs: Mapping[str, str], cache: Path) -> dict[str, str]:
    """Returns the path here of each file of the cache, by its name there. outs: md5 by path, as dvc.lock has them."""
    found = {}
    for path, md5 in outs.items():
        found[md5] = path
        listing = cached_file(cache, md5) if md5.endswith(".dir") else None
        if listing and not is_damaged(listing):
            found |= {one["md5"]: f"{path}/{one['relpath']}" for one in json.loads(listing.read_bytes())}
    return found


def is_damaged(path: Path) -> bool:
    """Whether a file of the cache is not what its name says: the md5 of its bytes."""
    return hash_of(path) != path.parent.name + path.name.removesuffix(".dir")
