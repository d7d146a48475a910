"""Checks of params.yaml as a whole, which no single stage can make."""

from pathlib import Path
from typing import Annotated, Any, get_type_hints

from pydantic import Field

from textmill.config import Name, Section, Seed, Threads, load_params, section, shown, unknown_key
from textmill.console import first
from textmill.errors import ParamsError

Entries = Annotated[dict[Name, dict[str, Any]], Field(min_length=1)]


class Params(Section):
    """The whole file. Every section is required, because dvc.yaml names each of them."""

    seed: Seed  # of the splits, vectors and linear models; networks have `train.seeds`
    threads: Threads  # per model; results are byte-identical only for the same number
    dataset: Any  # where the labelled texts come from
    clean: Any  # which rows become documents
    split: Any  # how documents are divided into train, validation and test; splits that the data brings are kept
    tokenizers: Entries  # by name; models refer to these names
    train: Any  # settings of every network; an entry of `models` may override any key
    models: Entries  # by name; put the slowest last: it starts first when several train at the same time
    evaluate: Any  # how test documents are grouped into slices
    compare: Any  # how models are compared
    tracking: Any  # whether results are recorded in MLflow


SCHEMAS = get_type_hints(Params, include_extras=True)


def check_shape(path: Path) -> None:
    """Raises ParamsError for what the DAG itself cannot use: an unknown or missing section or name.

    Imports no stage's code. A run with nothing to do needs no further check, since earlier runs checked the rest.
    """
    params = load_params(path)
    for key in params:
        if key not in SCHEMAS:
            raise unknown_key(f"{path}: ", key, list(SCHEMAS))
    for key, schema in SCHEMAS.items():
        section(params, path, key, schema)
    for name in params["models"]:
        tokenizer = section(params, path, f"models.{name}.tokenizer", str)
        if tokenizer not in params["tokenizers"]:
            known = first(list(params["tokenizers"]), 10)
            raise ParamsError(f"{path}: models.{name}.tokenizer: expected one of {known}, found {shown(tokenizer)}")


def check_params(path: Path) -> dict[str, Any]:
    """Returns the whole of params with every default written out.

    Raises ParamsError for the first key in any section that is unknown, missing or out of range.
    """
    from textmill.judging.comparison import CompareConfig
    from textmill.judging.naming import check_names
    from textmill.models import model_entry
    from textmill.sections import check_splits, effective
    from textmill.tokenizers.pretrained import ENCODER
    from textmill.tracking import TrackingConfig

    check_shape(path)
    params = load_params(path)
    whole = {key: effective(key, params[key], f"{path}: {key}") for key in SCHEMAS}
    whole["tracking"] = section(params, path, "tracking", TrackingConfig).model_dump()
    dataset, tokenizers = whole["dataset"], whole["tokenizers"]
    if whole["split"]["by"] == "group" and dataset["group"] is None:
        raise ParamsError(f"{path}: split.by: group, but dataset.group is null; name a column, or set split.by: text")
    check_splits(whole["split"], dataset, f"{path}: split")
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
    """Returns the classes that params name, or an empty set if params do not name them."""
    members = (dataset.get("members") or {}).values()
    named = {label for what in members if (label := what.get("label") if isinstance(what, dict) else what)}
    listed = dataset["labels"] if isinstance(dataset["labels"], list) else None
    if dataset["label"] is not None:
        return set(listed or [])
    if not named:
        raise ParamsError(f"{where}.label: null, but no file of dataset.members has a label; name a label column")
    return named & set(listed or named)


def _check_vectors(entry: dict[str, Any], key: str, vectors: dict[str, Any] | None, where: str) -> None:
    """Raises ParamsError if a model asks its tokenizer for vectors that it lacks, or for another size.

    The size of vectors from a file is known only once they are read.
    """
    source = f"tokenizers.{entry['tokenizer']}.vectors"
    if vectors is None:
        raise ParamsError(f"{where}.vectors: {entry['vectors']}, but {source} is null; change one of them")
    size = vectors["size"] if vectors["source"] == "trained" else entry[key]  # a file's `size` is in bytes
    if entry[key] != size:
        raise ParamsError(f"{where}.{key}: {entry[key]}, but {source}.size is {size}; change one of them")
