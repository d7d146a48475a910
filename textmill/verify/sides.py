"""The two sides of a comparison: a commit's dvc.lock and metrics, and this folder's."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from textmill.config import PARAMS, load_params
from textmill.errors import ArtifactError, TextmillError
from textmill.lockfile import LOCK, Stage, entries, flat, hash_of, read
from textmill.results.comparison import Comparison
from textmill.results.scores import Scores
from textmill.timings import Timing
from textmill.verify.commit import Commit, contents
from textmill.verify.receipt import COMPARE, Champions, Score

PIPELINE = Path("dvc.yaml")
SUMMARY = "summary.json"
CLOSE = 2e-6  # scores are kept in six digits


@dataclass(frozen=True)
class Locked:
    """The lines of each stage in a dvc.lock, and the stages that dvc.yaml and params beside it ask for."""

    where: str
    lines: dict[str, str]
    wanted: list[str]

    def read(self, name: str) -> Stage:
        """What a stage's lines say."""
        return read(self.lines[name], self.where)


def committed(commit: Commit, folder: Path) -> Locked:
    """A commit's side. Raises ArtifactError if it has no dvc.lock."""
    found = contents(commit, [LOCK, PIPELINE, PARAMS], folder)
    if LOCK not in found:
        raise ArtifactError(f"{commit.named}: no dvc.lock in it; name a commit with results, or commit dvc.lock")
    lines = entries(found[LOCK].decode(errors="replace"))
    try:
        pipeline, params = (_plain(found.get(path, b"")) for path in (PIPELINE, PARAMS))
    except YAMLError:
        pipeline, params = {}, {}
    return Locked(f"{LOCK} of {commit.named}", lines, wanted(pipeline, params, lines))


def here(folder: Path) -> Locked:
    """This folder's side. Raises ArtifactError if nothing ran here."""
    try:
        lines = entries((folder / LOCK).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ArtifactError(f"{LOCK}: {reason}; go to a project's folder, and run `textmill repro` there") from error
    return Locked(str(LOCK), lines, wanted(load_params(folder / PIPELINE), load_params(folder / PARAMS), lines))


def wanted(pipeline: Mapping[str, Any], params: Mapping[str, Any], lines: Iterable[str]) -> list[str]:
    """Names of all stages, in the order of dvc.yaml; dvc.lock also keeps those of models that were removed.

    lines: the stages of dvc.lock, which tell the items of what is not a plain `foreach: ${key}`.
    """
    stages = pipeline.get("stages")
    if not isinstance(stages, Mapping):
        return list(lines)
    names: list[str] = []
    for name, body in stages.items():
        over = body.get("foreach") if isinstance(body, Mapping) else None
        if over is None and "matrix" not in (body or {}):
            names.append(name)
            continue
        items: Any = over
        if isinstance(over, str):
            items = params
            for part in over.removeprefix("${").removesuffix("}").split("."):
                items = items.get(part) if isinstance(items, Mapping) else None
        if isinstance(items, Mapping) or (isinstance(items, list) and not any(isinstance(i, Mapping) for i in items)):
            names += [f"{name}@{item}" for item in items]
        else:
            names += [line for line in lines if line.startswith(f"{name}@")]
    return names


class Files:
    """Hashes of this folder's files; each is read once."""

    def __init__(self, folder: Path):
        self.folder, self.known = folder, dict[str, str | None]()

    def hash(self, path: str) -> str | None:
        """None of what is not there."""
        if path not in self.known:
            try:
                self.known[path] = hash_of(self.folder / path)
            except OSError:
                self.known[path] = None
        return self.known[path]


def broken(stages: Mapping[str, Stage], files: Files) -> dict[str, str]:
    """Stages whose outputs are not those that dvc.lock names."""
    told = {}
    for name, stage in stages.items():
        for path, md5 in stage.outs.items():
            if (lies := files.hash(path)) != md5:
                told[name] = f"{path} is {'not what dvc.lock says' if lies else 'missing'}; `textmill repro` mends it"
    return told


def late(stages: Mapping[str, Stage], params: Mapping[str, Any], files: Files) -> dict[str, str]:
    """Stages that did not run since what they read changed, and a key of params.yaml or a file that did."""
    own = {key: text for top, value in params.items() for key, text in flat(value, top).items()}
    outs = {path: md5 for stage in stages.values() for path, md5 in stage.outs.items()}
    told = {}
    for name, stage in stages.items():
        was, now = ({key: text for key, text in some.items() if _named(key, stage)} for some in (stage.params, own))
        changed = [key for key in dict.fromkeys([*was, *now]) if was.get(key) != now.get(key)]
        changed += [path for path, md5 in stage.deps.items() if outs.get(path, md5) != md5]
        changed += [
            path
            for path, md5 in stage.deps.items()
            if path not in outs and (files.folder / path).is_file() and files.hash(path) != md5
        ]
        if changed:
            told[name] = changed[0]
    return told


def unlike(then: Mapping[str, Stage], commit: Commit, folder: Path) -> dict[str, str]:
    """Stages of which the commit holds other files than its own dvc.lock names."""
    from hashlib import md5

    outs = {Path(path): (name, value) for name, stage in then.items() for path, value in stage.outs.items()}
    held = contents(commit, [path for path, (_, value) in outs.items() if not value.endswith(".dir")], folder)
    wrong = [path for path, text in held.items() if md5(text, usedforsecurity=False).hexdigest() != outs[path][1]]
    return {outs[path][0]: f"{path} of {commit.named} is not what dvc.lock there says" for path in wrong}


@dataclass(frozen=True)
class Results:
    """Of models, what verdicts rest on: summaries and timings of both sides, and the comparison here."""

    comparison: Comparison | None
    summaries: dict[str, tuple[dict[str, Any], dict[str, Any]]]
    timings: dict[str, tuple[Timing, Timing]]
    scored: dict[str, dict[str, float | None]]  # mean scores here

    def score(self, model: str) -> Score:
        """The committed test score, and the one here with its interval."""
        return judged(self.comparison, model, *self.summaries.get(model, ({}, {})), self.scored.get(model, {}))

    def champions(self) -> Champions | None:
        """None where nothing was compared here."""
        if self.comparison is None:
            return None
        key = f"validation_{self.comparison.metric}"
        known = {model: then.get(key) for model, (then, _) in self.summaries.items() if then}
        several = any("test_accuracy_mean" in then for then, _ in self.summaries.values())
        best = max((value for value in known.values() if value is not None), default=None)
        winners = set() if several or best is None else {model for model, value in known.items() if value == best}
        return Champions(self.comparison.champion, winners, set(self.comparison.standing["ties"]))


def results(folders: Mapping[str, PurePosixPath], compared: Path | None, commit: Commit, folder: Path) -> Results:
    """folders: where each model's summary lies; compared: comparison.json."""
    paths = {(model, file): Path(at, file) for model, at in folders.items() for file in (SUMMARY, Timing.FILE)}
    held = contents(commit, paths.values(), folder)
    summaries, timings, scored = {}, {}, {}
    for model, at in folders.items():
        summary, timing = paths[model, SUMMARY], paths[model, Timing.FILE]
        summaries[model] = _json(held.get(summary)), _json(_bytes(folder / summary))
        timings[model] = _timing(held.get(timing)), _timing(_bytes(folder / timing))
        try:
            scored[model] = Scores.read(folder / at / Scores.FILE).mean
        except TextmillError:
            scored[model] = {}
    try:
        comparison = Comparison.read(folder / compared) if compared else None
    except TextmillError:
        comparison = None
    return Results(comparison, summaries, timings, scored)


def judged(
    comparison: Comparison | None,
    model: str,
    then: Mapping[str, Any],
    now: Mapping[str, Any],
    mean: Mapping[str, float | None],
) -> Score:
    """A model's score on both sides. then, now: its summaries; mean: over its seeds, as evaluate has it here.

    Of several seeds the mean is compared, where summaries have it; else the shipped seed's own score, with the interval
    of the mean moved to it.
    """
    entry = next((one for one in comparison.models if one.name == model), None) if comparison else None
    if comparison is None or entry is None:
        return Score(None, None, None, None, f"{COMPARE} has not seen it here: no interval to judge by")
    key = f"test_{comparison.metric}"
    if f"{key}_mean" in then and f"{key}_mean" in now:
        key += "_mean"
    committed, own, of_all = then.get(key), now.get(key), mean.get(comparison.metric)
    if committed is None:
        return Score(None, own, None, None, f"no {key} in the commit's summary.json")
    if own is None or of_all is None or abs(of_all - entry.score) > CLOSE:
        return Score(committed, own, None, None, f"{COMPARE} has not run here since it was evaluated")
    by = own - of_all if abs(own - of_all) > CLOSE else 0.0
    return Score(committed, own, _moved(entry.low, by), _moved(entry.high, by))


def _moved(end: float | None, by: float) -> float | None:
    return None if end is None else end + by


def _named(key: str, stage: Stage) -> bool:
    return any(key == one or key.startswith(f"{one}.") for one in stage.keys)


def _plain(text: bytes) -> dict[str, Any]:
    return YAML(typ="safe", pure=True).load(text.decode(errors="replace")) or {}


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _json(text: bytes | None) -> dict[str, Any]:
    try:
        found: Any = json.loads(text or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _timing(text: bytes | None) -> Timing:
    try:
        return Timing.model_validate(_json(text))
    except ValidationError:
        return Timing()
