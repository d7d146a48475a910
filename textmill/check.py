"""params.yaml as a whole: what no single stage can see."""

from pathlib import Path
from typing import Annotated, Any, get_type_hints

from pydantic import Field

from textmill.config import Name, Section, Seed, Threads, load_params, section, unknown_key
from textmill.errors import ParamsError

Entries = Annotated[dict[Name, dict[str, Any]], Field(min_length=1)]


class Params(Section):
    """The whole file. All of these must stand in it: dvc.yaml names them, and so DVC wants them there."""

    seed: Seed  # of splits, vectors and linear models; networks have `train.seeds`
    threads: Threads  # of one model; results are equal to the byte for the same number only
    dataset: Any  # where the labelled texts come from
    clean: Any  # which rows are documents
    split: Any  # who trains, who chooses, who judges; a split that the data brings is kept
    tokenizers: Entries  # by name, which models use
    train: Any  # settings of every network; a model's entry may override any of its keys
    models: Entries  # by name; the longest last: they begin first where several train at a time
    evaluate: Any  # what test documents are grouped by
    compare: Any  # how models are compared
    tracking: Any  # whether results are recorded in MLflow


SCHEMAS = get_type_hints(Params, include_extras=True)


def check_shape(path: Path) -> None:
    """Raise ParamsError for what the DAG itself cannot use: a section or a name that is unknown or missing.

    Imports nothing of the stages: a run that finds nothing to do need not read more, for all else was read by them.
    """
    params = load_params(path)
    for key in params:
        if key not in SCHEMAS:
            raise unknown_key(f"{path}: {key}", key, list(SCHEMAS))
    for key, schema in SCHEMAS.items():
        section(params, path, key, schema)
    for name in params["models"]:
        tokenizer = section(params, path, f"models.{name}.tokenizer", str)
        if tokenizer not in params["tokenizers"]:
            known = ", ".join(params["tokenizers"])
            raise ParamsError(f"{path}: models.{name}.tokenizer: expected one of {known}, found '{tokenizer}'")


def check_params(path: Path) -> dict[str, Any]:
    """The whole of params, every default written out: another file that says the same.

    Raises ParamsError for the first key that is unknown, missing or out of range, in any section.
    """
    from textmill.judging.comparison import CompareConfig
    from textmill.judging.naming import check_names
    from textmill.models import model_entry
    from textmill.sections import effective
    from textmill.tokenizers.pretrained import ENCODER
    from textmill.tracking import TrackingConfig

    check_shape(path)
    params = load_params(path)
    whole = {key: effective(key, params[key], f"{path}: {key}") for key in SCHEMAS}
    whole["tracking"] = section(params, path, "tracking", TrackingConfig).model_dump()
    dataset, tokenizers = whole["dataset"], whole["tokenizers"]
    if whole["split"]["by"] == "group" and dataset["group"] is None:
        raise ParamsError(f"{path}: split.by: group, but dataset.group is null; name a column, or set split.by: text")
    labels = _labels(dataset, f"{path}: dataset")
    check_names(section(params, path, "compare", CompareConfig), params["models"], f"{path}: compare")
    for name, entry in params["models"].items():
        model = model_entry(entry, params["train"], f"{path}: models.{name}")
        settings = model.settings.model_dump() if model.settings else {}
        whole["models"][name] = own = model.config.model_dump() | settings
        if labels and own.get("loss") == "bce" and len(labels) != 2:
            raise ParamsError(
                f"{path}: models.{name}: loss: bce is for two classes, but dataset has {len(labels)}; "
                "set loss: cross_entropy"
            )
        if model.reads.encoder and ENCODER[0] not in tokenizers[own["tokenizer"]].get("files", {}):
            raise ParamsError(
                f"{path}: models.{name}.family: pretrained needs an encoder; list {' and '.join(ENCODER)} in "
                f"tokenizers.{own['tokenizer']}.files, of kind pretrained"
            )
        if key := model.reads.vectors:
            _check_vectors(own, key, tokenizers[own["tokenizer"]]["vectors"], f"{path}: models.{name}")
    return whole


def _labels(dataset: dict[str, Any], where: str) -> set[str]:
    """The classes, where params tell them; else none."""
    members = (dataset.get("members") or {}).values()
    told = {label for what in members if (label := what.get("label") if isinstance(what, dict) else what)}
    listed = dataset["labels"] if isinstance(dataset["labels"], list) else None
    if dataset["label"] is not None:
        return set(listed or [])
    if not told:
        raise ParamsError(f"{where}.label: null, but no file of dataset.members has a label; name a column")
    return told & set(listed or told)


def _check_vectors(entry: dict[str, Any], key: str, vectors: dict[str, Any] | None, where: str) -> None:
    """Raise ParamsError if a model asks its tokenizer for vectors that it has not, or of another size.

    What size a file's vectors have is known when it was read.
    """
    source = f"tokenizers.{entry['tokenizer']}.vectors"
    if vectors is None:
        raise ParamsError(f"{where}.vectors: {entry['vectors']}, but {source} is null; change one of the two")
    size = vectors.get("size", entry[key])
    if entry[key] != size:
        raise ParamsError(f"{where}.{key}: {entry[key]}, but {source}.size is {size}; change one of the two")
