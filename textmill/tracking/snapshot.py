"""What `track` records: the results that a dvc.lock names, of this folder or of any commit."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from textmill.errors import ArtifactError
from textmill.files import digest, sha256
from textmill.judging.comparison import ENSEMBLE
from textmill.lockfile import LOCK, entries, hash_of, parsed, text_of
from textmill.records.comparison import Comparison, Entry
from textmill.tracking.origin import Origin

REPORT = "index.html"  # next to comparison.json


@dataclass(frozen=True)
class Out:
    """A file or folder, and the md5 that dvc.lock has for it."""

    path: Path
    md5: str

    def check(self) -> None:
        """Raises ArtifactError if it is missing or has other contents: recording it would be wrong."""
        try:
            found = hash_of(self.path)
        except OSError as error:
            raise ArtifactError(f"{self.path}: {error.strerror}; run `dvc checkout` or `dvc repro`") from error
        if found != self.md5:
            raise ArtifactError(f"{self.path}: not what dvc.lock says; run `dvc repro`")


@dataclass(frozen=True)
class Result:
    """One model's result. Two results with equal keys have the same inputs, params and outputs."""

    name: str
    key: str
    params: dict[str, Any]  # of all stages that lead to it, as in dvc.lock: {"seed": 42, "models.lstm": {...}}
    data: dict[str, str]  # md5 of the documents and of the splits that it was scored on, by name
    bundle: Out
    outs: dict[str, Out]  # all other outputs by file name: scores.json, history.csv, ...

    def check(self) -> None:
        """Raises ArtifactError unless all its files are what dvc.lock says."""
        for out in (self.bundle, *self.outs.values()):
            out.check()


@dataclass(frozen=True)
class Snapshot:
    """All results of a commit, or of the folder as it is."""

    origin: Origin
    comparison: Comparison
    results: dict[str, Result]  # by name, best on validation first
    measured: Path  # folder of the models' metrics; any timing.json may be missing
    report: Path | None
    digest: str  # of the models that were compared and the outcome

    @property
    def dataset(self) -> str:
        """Name of the data, and of the experiment."""
        return self.comparison.dataset

    @property
    def champion(self) -> Result:
        """The model to ship."""
        return self.results[self.comparison.champion]

    @property
    def keys(self) -> set[str]:
        """Keys of the models' results."""
        return {result.key for result in self.results.values()}

    @property
    def others(self) -> dict[str, str]:
        """Keys of what has scores but no model: each ensemble by its name, and the baseline by ''."""
        baseline = digest([self.comparison.baseline.model_dump(), sorted(self.champion.data.items())])
        return {"": baseline} | {
            one.name: digest(
                [one.model_dump(), [self.results[name].key for name in one.members if name in self.results]]
            )
            for one in self.comparison.models
            if one.family == ENSEMBLE
        }

    def entry(self, name: str) -> Entry:
        """Returns the comparison's entry of a model or an ensemble."""
        return next(model for model in self.comparison.models if model.name == name)


def read_snapshot(lock: Path, comparison: Path, measured: Path, origin: Origin) -> Snapshot:
    """Returns the results of a folder. lock: its dvc.lock. Raises ArtifactError if that lacks a model's results."""
    compared = Comparison.read(comparison)
    names = [model.name for model in compared.models if model.family != ENSEMBLE]  # an ensemble has no bundle
    results = {result.name: result for result in read_results(lock, names)}
    known = digest([sha256(comparison), [result.key for result in results.values()]])
    report = comparison.with_name(REPORT)
    return Snapshot(origin, compared, results, measured, report if report.is_file() else None, known)


def read_results(lock: Path, models: Sequence[str]) -> list[Result]:
    """Returns the results of these models. Raises ArtifactError if dvc.lock lacks one of them."""
    if not lock.exists():
        raise ArtifactError(f"{lock}: missing; run `dvc repro`, which writes it")
    stages = entries(text_of(lock))
    try:
        return [_result(stages, name, lock.parent) for name in models]
    except KeyError as error:
        raise ArtifactError(f"{lock}: {error} is missing; run `dvc repro`") from error


def _result(stages: Mapping[str, str], name: str, root: Path) -> Result:
    train, evaluate = (stage(stages[f"{which}@{name}"]) for which in ("train", "evaluate"))
    model = _params(train)[f"models.{name}"]
    tokenizer = model.get("tokenizer") if isinstance(model, Mapping) else None
    above = [stage(stages[which]) for which in ("download", "clean", "split", f"vocab@{tokenizer}")]
    outs = _outs([train, evaluate], root)
    read = {PurePosixPath(one["path"]).name: str(one.get("md5")) for one in evaluate.get("deps") or []}
    splits = {PurePosixPath(file).stem: md5 for file, md5 in read.items() if file.endswith(".parquet")}
    return Result(
        name=name,
        key=digest([{part: one.get(part) for part in ("params", "deps", "outs")} for one in (train, evaluate)]),
        params={key: value for one in [*above, train, evaluate] for key, value in _params(one).items()},
        data={"train": _outs([above[1]], root)["docs.parquet"].md5} | splits,
        bundle=outs.pop(name),
        outs=outs,
    )


def stage(entry: str) -> dict[str, Any]:
    """Parses a stage's entry of dvc.lock. Raises ArtifactError if DVC did not write it."""
    return parsed(entry, str(LOCK))


def _outs(stages: Iterable[Mapping[str, Any]], root: Path) -> dict[str, Out]:
    outs = [out for one in stages for out in one.get("outs") or []]
    return {PurePosixPath(out["path"]).name: Out(root / out["path"], out["md5"]) for out in outs}


def _params(found: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for file in found.get("params", {}).values() for key, value in file.items()}
