"""What there is to record: results as dvc.lock names them, so that any restored or older one can be recorded too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from textmill.config import load_params
from textmill.errors import ArtifactError
from textmill.files import digest
from textmill.lockfile import hash_of


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
    docs: Out
    bundle: Out
    outs: dict[str, Out]  # the other ones by file name: scores.json, history.csv, ...


def read_results(lock: Path, models: Sequence[str]) -> list[Result]:
    """The results of these models. Raises ArtifactError if dvc.lock does not hold one of them."""
    if not lock.exists():
        raise ArtifactError(f"{lock}: missing; run `dvc repro`, which writes it")
    stages = load_params(lock).get("stages", {})
    try:
        return [_result(stages, name, lock.parent) for name in models]
    except KeyError as error:
        raise ArtifactError(f"{lock}: {error} is missing; run `dvc repro`") from error


def _result(stages: Mapping[str, Any], name: str, root: Path) -> Result:
    train, evaluate = stages[f"train@{name}"], stages[f"evaluate@{name}"]
    tokenizer = _params(train)[f"models.{name}"]["tokenizer"]
    way = [stages[stage] for stage in ("download", "clean", "split", f"vocab@{tokenizer}")]
    outs = _outs(train, root) | _outs(evaluate, root)
    return Result(
        name=name,
        key=digest([{part: stage.get(part) for part in ("params", "deps", "outs")} for stage in (train, evaluate)]),
        params={key: value for stage in [*way, train, evaluate] for key, value in _params(stage).items()},
        docs=_outs(stages["clean"], root)["docs.parquet"],
        bundle=outs.pop(name),
        outs=outs,
    )


def _outs(stage: Mapping[str, Any], root: Path) -> dict[str, Out]:
    return {PurePosixPath(out["path"]).name: Out(root / out["path"], out["md5"]) for out in stage["outs"]}


def _params(stage: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for file in stage.get("params", {}).values() for key, value in file.items()}


def flat(values: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Nested keys in one level: {"a": {"b": 1}} -> {"a.b": 1}."""
    level: dict[str, Any] = {}
    for key, value in values.items():
        level |= flat(value, f"{above}{key}.") if isinstance(value, Mapping) else {f"{above}{key}": value}
    return level
