"""The params of each model, and those that people compare runs by."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from textmill.bundle import Config, read_config
from textmill.errors import ParamsError
from textmill.sections import SCHEMAS, effective
from textmill.tracking.safe import safe_params
from textmill.tracking.snapshot import Result, Snapshot

SHARED = ("seed", "threads", "clean", "split", "tokenizer")  # sections outside of `train` and `models` to compare by


class Params(NamedTuple):
    """all: every param of each model. compared: names of those that a run shows; the others are in an artifact."""

    all: dict[str, dict[str, str]]
    compared: set[str]

    def of(self, name: str) -> dict[str, str]:
        """Returns the params that the run of a model shows."""
        return {key: value for key, value in sorted(self.all[name].items()) if key in self.compared}


def params_of(found: Snapshot) -> Params:
    """Reads the params of a snapshot. Compared are those by which models differ, and those that are not the default."""
    params = {name: applied(result, read_config(result.bundle.path)) for name, result in found.results.items()}
    names = {name for one in params.values() for name in one}
    differ = {name for name in names if len({one[name] for one in params.values() if name in one}) > 1}
    changed = {name for result in found.results.values() for name in _not_default(result)}
    return Params(params, {"seed"} | differ | changed & names)


def applied(result: Result, config: Config) -> dict[str, str]:
    """Returns all params that applied to a model, with defaults.

    Its own and those of its training have bare names (`hidden`), others the name of their section (`split.by`).
    config: the bundle's; a linear model has no epochs, whatever `train` says.
    """
    own = config.model | (config.train or {})
    shared = {
        key.replace(f"tokenizers.{own['tokenizer']}", "tokenizer"): with_defaults(key, value)
        for key, value in result.params.items()
        if key != "train" and not key.startswith("models.")
    }
    both = flat(shared) | flat(own)  # not flat(shared | own): `tokenizer` is a section of one and a name in the other
    return safe_params({key.replace("dataset.name", "dataset"): value for key, value in both.items()})


def with_defaults(key: str, value: Any) -> Any:
    """Adds defaults to a value of dvc.lock; returns it as it is if today's code would refuse it."""
    try:
        return effective(key, value, key)
    except ParamsError:
        return value


def _not_default(result: Result) -> Collection[str]:
    """Returns the names of params to which params.yaml gives another value than the default."""
    names: list[str] = []
    for key, value in result.params.items():
        fields = SCHEMAS[key].model_fields if key in SCHEMAS else {}
        given = value if isinstance(value, dict) else {"": value}
        changed = flat({one: of for one, of in given.items() if one not in fields or fields[one].default != of})
        section = key.partition(".")[0].replace("tokenizers", "tokenizer")
        if section in ("train", "models"):
            names += changed
        elif section in SHARED:
            names += [f"{section}.{one}" if one else section for one in changed]
    return names


def flat(values: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Returns nested keys in one level: {"a": {"b": 1}} -> {"a.b": 1}."""
    level: dict[str, Any] = {}
    for key, value in values.items():
        level |= flat(value, f"{above}{key}.") if isinstance(value, Mapping) else {f"{above}{key}": value}
    return level
