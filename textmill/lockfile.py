"""dvc.lock: what each stage read and wrote, and the hashes that DVC knows files by."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from textmill.errors import ArtifactError

LOCK = Path("dvc.lock")


@dataclass(frozen=True)
class Stage:
    """An entry of dvc.lock. deps, outs: md5 by path, of a folder with .dir at its end; params: json by full key.

    keys: those of params.yaml that it names, each with all that is below it.
    """

    keys: tuple[str, ...]
    params: dict[str, str]
    deps: dict[str, str]
    outs: dict[str, str]

    def names(self, key: str) -> bool:
        """Whether this key of params.yaml is one of `keys`, or below one."""
        return any(key == one or key.startswith(f"{one}.") for one in self.keys)


def changed_params(one: Stage, other: Stage) -> list[str]:
    """Full keys of params whose values differ. A key that only one of them names tells of dvc.yaml, not of params."""
    return [
        key
        for key in differing(one.params, other.params)
        if (one.names(key) and other.names(key)) or (key in one.params and key in other.params)
    ]


def differing(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """Keys that do not have the same value in both."""
    return [key for key in dict.fromkeys([*one, *other]) if one.get(key) != other.get(key)]


def parts(text: str) -> list[str]:
    """What stands before the first stage, then each stage with all its lines."""
    return re.split(r"(?m)^(?=  \S)", text)


def name_of(entry: str) -> str:
    """The stage that an entry of `parts` is of."""
    return entry.split(":\n")[0].strip()


def entries(text: str) -> dict[str, str]:
    """The lines of each stage by its name."""
    return {name_of(entry): entry for entry in parts(text)[1:]}


def read(entry: str, where: str) -> Stage:
    """What the lines of a stage say. Raises ArtifactError, with `where`, if they are none of DVC's."""
    try:
        return _stage(entry)
    except (YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise ArtifactError(f"{where}: {name_of(entry)} is not as DVC writes it; check it out again") from error


@cache  # slow; of two files most entries are equal
def _stage(entry: str) -> Stage:
    (stage,) = YAML(typ="safe", pure=True).load(entry).values()
    return Stage(
        keys=tuple(stage.get("params", {}).get("params.yaml", ())),
        params={key: value for file, keys in stage.get("params", {}).items() for key, value in _params(file, keys)},
        deps={str(one["path"]): str(one.get("md5")) for one in stage.get("deps", [])},
        outs={str(one["path"]): str(one.get("md5")) for one in stage.get("outs", [])},
    )


def _params(file: str, keys: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in keys.items():
        yield from flat(value, key if file == "params.yaml" else f"{file}: {key}").items()


def flat(value: Any, key: str) -> dict[str, str]:
    """The json of what is in a value, by its full key; a null and an empty section are something, too."""
    if isinstance(value, dict) and value:
        return {name: text for child in value for name, text in flat(value[child], f"{key}.{child}").items()}
    return {key: json.dumps(value, ensure_ascii=False)}


def hash_of(path: Path) -> str:
    """A file's or a folder's hash, as DVC reckons it. Raises OSError if it cannot be read."""
    if not path.is_dir():
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "md5").hexdigest()
    names = sorted(one.relative_to(path).as_posix() for one in path.rglob("*") if one.is_file())
    listing = [{"md5": hash_of(path / name), "relpath": name} for name in names]
    return hashlib.md5(json.dumps(listing, sort_keys=True).encode()).hexdigest() + ".dir"
