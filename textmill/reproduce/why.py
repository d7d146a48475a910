"""`textmill why`: what changed since dvc.lock, and what will run because of it.

Computes the digests of code itself: until the stage `code` has run, DVC only knows that some code changed.
"""

import hashlib
import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from textmill.code.stages import listings, modules
from textmill.lockfile import flat

if TYPE_CHECKING:
    from dvc.dependency import Dependency
    from dvc.repo import Repo
    from dvc.stage import Stage

CODE = "code"  # the stage that writes digests of code
DIGESTS = "digests"  # their folder
COMMITS = 50  # how many commits are searched for an older file of digests
SHOWN = 60  # longer values are truncated


class Plan(NamedTuple):
    """Why stages will run, in the order of dvc.yaml, and which stages run after them if their inputs change."""

    reasons: dict[str, list[str]]
    following: dict[str, list[str]]  # each with the stages of `reasons` above it


def plan(dvc: "Repo") -> Plan:
    """Compares this folder with its dvc.lock."""
    import networkx

    fresh, status = listings(Path(dvc.root_dir)), dvc.status()
    stages = {stage.addressing: stage for stage in dvc.index.stages}
    reasons = {name: list(_reasons(stage, status.get(name, []), fresh)) for name, stage in stages.items()}
    changed = {name: why for name, why in reasons.items() if why}
    if changed.keys() == {CODE}:
        changed[CODE].append("comments, docstrings or messages changed at most: nothing runs after it")
    following: dict[str, list[str]] = {}
    for name in changed.keys() - {CODE}:
        for stage in networkx.ancestors(dvc.index.graph, stages[name]):
            following.setdefault(stage.addressing, []).append(name)
    order = list(stages)
    return Plan(changed, {name: sorted(following[name], key=order.index) for name in order if name in following})


def lines(found: Plan, stage: str | None = None) -> Iterator[str]:
    """Yields the plan as lines. stage: only of this stage (`train@lstm`) or of all with its name (`train`)."""
    mine = {name for name in [*found.reasons, *found.following] if stage in (None, name, name.split("@")[0])}
    if not mine:
        yield f"why: {stage or 'everything'} is up to date"
    for name, reasons in found.reasons.items():
        if name in mine:
            yield f"{name} will run:"
            yield from (f"  {reason}" for reason in reasons)
    then = {name: causes for name, causes in found.following.items() if name in mine - found.reasons.keys()}
    if stage is None and then:
        yield f"then, if their inputs change: {', '.join(then)}"
    elif stage:
        yield from (f"{name} will run after {', '.join(causes)}, if its inputs change" for name, causes in then.items())


def _reasons(stage: "Stage", status: Sequence[str | dict[str, Any]], fresh: Mapping[str, str]) -> Iterator[str]:
    if status and not any(one.hash_info for one in [*stage.deps, *stage.outs]):
        yield "it never ran (dvc.lock does not name it)"
        return
    paths: dict[str, Any] = {}
    for found in status:
        if isinstance(found, str):
            yield found
        else:
            paths |= found.get("changed deps", {})
            for path, how in found.get("changed outs", {}).items():
                yield f"its output {path} is {how}"
    for dependency in stage.deps:
        path, lock = str(dependency), dependency.hash_info.value
        file = Path(path)
        if isinstance(keys := paths.get(path), dict):
            yield from _params(dependency, keys)
        elif file.name == DIGESTS:
            if lock != _folder(fresh):
                yield f"{path}: the code of a stage changed"
        elif lock and file.parent.name == DIGESTS and file.stem in fresh:
            if lock != _md5(fresh[file.stem]):
                yield from _code(fresh[file.stem], _older(file, lock))
        elif path in paths:
            yield f"{path} is {paths[path]}"


def _params(dependency: "Dependency", changed: Iterable[str]) -> Iterator[str]:
    before, now = dependency.hash_info.value, dependency.read_params()
    for key in changed:
        old, new = (flat(values[key], key) if key in values else {} for values in (before, now))
        for name in dict.fromkeys([*old, *new]):
            was, is_now = old.get(name, "not there"), new.get(name, "left out")
            if was != is_now:
                yield f"{dependency}: {name}: {_short(was)} → {_short(is_now)}"


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def _code(now: str, before: str | None) -> Iterator[str]:
    if before is None:
        yield "its code changed (the digests that dvc.lock names are in none of the last commits)"
        return
    old, new = modules(before), modules(now)
    for name in dict.fromkeys([*old, *new]):
        if old.get(name) != new.get(name):
            how = "is no longer run" if name not in new else "changed" if name in old else "is also run"
            yield f"code: {name} {how}"


def _older(file: Path, md5: str) -> str | None:
    """Returns the listing that dvc.lock names, from the file or one of the last commits; None if there is none."""
    if file.is_file() and _md5(text := file.read_text(encoding="utf-8")) == md5:
        return text
    for commit in _git("rev-list", f"-{COMMITS}", "HEAD", "--", str(file)).split():
        if _md5(text := _git("show", f"{commit}:./{file}")) == md5:
            return text
    return None


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], capture_output=True, text=True, encoding="utf-8", check=False)
    return done.stdout if done.returncode == 0 else ""


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _folder(listings: Mapping[str, str]) -> str:
    """Returns DVC's hash of a folder with these files."""
    files = {f"{name}.txt": _md5(listing) for name, listing in listings.items()}
    return _md5(json.dumps([{"md5": files[name], "relpath": name} for name in sorted(files)])) + ".dir"
