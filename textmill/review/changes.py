"""What changed since a commit: keys of params.yaml, and test scores, compared on the same documents."""

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from textmill.config import PARAMS, load_params, validate
from textmill.errors import ArtifactError, ParamsError
from textmill.files import parse_json
from textmill.lockfile import Stage, flat
from textmill.records.comparison import Comparison, Pair
from textmill.records.outcome import PREDICTIONS, SEEDS
from textmill.review.signing import PAGE, check
from textmill.verify.cache import cache_of, cached_file
from textmill.verify.commit import Commit, contents, find
from textmill.verify.evidence import SUMMARY
from textmill.verify.receipt import COMPARE, DIGESTS
from textmill.verify.sides import of_commit, of_folder

EVALUATE = "evaluate@"
ANSWERS = ["id", "label", "prediction"]
SAME = "the same answers"


class Param(NamedTuple):
    """A key whose value changed, as json; None where the file does not have it."""

    key: str
    then: str | None
    now: str | None


class Scored(NamedTuple):
    """A model's scores then and now, by the metric of now. same: whether its answers are the same.

    pair: the difference, judged; why: the reason if there is none.
    """

    model: str
    then: float | None
    now: float | None
    same: bool = False
    pair: Pair | None = None
    why: str = ""


class Changes(NamedTuple):
    """What changed since a commit. champions: then (None if unknown) and now. code: stages whose code differs."""

    commit: Commit
    comparison: Comparison
    params: list[Param]
    code: list[str]
    champions: tuple[str | None, str]
    scores: list[Scored]


def changes(revision: str, folder: Path) -> Changes:
    """Returns what changed since a revision.

    Raises ParamsError if there is no such revision, ArtifactError if it or this folder has no results.
    """
    commit = find(revision, folder)
    before = of_commit(commit, folder).stages
    check(folder)
    own, cache = of_folder(folder).stages, cache_of(folder)
    comparison = Comparison.read(folder / PAGE.parent / Comparison.FILE)
    models = [name for side in (own, before) for name in side if name.startswith(EVALUATE)]
    tables = {
        name: _answers(before.get(name), own.get(name), cache, folder, comparison.labels)
        for name in dict.fromkeys(models)
    }
    pairs = _differences(comparison, {name: both for name, both in tables.items() if isinstance(both, tuple)})
    summaries = _summaries(before, commit, folder), _summaries(own, None, folder)
    scores = []
    for name, found in tables.items():
        was, now = (_score(side.get(name, {}), comparison.metric) for side in summaries)
        why = found if isinstance(found, str) and found != SAME else ""
        scores.append(Scored(name.removeprefix(EVALUATE), was, now, found == SAME, pairs.get(name), why))
    champion = _champion(before, commit, cache, folder), comparison.champion
    return Changes(commit, comparison, params(commit, folder), _code(before, own), champion, scores)


def params(commit: Commit, folder: Path) -> list[Param]:
    """Returns the keys that differ, in the order of the file now; removed keys come last."""
    text = contents(commit, [PARAMS], folder).get(PARAMS, b"")
    try:
        was = YAML(typ="safe", pure=True).load(text.decode(errors="replace")) or {}
    except YAMLError as error:
        raise ArtifactError(f"{PARAMS} of {commit.named}: not YAML; name another commit") from error
    then, now = ({key: one for top, value in of.items() for key, one in flat(value, top).items()} for of in (
        was, load_params(folder / PARAMS)))  # fmt: skip
    keys = dict.fromkeys([*now, *then])
    return [Param(key, then.get(key), now.get(key)) for key in keys if then.get(key) != now.get(key)]


def _answers(then: Stage | None, now: Stage | None, cache: Path, folder: Path, labels: list[str]) -> Any:
    """Returns the answers then and now, or why they cannot be compared."""
    if then is None or now is None:
        return "new" if then is None else "removed"
    files = [_tables(side) for side in (then, now)]
    if not all(files):
        return "results of another version"
    if list(files[0].values()) == list(files[1].values()):
        return SAME
    paths = {name: cached_file(cache, md5) for name, md5 in files[0].items()}
    if not all(paths.values()):
        return "not judged: its predictions are not in DVC's cache; check that commit out and run `dvc fetch`"
    from textmill.judging.answers import answers
    from textmill.parquet import read_parquet

    own = {PurePosixPath(path).name: folder / path for path in now.outs}
    mine, theirs = (_read(side[PREDICTIONS], side[SEEDS]) for side in (own, paths))
    if not set(theirs[0]["label"].unique()) <= set(labels):
        return "not judged: other labels"
    if not mine[0]["id"].equals(theirs[0]["id"]) or not mine[0]["label"].equals(theirs[0]["label"]):
        return "not judged: other test documents"
    if len(mine) == len(theirs) and all(a.equals(b) for a, b in zip(mine, theirs, strict=True)):
        return SAME
    unit = read_parquet(own[PREDICTIONS], columns=["unit"])["unit"]
    return tuple(
        answers({seed: table.with_columns(unit) for seed, table in enumerate(side)}, labels) for side in (theirs, mine)
    )


def _tables(stage: Stage) -> dict[str, str]:
    found = {PurePosixPath(path).name: md5 for path, md5 in stage.outs.items()}
    return {name: found[name] for name in (PREDICTIONS, SEEDS) if name in found} if SEEDS in found else {}


def _read(shipped: Path | None, others: Path | None) -> list[Any]:
    """Returns the predictions of each seed, without units: older versions did not store them."""
    from textmill.parquet import read_parquet

    assert shipped
    assert others
    rest = read_parquet(others, columns=["seed", *ANSWERS])
    return [read_parquet(shipped, columns=ANSWERS), *(part.drop("seed") for part in rest.partition_by("seed"))]


def _differences(comparison: Comparison, both: Mapping[str, tuple[Any, Any]]) -> dict[str, Pair]:
    """Returns now minus then for each model. The intervals of all models hold together."""
    from textmill.judging.differences import Settings, pairs
    from textmill.judging.estimates import estimate
    from textmill.judging.units import units_of

    found = {}
    for name, (then, now) in both.items():
        classes, alpha = len(comparison.labels), comparison.alpha / len(both)
        settings = Settings(comparison.metric, classes, units_of(now.unit), alpha, 0)
        sides = {"now": now, "then": then}
        estimates = {
            side: estimate(comparison.metric, one.actual, one.predicted, classes, settings.units)
            for side, one in sides.items()
        }
        (found[name],) = pairs(settings, estimates, sides)
    return found


def _summaries(stages: Mapping[str, Stage], commit: Commit | None, folder: Path) -> dict[str, dict[str, Any]]:
    """Returns the summary.json of each evaluated model, from a commit or the folder."""
    places = {
        name: Path(path)
        for name, stage in stages.items()
        if name.startswith(EVALUATE)
        for path in stage.outs
        if PurePosixPath(path).name == SUMMARY
    }
    texts: Mapping[Path, bytes]
    if commit:
        texts = contents(commit, places.values(), folder)
    else:
        texts = {path: (folder / path).read_bytes() for path in places.values() if (folder / path).is_file()}
    return {name: summary(texts[path], path) for name, path in places.items() if path in texts}


def summary(content: bytes, path: Path) -> dict[str, float | None]:
    try:
        return validate(parse_json(content, path), dict[str, float | None], str(path))
    except ParamsError as error:
        raise ArtifactError(f"{error}; run `dvc repro` to make it again") from error


def _score(summary: Mapping[str, Any], metric: str) -> float | None:
    return summary.get(f"test_{metric}_mean", summary.get(f"test_{metric}"))


def _champion(stages: Mapping[str, Stage], commit: Commit, cache: Path, folder: Path) -> str | None:
    outs = stages[COMPARE].outs if COMPARE in stages else {}
    md5 = next((md5 for path, md5 in outs.items() if PurePosixPath(path).name == Comparison.FILE), None)
    path = cached_file(cache, md5) if md5 else None
    try:
        return str(json.loads(path.read_bytes())["champion"]) if path else None
    except (ValueError, KeyError, TypeError):
        return None


def _code(then: Mapping[str, Stage], now: Mapping[str, Stage]) -> list[str]:
    """Returns the stages that both have and whose digests differ."""
    return [
        name
        for name in now
        if name in then and _digests(then[name]) != _digests(now[name]) and name.split("@")[0] != "track"
    ]


def _digests(stage: Stage) -> dict[str, str]:
    return {path: md5 for path, md5 in stage.deps.items() if PurePosixPath(path).parts[0] == DIGESTS}
