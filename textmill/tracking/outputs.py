"""What there is to record: results as dvc.lock names them, so that any restored or older one can be recorded too."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from textmill.errors import ArtifactError
from textmill.files import digest, sha256
from textmill.judging.comparison import ENSEMBLE
from textmill.lockfile import LOCK, entries, hash_of
from textmill.records.comparison import Comparison, Entry
from textmill.tracking.origin import Origin

PAGE = "index.html"  # beside comparison.json


@dataclass(frozen=True)
class Out:
    """A file or folder and the md5 that DVC knows it by."""

    path: Path
    md5: str

    def check(self) -> None:
        """Raises ArtifactError if it is missing or holds something else: then a record of it would be a lie."""
        try:
            found = hash_of(self.path)
        except OSError as error:
            raise ArtifactError(f"{self.path}: {error.strerror}; run `dvc checkout` or `dvc repro`") from error
        if found != self.md5:
            raise ArtifactError(f"{self.path}: not what dvc.lock says; run `dvc repro`")


@dataclass(frozen=True)
class Result:
    """One model's result. Equal keys mean equal inputs, params and outputs."""

    name: str
    key: str
    params: dict[str, Any]  # as dvc.lock holds them for the stages on its way: {"seed": 42, "models.lstm": {...}}
    data: dict[str, str]  # md5 of the documents, and of the splits that it was scored on, by name
    bundle: Out
    outs: dict[str, Out]  # the other ones by file name: scores.json, history.csv, ...


@dataclass(frozen=True)
class Snapshot:
    """All results of a commit, or of the folder as it is: what one `track` records."""

    origin: Origin
    comparison: Comparison
    results: dict[str, Result]  # by name, best on validation first
    measured: Path  # the folder of the models' metrics, where any timing.json may be missing
    page: Path | None  # the report
    digest: str  # of what was compared, and with what result

    @property
    def champion(self) -> Result:
        """The model to ship."""
        return self.results[self.comparison.champion]

    def entry(self, name: str) -> Entry:
        """What the comparison says of a model or an ensemble."""
        return next(model for model in self.comparison.models if model.name == name)

    @property
    def keys(self) -> set[str]:
        """Those of the models' results."""
        return {result.key for result in self.results.values()}

    @property
    def others(self) -> dict[str, str]:
        """Keys of what has scores, but no model of its own: each ensemble, and the baseline ('')."""
        models = {model.name: model for model in self.comparison.models if model.family == ENSEMBLE}
        data = sorted(self.champion.data.items())
        return {"": digest([self.comparison.baseline.model_dump(), data])} | {
            name: digest([model.model_dump(), [self.results[one].key for one in model.members if one in self.results]])
            for name, model in models.items()
        }


def snapshot(lock: Path, comparison: Path, measured: Path, origin: Origin) -> Snapshot:
    """What lies in a folder. lock: its dvc.lock. Raises ArtifactError if that does not hold a model's results."""
    compared = Comparison.read(comparison)
    names = [model.name for model in compared.models if model.family != ENSEMBLE]  # those have no bundle
    results = {result.name: result for result in read_results(lock, names)}
    known = digest([sha256(comparison), [result.key for result in results.values()]])
    page = comparison.with_name(PAGE)
    return Snapshot(origin, compared, results, measured, page if page.is_file() else None, known)


def read_results(lock: Path, models: Sequence[str]) -> list[Result]:
    """The results of these models. Raises ArtifactError if dvc.lock does not hold one of them."""
    if not lock.exists():
        raise ArtifactError(f"{lock}: missing; run `dvc repro`, which writes it")
    lines = entries(lock.read_text(encoding="utf-8"))
    try:
        return [_result(lines, name, lock.parent) for name in models]
    except KeyError as error:
        raise ArtifactError(f"{lock}: {error} is missing; run `dvc repro`") from error


def _result(lines: Mapping[str, str], name: str, root: Path) -> Result:
    train, evaluate = (stage(lines[f"{which}@{name}"]) for which in ("train", "evaluate"))
    tokenizer = _params(train)[f"models.{name}"]["tokenizer"]
    way = [stage(lines[which]) for which in ("download", "clean", "split", f"vocab@{tokenizer}")]
    outs = _outs([train, evaluate], root)
    read = {PurePosixPath(one["path"]).name: str(one.get("md5")) for one in evaluate.get("deps") or []}
    splits = {PurePosixPath(file).stem: md5 for file, md5 in read.items() if file.endswith(".parquet")}
    return Result(
        name=name,
        key=digest([{part: stage.get(part) for part in ("params", "deps", "outs")} for stage in (train, evaluate)]),
        params={key: value for stage in [*way, train, evaluate] for key, value in _params(stage).items()},
        data={"train": _outs([way[1]], root)["docs.parquet"].md5} | splits,
        bundle=outs.pop(name),
        outs=outs,
    )


@lru_cache(maxsize=500)  # commits share most of their lines
def stage(entry: str) -> dict[str, Any]:
    """What the lines of a stage say, as DVC wrote it. Raises ArtifactError if they are none of DVC's."""
    try:
        (found,) = YAML(typ="safe", pure=True).load(entry).values()
        return dict(found)
    except (YAMLError, AttributeError, TypeError, ValueError) as error:
        raise ArtifactError(f"{LOCK}: {entry.split(':')[0].strip()} is not as DVC writes it") from error


def _outs(stages: Iterable[Mapping[str, Any]], root: Path) -> dict[str, Out]:
    outs = [out for one in stages for out in one.get("outs") or []]
    return {PurePosixPath(out["path"]).name: Out(root / out["path"], out["md5"]) for out in outs}


def _params(found: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for file in found.get("params", {}).values() for key, value in file.items()}


def flat(values: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Nested keys in one level: {"a": {"b": 1}} -> {"a.b": 1}."""
    level: dict[str, Any] = {}
    for key, value in values.items():
        level |= flat(value, f"{above}{key}.") if isinstance(value, Mapping) else {f"{above}{key}": value}
    return level
