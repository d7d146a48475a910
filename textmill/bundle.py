"""A model as a folder of files: weights, config and tokenizer. Predicting needs nothing else.

A model of family `pretrained` also has its encoder's config; the encoder's weights are among the model's. A model
trained with several seeds ships the weights of one. The weights of the others are in a subfolder, for scoring.
"""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from textmill import models
from textmill.arrays import read_arrays, write_arrays
from textmill.confidence import Calibration
from textmill.config import Section, Seed, Sha256, validate
from textmill.errors import ArtifactError, ParamsError
from textmill.files import digest, read_json, sha256, write_json, write_text
from textmill.formats import Upgrade, upgraded
from textmill.records.data import LabelNames
from textmill.text.ragged import SPECIALS
from textmill.training.calibration import Calibrated
from textmill.training.settings import Reading
from textmill.training.task import Task

Format = Literal[5]
FORMAT: Format = 5
WEIGHTS, CONFIG, TOKENIZER = "model.safetensors", "config.json", "tokenizer.json"
ENCODER = "encoder/config.json"
SEEDS = "seeds"  # folder of the other seeds' weights


class Other(Section):
    """Another seed: the digest of its weights, and its calibration on the validation split."""

    seed: Seed
    weights: Sha256
    calibration: Calibration


class Config(Section):
    """The content of config.json. Predicting uses all but `name`, `text`, `train` and `validation`.

    It does not hold the version of this package, so the same model has the same bytes.
    """

    format: Format
    name: str
    labels: LabelNames
    text: Annotated[list[str], Field(min_length=1)]  # the columns that a text was joined from, as the data names them
    model: dict[str, Any]  # the entry of `models:` with its defaults, without its training settings
    reads: Reading | None  # None unless it is a network
    vocabulary: Annotated[int, Field(ge=SPECIALS, le=10_000_000)]  # ids
    seed: Seed  # of the shipped weights
    train: dict[str, Any] | None  # the training settings that applied
    validation: dict[str, float]  # scores of the best epoch
    calibration: Calibration  # of the shipped weights
    tokenizer: Sha256  # of the tokenizer's file
    weights: Sha256
    encoder: Sha256 | None
    others: list[Other]
    digest: Sha256  # of everything else

    @property
    def seeds(self) -> list[int]:
        """Every seed whose weights are in the bundle, ascending."""
        return sorted(self.calibrations)

    @property
    def calibrations(self) -> dict[int, Calibration]:
        """The calibration of each seed."""
        return {self.seed: self.calibration} | {other.seed: other.calibration for other in self.others}


def signed(config: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the content of config.json with the digest of everything else as its last key."""
    rest = {key: value for key, value in config.items() if key != "digest"}
    return rest | {"digest": digest(rest)}


def _of_format_2(old: dict[str, Any]) -> dict[str, Any]:
    """Upgrades format 2, which had no digest of config.json and kept training settings among the model's keys."""
    if {"digest", "reads"} & old.keys():
        raise KeyError("digest, reads: of a newer format")
    train = old["train"]
    new = {key: value for key, value in old.items() if key != "textmill"} | {"format": 3}
    new["model"] = {key: value for key, value in old["model"].items() if key not in (train or {})}
    reads = ("max_len", "cut", "batch_tokens", "loss", "device")
    return signed(new | {"reads": {key: train[key] for key in reads} if train else None})


def _of_format_3(old: dict[str, Any]) -> dict[str, Any]:
    """Upgrades format 3, which did not name the text columns; `predict` read the column `text`."""
    if "text" in old:
        raise KeyError("text: of a newer format")
    new = old | {"format": 4, "text": ["text"]}
    return signed(new) if signed(old) == old else new  # a wrong digest stays wrong


def _of_format_4(old: dict[str, Any]) -> dict[str, Any]:
    """Upgrades format 4, which had no calibration."""
    if "calibration" in old:
        raise KeyError("calibration: of a newer format")
    unknown = Calibration().model_dump()
    others = [other | {"calibration": unknown} for other in old["others"]]
    new = old | {"format": 5, "calibration": unknown, "others": others}
    return signed(new) if signed(old) == old else new


UPGRADES: dict[int, Upgrade] = {2: _of_format_2, 3: _of_format_3, 4: _of_format_4}  # format 1 had other Transformers


def save(
    folder: Path,
    model: Calibrated,
    tokenizer: Path,
    facts: Mapping[str, Any],
    others: Mapping[int, Calibrated],
    encoder: Path | None = None,
) -> Config:
    """Writes a bundle and returns its config. config.json is written last.

    facts: name, labels, text (the columns a text is joined from), model (the entry of `models:` with its defaults),
    train (the training settings that applied), vocabulary, seed, validation (scores of the best epoch). others: the
    models of the other seeds. encoder: the folder of the encoder that the model was made from, if any.
    """
    shutil.rmtree(folder / SEEDS, ignore_errors=True)
    write_text(folder / TOKENIZER, tokenizer.read_text(encoding="utf-8"))
    if encoder:
        write_text(folder / ENCODER, (encoder / CONFIG).read_text(encoding="utf-8"))
    made = sha256(folder / TOKENIZER)
    write_arrays(folder / WEIGHTS, model.tensors(), made)
    for seed, other in others.items():
        write_arrays(folder / _weights(seed), other.tensors(), made)
    train = facts["train"]
    whole = signed(
        {
            "format": FORMAT,
            **facts,
            "calibration": model.calibration.model_dump(),
            "reads": {key: train[key] for key in Reading.model_fields} if train else None,
            "tokenizer": made,
            "weights": sha256(folder / WEIGHTS),
            "encoder": sha256(folder / ENCODER) if encoder else None,
            "others": [
                {
                    "seed": seed,
                    "weights": sha256(folder / _weights(seed)),
                    "calibration": other.calibration.model_dump(),
                }
                for seed, other in others.items()
            ],
        }
    )
    write_json(folder / CONFIG, whole)
    return validate(whole, Config, str(folder / CONFIG))


def _weights(seed: int) -> str:
    return f"{SEEDS}/{seed}.safetensors"


def read_config(folder: Path) -> Config:
    """Returns config.json alone. Raises ArtifactError if it is missing, damaged, or of a format that has no upgrade."""
    path = folder / CONFIG
    if not path.is_file():
        raise ArtifactError(f"{folder}: not a model's folder (it has no {CONFIG}); name one such as data/models/lstm")
    found = read_json(path)
    if not isinstance(found, dict):
        raise ArtifactError(f"{path}: not a model's config; restore it, or train again")
    found = upgraded(found, path, FORMAT, UPGRADES)
    try:
        config = validate(found, Config, f"{path}: ")
    except ParamsError as error:
        raise ArtifactError(f"{error}; restore it, or train again") from error
    if signed(found)["digest"] != config.digest:
        raise ArtifactError(f"{path}: its content does not match its digest; restore it, or train again")
    return config


def read(folder: Path, seed: int | None = None) -> tuple[Config, Calibrated]:
    """Returns a bundle's config and its calibrated model.

    seed: load the weights of this seed (one of `Config.seeds`) instead of the shipped ones.

    Raises ArtifactError naming the file (and tensor) that is missing, damaged or from another bundle, and ParamsError
    if there is no such seed.
    """
    config = read_config(folder)
    digests = {config.seed: (WEIGHTS, config.weights)}
    digests |= {other.seed: (_weights(other.seed), other.weights) for other in config.others}
    if seed not in (None, *digests):
        raise ParamsError(f"{folder}: no weights for seed {seed}; it has seeds {', '.join(map(str, config.seeds))}")
    chosen = config.seed if seed is None else seed
    weights = digests[chosen]
    for name, expected in ((TOKENIZER, config.tokenizer), (ENCODER, config.encoder), weights):
        if expected and sha256(folder / name) != expected:
            raise ArtifactError(f"{folder / name}: its checksum is not the one in {CONFIG}; restore it, or train again")
    tensors, _ = read_arrays(folder / weights[0])
    encoder = (folder / ENCODER).parent if config.encoder else None
    task = Task(config.vocabulary, len(config.labels), config.seed, encoder=encoder)
    try:
        family = models.family(config.model.get("family"))
        own = validate(config.model, family.config, "model")
        if (config.reads is None) != (family.settings is None):
            raise ParamsError(f"reads: does not fit family {config.model['family']}")
        model = family.load(own, config.reads, tensors, task, str(folder / weights[0]))
    except ParamsError as error:
        raise ArtifactError(f"{folder / CONFIG}: {error}; restore it, or train again") from error
    return config, Calibrated(model, config.calibrations[chosen])


def read_seeds(folder: Path, config: Config) -> Iterator[tuple[int, Calibrated]]:
    """Yields the model of each seed, ascending. Loads one at a time. config: the bundle's."""
    for seed in config.seeds:
        yield seed, read(folder, seed)[1]
