"""params.yaml as a whole: what no single stage can see."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from textmill.cleaning import CleanConfig
from textmill.comparison import CompareConfig
from textmill.config import Count, Name, Seed, load_params, load_section, unknown_key
from textmill.errors import ParamsError
from textmill.models import arm
from textmill.sources import load_dataset
from textmill.splits import SplitConfig
from textmill.tokenizers import tokenizer_config
from textmill.tracking import TrackingConfig

SECTIONS = {
    "seed": Seed,
    "threads": Count,
    "clean": CleanConfig,
    "split": SplitConfig,
    "compare": CompareConfig,
    "tracking": TrackingConfig,
}
ENTRIES = Annotated[dict[Name, dict[str, Any]], Field(min_length=1)]


def check_params(path: Path) -> None:
    """Raise ParamsError for the first key that is unknown, missing or out of range, in any section."""
    for key, schema in SECTIONS.items():
        load_section(path, key, schema)
    load_dataset(path)
    tokenizers = load_section(path, "tokenizers", ENTRIES)
    for name, entry in tokenizers.items():
        tokenizer_config(entry, f"{path}: tokenizers.{name}")
    train = load_section(path, "train", dict)
    for name, entry in load_section(path, "models", ENTRIES).items():
        checked = arm(entry, train, f"{path}: models.{name}")
        if checked.config.tokenizer not in tokenizers:
            known = ", ".join(tokenizers)
            raise ParamsError(
                f"{path}: models.{name}.tokenizer: expected one of {known}, found '{checked.config.tokenizer}'"
            )
    known = [*SECTIONS, "dataset", "tokenizers", "train", "models"]
    for key in load_params(path):
        if key not in known:
            raise unknown_key(f"{path}: {key}", key, known)
