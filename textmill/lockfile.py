"""dvc.lock: what each stage read and wrote, and how DVC hashes files."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from textmill.errors import ArtifactError, TextmillError
from textmill.safe_yaml import parse

LOCK = Path("dvc.lock")


@dataclass(frozen=True)
class Stage:
    """An entry of dvc.lock. deps, outs: md5 by path (ending in .dir for a folder); params: JSON by full key.

    keys: the keys of params.yaml that the stage names; each stands for everything below it.
    """

    keys: tuple[str, ...]
    params: dict[str, str]
    deps: dict[str, str]
    outs: dict[str, str]

    def names(self, key: str) -> bool:
        """Returns whether this key of params.yaml is in `keys` or below one of them."""
        return any(key == one or key.startswith(f"{one}.") for one in self.keys)


def changed_params(one: Stage, other: Stage) -> list[str]:
    """Returns the full keys whose values differ. A key that only one stage names is a change of dvc.yaml."""
    return [
        key
        for key in differing(one.params, other.params)
        if (one.names(key) and other.names(key)) or (key in one.params and key in other.params)
    ]


def differing(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """Returns the keys whose values differ."""
    return [key for key in dict.fromkeys([*one, *other]) if one.get(key) != other.get(key)]


def parts(text: str) -> list[str]:
    """Returns the lines before the first stage, then the lines of each stage."""
    return re.split(r"(?m)^(?=  \S)", text)


def name_of(entry: str) -> str:
    """Returns the name of the stage in an entry of `parts`."""
    return entry.split(":\n")[0].strip()


def entries(text: str) -> dict[str, str]:
    """Returns the lines of each stage, by its name."""
    return {name_of(entry): entry for entry in parts(text)[1:]}


def text_of(path: Path) -> str:
    """Returns the content of dvc.lock, "" if there is none. Raises ArtifactError if it is not text."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ArtifactError(f"{path}: {reason}; check it out again") from error


class _Hashed(BaseModel):
    path: str
    md5: Any = None


class _Entry(BaseModel):
    params: dict[str, dict[str, Any]] = {}
    deps: list[_Hashed] | None = None
    outs: list[_Hashed] | None = None


def read(entry: str, where: str) -> Stage:
    """Returns the stage in these lines. Raises ArtifactError, beginning with `where`, if DVC did not write them."""
    found = parsed(entry, where)
    params = found.get("params", {})
    return Stage(
        keys=tuple(params.get("params.yaml", ())),
        params={key: value for file, keys in params.items() for key, value in _params(file, keys)},
        deps={str(one["path"]): str(one.get("md5")) for one in found.get("deps") or []},
        outs={str(one["path"]): str(one.get("md5")) for one in found.get("outs") or []},
    )


def parsed(entry: str, where: str) -> dict[str, Any]:
    """Returns what these lines hold: params by file, deps and outs, each with a path.

    Raises ArtifactError, beginning with `where`, if DVC did not write them.
    """
    try:
        return _parsed(entry)
    except (TextmillError, ValidationError, AttributeError, ValueError) as error:
        raise ArtifactError(f"{where}: {name_of(entry)} is not as DVC writes it; check it out again") from error


@cache  # slow, and most entries of two files are equal
def _parsed(entry: str) -> dict[str, Any]:
    (stage,) = parse(entry.encode(), str(LOCK)).values()
    _Entry.model_validate(stage)
    return dict(stage)


def _params(file: str, keys: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in keys.items():
        yield from flat(value, key if file == "params.yaml" else f"{file}: {key}").items()


def flat(value: Any, key: str) -> dict[str, str]:
    """Returns the JSON of each value below `value`, by full key. A null or an empty section is also a value."""
    if isinstance(value, dict) and value:
        return {name: text for child in value for name, text in flat(value[child], f"{key}.{child}").items()}
    return {key: json.dumps(value, ensure_ascii=False)}


def outputs(entry: str) -> dict[str, str]:
    """Returns md5 by path of what a stage wrote, from its lines alone. Reads less than `read`, and sooner.

    Raises ArtifactError if DVC did not write them.
    """
    _, _, lines = entry.partition("\n    outs:\n")
    found = parsed(f"  {name_of(entry)}:\n    outs:\n{lines}", str(LOCK)).get("outs") or []
    return {one["path"]: str(one["md5"]) for one in found if "md5" in one}


def hash_of(path: Path) -> str:
    """Returns the hash of a file or folder as DVC computes it. Raises OSError if it cannot be read."""
    if not path.is_dir():
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "md5").hexdigest()
    names = sorted(one.relative_to(path).as_posix() for one in path.rglob("*") if one.is_file())
    listing = [{"md5": hash_of(path / name), "relpath": name} for name in names]
    return hashlib.md5(json.dumps(listing, sort_keys=True).encode()).hexdigest() + ".dir"
