"""DVC's cache: outputs of every commit that was run or fetched here, by md5."""

from configparser import ConfigParser, Error
from pathlib import Path


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


def held(cache: Path, md5: str) -> Path | None:
    """Returns the file with this md5, if the cache has it."""
    path = cache / md5[:2] / md5[2:]
    return path if path.is_file() else None
