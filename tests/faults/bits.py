"""A flipped bit in each file that one stage writes and another reads, in the workspace and in DVC's cache."""

import random
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from test_pipeline import flip

from faults.project import VARIES, Project
from faults.runs import COMMANDS, finish
from textmill.dag import dependencies
from textmill.errors import ArtifactError
from textmill.intact import check_inputs
from textmill.lockfile import hash_of
from textmill.verify.cache import cache_of, cached_file, objects

CHECKOUT = ["dvc", "checkout", "--force"]
VERIFY = [*COMMANDS["textmill repro"][:-1], "verify", "--cache"]


def cases(project: Project, count: int | None, chance: random.Random) -> Iterator[tuple[str, str, Callable[[], str]]]:
    """Yields seeded cases: a fault, what it meets, and a function that returns what is wrong. count: None for all."""
    found = _read(project)
    every = [(file, stages, where) for file, stages in found.items() for where in ("workspace", "cache")]
    for file, stages, where in every if count is None else chance.sample(every, min(count, len(every))):
        check = in_workspace if where == "workspace" else in_cache
        yield f"a bit in the {where}", project.name(file), partial(check, project, file, stages)
    listings = [file for file in objects(cache_of(project.folder)) if file.suffix == ".dir"]
    for file in listings if count is None else chance.sample(listings, 1):
        yield "a bit in the cache", f"listing {file.name}", partial(in_listing, project, file)


def in_workspace(project: Project, file: Path, stages: set[str]) -> str:
    """Flips a bit of a file; returns which of its readers does not refuse it, or ''."""
    before = flip(file)
    accepted = _accept(project, file, stages)
    file.write_bytes(before)
    return accepted


def in_cache(project: Project, file: Path, stages: set[str]) -> str:
    """Flips a bit of a file's copy in the cache, lets DVC restore it, and checks its readers and `verify --cache`."""
    kept = cached_file(cache_of(project.folder), hash_of(file))
    if kept is None:
        return ""  # not cached: in git
    before = flip(kept)
    file.unlink()
    finish(project, CHECKOUT)
    wrong = _accept(project, file, stages) if file.exists() else ""  # DVC may notice itself
    wrong += _not_named(project, kept)
    _put_back(kept, before)
    if not file.exists():
        shutil.copy2(project.kept(file), file)
    return wrong


def in_listing(project: Project, listing: Path) -> str:
    """Flips a bit of a folder's listing in the cache: `verify --cache` names it; a run ends whole, or in one line."""
    before = flip(listing)
    wrong = _not_named(project, listing)
    for stage in project.stages:
        project.clear(stage)
    code, told = finish(project, COMMANDS["textmill repro"])
    _put_back(listing, before)
    if "Traceback" in told or (not code and project.differing()):
        wrong += f" repro: {code} {project.differing()} {told[-300:]}"
    project.restore_all()
    return wrong


def _put_back(kept: Path, before: bytes) -> None:
    kept.unlink(missing_ok=True)  # DVC deletes what it finds damaged
    kept.write_bytes(before)
    kept.chmod(0o444)


def _not_named(project: Project, kept: Path) -> str:
    """Returns what `textmill verify --cache` says if it does not name a damaged file, or ''."""
    code, told = finish(project, VERIFY)
    named = f"{kept.parent.name}/{kept.name}" in "".join(told.split())  # long lines may be wrapped
    return "" if code == 1 and named and "Traceback" not in told else f"verify --cache: {code} {told[-300:]}"


def _accept(project: Project, file: Path, stages: set[str]) -> str:
    accepted = []
    for stage in sorted(stages):
        try:
            check_inputs(stage, project.pipeline, project.params, project.folder)
            accepted.append(stage)
        except ArtifactError as error:
            if project.name(file) not in str(error) and file.parent.name not in str(error):
                accepted.append(f"{stage}, with {error}")
    return f"read by {accepted}" if accepted else ""


def _read(project: Project) -> dict[Path, set[str]]:
    """Returns the stages that read each file that another stage wrote."""
    found: dict[Path, set[str]] = {}
    for stage in project.stages:
        for path in dependencies(stage, project.pipeline, project.params):
            for producer in project.stages:
                for file in project.whole[producer] if producer != stage else ():
                    if file.is_relative_to(project.folder / path) and file.stat().st_size and file.name not in VARIES:
                        found.setdefault(file, set()).add(stage)
    return found
