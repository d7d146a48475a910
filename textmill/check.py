"""params.yaml as a whole: what no single stage can see."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from textmill.config import Count, Name, Seed, load_params, section, unknown_key
from textmill.errors import ParamsError

ENTRIES = Annotated[dict[Name, dict[str, Any]], Field(min_length=1)]
SHAPES = {"seed": Seed, "threads": Count, "tokenizers": ENTRIES, "models": ENTRIES}
SECTIONS = ["seed", "threads", "dataset", "clean", "split", "tokenizers", "train", "models"]
SECTIONS += ["evaluate", "compare", "tracking"]


def check_shape(path: Path) -> None:
    """Raise ParamsError for what the DAG itself cannot use: a section or a name that is unknown or missing.

    Imports nothing of the stages: a run that finds nothing to do need not read more, for all else was read by them.
    """
    params = load_params(path)
    for key in params:
        if key not in SECTIONS:
            raise unknown_key(f"{path}: {key}", key, SECTIONS)
    for key in SECTIONS:
        section(params, path, key, SHAPES.get(key, Any))
    for name in params["models"]:
        tokenizer = section(params, path, f"models.{name}.tokenizer", str)
        if tokenizer not in params["tokenizers"]:
            known = ", ".join(params["tokenizers"])
            raise ParamsError(f"{path}: models.{name}.tokenizer: expected one of {known}, found '{tokenizer}'")


def check_params(path: Path) -> None:
    """Raise ParamsError for the first key that is unknown, missing or out of range, in any section."""
    from textmill.judging.comparison import CompareConfig
    from textmill.judging.ensembles import check_ensembles
    from textmill.judging.groups import EvaluateConfig
    from textmill.models import model_entry
    from textmill.rows.cleaning import CleanConfig
    from textmill.rows.splits import SplitConfig
    from textmill.sources import load_dataset
    from textmill.tokenizers import tokenizer_config
    from textmill.tokenizers.pretrained import ENCODER
    from textmill.tracking import TrackingConfig
    from textmill.vectors.config import vectors_config

    check_shape(path)
    params = load_params(path)
    schemas = {"clean": CleanConfig, "split": SplitConfig, "evaluate": EvaluateConfig, "compare": CompareConfig}
    schemas |= {"tracking": TrackingConfig}
    checked = {key: section(params, path, key, schema) for key, schema in schemas.items()}
    check_ensembles(params["compare"]["ensembles"], params["models"], f"{path}: compare.ensembles")
    dataset = load_dataset(path)
    if checked["split"].by == "group" and dataset.group is None:
        raise ParamsError(f"{path}: split.by: group, but dataset.group is null; name a column, or set split.by: text")
    for name, entry in params["tokenizers"].items():
        tokenizer_config(entry, f"{path}: tokenizers.{name}")
    vectors = {
        name: vectors_config(entry, f"{path}: tokenizers.{name}") for name, entry in params["tokenizers"].items()
    }
    train = section(params, path, "train", dict)
    for name, entry in params["models"].items():
        model = model_entry(entry, train, f"{path}: models.{name}")
        if dataset.labels and model.settings and model.settings.loss == "bce" and len(dataset.labels) != 2:
            raise ParamsError(
                f"{path}: models.{name}: loss: bce is for two classes, but dataset.labels has {len(dataset.labels)}; "
                "set loss: cross_entropy"
            )
        if model.reads.encoder and ENCODER[0] not in params["tokenizers"][entry["tokenizer"]].get("files", {}):
            raise ParamsError(
                f"{path}: models.{name}.family: pretrained needs an encoder; list {' and '.join(ENCODER)} in "
                f"tokenizers.{entry['tokenizer']}.files, of kind pretrained"
            )
        if key := model.reads.vectors:
            _check_vectors(entry, key, vectors[entry["tokenizer"]], f"{path}: models.{name}")


def _check_vectors(entry: dict[str, Any], key: str, vectors: Any, where: str) -> None:
    """Raise ParamsError if a model asks its tokenizer for vectors that it has not, or of another size.

    What size a file's vectors have is known when it was read.
    """
    source = f"tokenizers.{entry['tokenizer']}.vectors"
    if vectors is None:
        raise ParamsError(f"{where}.vectors: {entry['vectors']}, but {source} is null; change one of the two")
    size = getattr(vectors, "size", entry[key])
    if entry[key] != size:
        raise ParamsError(f"{where}.{key}: {entry[key]}, but {source}.size is {size}; change one of the two")
