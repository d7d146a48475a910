"""dvc.yaml with params.yaml filled in: the names of all stages, and what one of them depends on."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from textmill.config import load_params, validate

PIPELINE = Path("dvc.yaml")
OWNED = ("outs", "metrics", "plots")  # the keys of a stage that list outputs
TEMPLATE = re.compile(r"\$\{\s*([^}\s]+)\s*\}")


File = str | Annotated[dict[str, Any], Field(min_length=1, max_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)  # DVC checks the rest


class _Body(_Part):
    deps: list[File] | None = None
    outs: list[File] | None = None
    metrics: list[File] | None = None
    plots: list[File] | None = None


class _Stage(_Body):
    foreach: str | list[Any] | dict[str, Any] | None = None
    do: _Body | None = None


class _Pipeline(_Part):
    stages: dict[str, _Stage]


def load_pipeline(path: Path) -> dict[str, Any]:
    """Returns the content of dvc.yaml. Raises ParamsError, with the key, if it is not made of stages and files."""
    found = load_params(path)
    validate(found, _Pipeline, f"{path}: ")
    return found


def stage_names(pipeline: Mapping[str, Any], params: Mapping[str, Any], known: Iterable[str]) -> list[str]:
    """Returns the names of all stages, in the order of dvc.yaml. dvc.lock also keeps stages that were removed.

    known: the stages of dvc.lock. They name the items of anything but a plain `foreach: ${key}`.
    """
    stages = pipeline.get("stages")
    if not isinstance(stages, Mapping):
        return list(known)
    names: list[str] = []
    for name, body in stages.items():
        over = (body or {}).get("foreach")
        items = _value(over, params) if isinstance(over, str) else over
        if over is None and "matrix" not in (body or {}):
            names.append(name)
        elif isinstance(items, Mapping) or (isinstance(items, list) and not any(isinstance(i, Mapping) for i in items)):
            names += [f"{name}@{item}" for item in items]
        else:
            names += [one for one in known if one.startswith(f"{name}@")]
    return names


def dependencies(stage: str, pipeline: Mapping[str, Any], params: Mapping[str, Any]) -> list[str]:
    """Returns the paths that a stage depends on: none if dvc.yaml does not have the stage.

    What params.yaml does not give, such as an item of a matrix, stays a `${key}`.
    """
    return _paths(stage, pipeline, params, ("deps",))


def outputs(stage: str, pipeline: Mapping[str, Any], params: Mapping[str, Any]) -> list[str]:
    """Returns the paths that a stage writes: none if dvc.yaml does not have the stage."""
    return _paths(stage, pipeline, params, OWNED)


def overlap(path: str, other: str) -> bool:
    """Returns whether two paths are the same, or one is in the other. A part with a `${key}` may be anything."""
    parts = zip(PurePosixPath(path).parts, PurePosixPath(other).parts, strict=False)
    return all(one == two or "${" in one + two for one, two in parts)


def _paths(stage: str, pipeline: Mapping[str, Any], params: Mapping[str, Any], keys: Iterable[str]) -> list[str]:
    name, _, item = stage.partition("@")
    body = (pipeline.get("stages") or {}).get(name) or {}
    scope = dict(params)
    if (over := body.get("foreach")) is not None:
        items = _value(over, params) if isinstance(over, str) else over
        scope |= {"key": item or None, "item": items.get(item) if isinstance(items, Mapping) else item or None}
    entries = [one for key in keys for one in (body.get("do") or body).get(key) or []]
    paths = (next(iter(one)) if isinstance(one, Mapping) else one for one in entries)
    return [TEMPLATE.sub(lambda found: str(_value(found[0], scope, found[0])), path) for path in paths]


def _value(template: str, scope: Any, missing: Any = None) -> Any:
    """Returns what `${a.b}` stands for, or `missing` if there is no such key."""
    for key in template.strip().removeprefix("${").removesuffix("}").strip().split("."):
        scope = scope.get(key) if isinstance(scope, Mapping) else None
    return missing if scope is None else scope
