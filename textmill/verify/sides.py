"""The two sides of a receipt: the stages in a commit's dvc.lock and in this folder's, and whether files match them."""

from collections.abc import Mapping
from hashlib import md5
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from textmill.config import PARAMS, load_params
from textmill.dag import PIPELINE, load_pipeline, stage_names
from textmill.errors import ArtifactError
from textmill.lockfile import LOCK, Stage, differing, entries, flat, hash_of, read
from textmill.verify.commit import Commit, contents


class Side(NamedTuple):
    """The stages that dvc.yaml and params.yaml ask for, in order, and those of them that are in dvc.lock."""

    wanted: list[str]
    stages: dict[str, Stage]


def of_commit(commit: Commit, folder: Path) -> Side:
    """Returns a commit's side. Raises ArtifactError if it has no dvc.lock."""
    found = contents(commit, [LOCK, PIPELINE, PARAMS], folder)
    if LOCK not in found:
        raise ArtifactError(f"{commit.named}: it has no dvc.lock; name a commit with results, or commit dvc.lock")
    lines = entries(found[LOCK].decode(errors="replace"))
    try:
        texts = (found.get(path, b"").decode(errors="replace") for path in (PIPELINE, PARAMS))
        pipeline, params = (YAML(typ="safe", pure=True).load(text) or {} for text in texts)
        names = stage_names(pipeline, params, lines)
    except (YAMLError, AttributeError):  # what cannot be read asks for nothing
        names = list(lines)
    return _side(names, lines, f"{LOCK} of {commit.named}")


def of_folder(folder: Path) -> Side:
    """Returns a folder's side. Raises ArtifactError if nothing ran there."""
    try:
        lines = entries((folder / LOCK).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ArtifactError(f"{LOCK}: {reason}; go to a project's folder, and run `textmill repro` there") from error
    return _side(stage_names(load_pipeline(folder / PIPELINE), load_params(folder / PARAMS), lines), lines, str(LOCK))


def _side(names: list[str], lines: Mapping[str, str], where: str) -> Side:
    return Side(names, {name: read(lines[name], where) for name in names if name in lines})


def broken(stages: Mapping[str, Stage], folder: Path) -> dict[str, str]:
    """Returns the stages whose outputs are not the ones in dvc.lock, and why."""
    reasons = {}
    for name, stage in stages.items():
        for path, value in stage.outs.items():
            there = (folder / path).exists()
            if not there or hash_of(folder / path) != value:
                reasons[name] = (
                    f"{path} is {'not what dvc.lock says' if there else 'missing'}; `textmill repro` fixes it"
                )
    return reasons


def outdated(stages: Mapping[str, Stage], params: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """Returns the stages that did not run since something they read changed: a key of params.yaml or a file."""
    own = {key: text for top, value in params.items() for key, text in flat(value, top).items()}
    outs = {path: value for stage in stages.values() for path, value in stage.outs.items()}
    reasons = {}
    for name, stage in stages.items():
        changed = [key for key in differing(stage.params, own) if stage.names(key)]
        for path, value in stage.deps.items():
            lies = outs.get(path) or (hash_of(folder / path) if (folder / path).is_file() else value)
            changed += [path] if lies != value else []
        if changed:
            reasons[name] = changed[0]
    return reasons


def inconsistent(stages: Mapping[str, Stage], commit: Commit, folder: Path) -> dict[str, str]:
    """Returns the stages for which the commit's files differ from its own dvc.lock, and why."""
    outs = {Path(path): (name, value) for name, stage in stages.items() for path, value in stage.outs.items()}
    held = contents(commit, [path for path, (_, value) in outs.items() if not value.endswith(".dir")], folder)
    wrong = [path for path, text in held.items() if md5(text, usedforsecurity=False).hexdigest() != outs[path][1]]
    return {outs[path][0]: f"{path} of {commit.named} is not what dvc.lock there says" for path in wrong}
