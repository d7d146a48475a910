"""`textmill upgrade`: shows what the running textmill would change in a project, and changes it."""

import difflib
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from textmill.code.stages import listings, modules
from textmill.config import load_params
from textmill.dag import load_pipeline
from textmill.errors import ParamsError
from textmill.files import write_text
from textmill.pin import PYPROJECT, Pin, pinned
from textmill.project.new import BASE, extras
from textmill.project.source import WHEELS, Source
from textmill.project.template import files, pipeline, requirement

DIGESTS, REQUIREMENTS = Path("digests"), Path("requirements.txt")
REQUIRED = r"(?m)^(\./wheels/textmill-|textmill *[\[@=<>~]).*$"  # the line of requirements.txt that pins textmill
REPLACED = ("params.schema.json", "requirements.lock")  # files that only textmill writes


class Merged(NamedTuple):
    """A pipeline file: the template it was made from, the new one, the project's own, and a merge of both changes.

    An empty text means that there is no such file. merged is None if both changes touch the same lines.
    """

    old: str
    new: str
    own: str
    merged: str | None


class Upgrade(NamedTuple):
    """An upgrade from one textmill to another: the files that change, and the stages that will run, with reasons."""

    before: Pin
    after: Source
    merged: dict[str, Merged]
    stages: dict[str, tuple[str, ...]]


def plan(project: Path, source: Source) -> Upgrade:
    """Compares a project with the running textmill. Raises ParamsError if `textmill new` did not make the project."""
    before = pinned(project)
    if before is None:
        raise ParamsError(f"{project / PYPROJECT}: no table tool.textmill; projects made by `textmill new` have one")
    new, base = pipeline(), project / BASE
    old = {path.relative_to(base).as_posix() for path in base.rglob("*") if path.is_file()}
    changes = {
        name: merge(_read(base / name), new.get(name, ""), _read(project / name)) for name in sorted(old | new.keys())
    }
    merged = {name: change for name, change in changes.items() if change.old != change.new}
    with TemporaryDirectory() as temporary:
        after = Path(temporary)
        for path in [project / "dvc.yaml", *project.glob("stages/*.py"), *project.glob("families/*.py")]:
            write_text(after / path.relative_to(project), _read(path))
        _apply(after, merged)
        stages = _run_again(project, after)
    return Upgrade(before, source, merged, stages)


def lines(upgrade: Upgrade) -> Iterator[str]:
    """Yields the plan as lines."""
    before, after = upgrade.before, upgrade.after.pin
    if before == after and not upgrade.merged:
        yield f"upgrade: this project already has textmill {after.version} ({after.code})"
        return
    yield f"upgrade: textmill {before.version} ({before.code}) → {after.version} ({after.code})"
    for name, change in upgrade.merged.items():
        yield from difflib.unified_diff(
            change.old.splitlines(), change.new.splitlines(), f"old/{name}", f"new/{name}", lineterm=""
        )
    for name, change in upgrade.merged.items():
        if change.merged is None:
            yield (
                f"{name}: your change and this one touch the same lines, so yours stays; after --apply, merge "
                f"the changes in `git diff {BASE}/{name}` by hand"
            )
        elif change.own not in (change.old, change.new):
            yield f"{name}: your own change stays"
    for reasons in dict.fromkeys(upgrade.stages.values()):
        stages = [stage for stage, own in upgrade.stages.items() if own == reasons]
        yield f"will run again: {', '.join(stages)} (changed: {', '.join(reasons)})"
    yield "then all stages whose inputs change" if upgrade.stages else "nothing will run again"


def apply(project: Path, upgrade: Upgrade) -> None:
    """Writes the files, the pin last. A file with a conflict stays as it is.

    Raises ParamsError, with nothing written, if pyproject.toml does not hold the pin as `textmill new` wrote it.
    """
    after = upgrade.after
    repinned = _with_pin(project / PYPROJECT, upgrade.before, after.pin)
    _apply(project, upgrade.merged)
    for name, change in upgrade.merged.items():
        _write(project / BASE / name, change.new)
    new, asked = files(), requirement(after.pin, extras(_read(project / "params.yaml")))
    for name in REPLACED:
        write_text(project / name, new[name])
    after.write_wheel(project)
    write_text(project / REQUIREMENTS, _with_requirement(_read(project / REQUIREMENTS), asked))
    write_text(project / PYPROJECT, repinned)
    for left in (project / WHEELS).glob("textmill-*.whl"):
        if not after.wheel or left.name != after.wheel.name:
            left.unlink()


def merge(old: str, new: str, own: str) -> Merged:
    """Returns the template's change and the project's own merged, as git merges files."""
    if own in (old, new):
        return Merged(old, new, own, new)
    if old == new:
        return Merged(old, new, own, own)
    with TemporaryDirectory() as folder:
        paths = [Path(folder, name) for name in ("own", "old", "new")]
        for path, text in zip(paths, (own, old, new), strict=True):
            write_text(path, text)
        words: list[str | Path] = ["git", "merge-file", "-p", "-q", *paths]
        done = subprocess.run(words, capture_output=True, encoding="utf-8", check=False)
    return Merged(old, new, own, None if done.returncode else done.stdout)


def _apply(project: Path, merged: Mapping[str, Merged]) -> None:
    for name, change in merged.items():
        if change.merged is not None:
            _write(project / name, change.merged)


def _run_again(project: Path, after: Path) -> dict[str, tuple[str, ...]]:
    """Returns stages whose code or definition the upgrade changes, with what changed, in the order of dvc.yaml."""
    params = load_params(project / "params.yaml")
    old, new = (load_pipeline(folder / "dvc.yaml")["stages"] for folder in (project, after))
    found: dict[str, list[str]] = {}
    for name, listing in listings(after).items():
        before, now = modules(_read(project / DIGESTS / f"{name}.txt")), modules(listing)
        changed = [module for module in dict.fromkeys([*before, *now]) if before.get(module) != now.get(module)]
        if changed and before:  # without digests nothing ever ran
            found |= {stage: changed for stage in _stages(name, params) if stage.split("@")[0] in new}
    for stage in new:
        if _runs(old.get(stage, {})) != _runs(new[stage]):
            found[stage] = [*found.get(stage, []), "dvc.yaml"]
    order = list(new)
    return {stage: tuple(found[stage]) for stage in sorted(found, key=lambda name: order.index(name.split("@")[0]))}


def _runs(stage: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what counts in a stage's definition: all but its description."""
    body = stage.get("do", stage)
    return {key: value for key, value in body.items() if key != "desc"} | {"foreach": stage.get("foreach")}


def _stages(digest: str, params: Mapping[str, Any]) -> list[str]:
    """Returns the stages that a digests file is for: train@lstm and train@other for train-lstm, depending on params."""
    stage, _, variant = digest.partition("-")
    if not variant:
        return [stage]
    section, key = ("models", "family") if stage in ("train", "evaluate", "curve") else ("tokenizers", "kind")
    return [f"{stage}@{name}" for name, entry in params[section].items() if entry.get(key) == variant]


def _with_pin(path: Path, before: Pin, after: Pin) -> str:
    """Returns pyproject.toml with another pin and everything else unchanged."""
    text, mark, table = _read(path).partition("[tool.textmill]\n")
    own, end, rest = table.partition("\n[")  # a project may have its own version
    for name, old in before._asdict().items():
        if f'{name} = "{old}"' not in own:
            raise ParamsError(f'{path}: tool.textmill: expected a line {name} = "{old}"; restore the table')
        own = own.replace(f'{name} = "{old}"', f'{name} = "{getattr(after, name)}"', 1)
    return text + mark + own + end + rest


def _with_requirement(text: str, asked: str) -> str:
    """Returns requirements.txt with another textmill and everything else unchanged."""
    if re.search(REQUIRED, text):
        return re.sub(REQUIRED, lambda _: asked, text, count=1)
    return f"{text.rstrip()}\n{asked}\n".lstrip()


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _write(path: Path, text: str) -> None:
    """Writes a file; an empty text removes it."""
    if text:
        write_text(path, text)
    else:
        path.unlink(missing_ok=True)
