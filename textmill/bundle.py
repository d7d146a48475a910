"""A model to ship: weights, config and tokenizer, which predict with nothing else at hand.

One of family pretrained has a fourth file, its encoder's config; the encoder's weights are among its own. A model
trained with several seeds ships the weights of one; those of the others lie beside them, to be scored.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from textmill import tokenizers
from textmill.arrays import read_arrays, write_arrays
from textmill.errors import ArtifactError, ParamsError
from textmill.files import LONE_SURROGATES, read_json, sha256, write_json, write_text
from textmill.models import model_entry
from textmill.text.ragged import Ragged
from textmill.text.tokenizer import Tokenizer
from textmill.training.task import Model, Task

FORMAT = 2  # 1: Transformers had GELU
WEIGHTS, CONFIG, TOKENIZER = "model.safetensors", "config.json", "tokenizer.json"
ENCODER = "encoder/config.json"
SEEDS = "seeds"  # folder of the other seeds' weights


class Classifier:
    """A loaded bundle. The scores of a text are the same alone, in any batch and in any order."""

    def __init__(self, config: dict[str, Any], tokenizer: Tokenizer, model: Model):
        self.config, self.tokenizer, self.model = config, tokenizer, model
        self.labels: list[str] = config["labels"]

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        """Probability of each of `labels` for each text: float32 (N, C)."""
        if isinstance(texts, str):
            raise TypeError("expected a list of texts, found one text; write [text]")
        if not len(texts):
            return np.empty((0, len(self.labels)), np.float32)
        return self.model.predict_proba(self.encode(texts))

    def encode(self, texts: Sequence[str]) -> Ragged:
        """The ids of each text, one at least."""
        return self.tokenizer.encode(_column(texts))

    def tokens(self, text: str) -> list[str]:
        """What each id of a text stands for, for people."""
        return self.tokenizer.tokens(_column([text])[0])

    def predict(self, texts: Sequence[str]) -> list[str]:
        """The most probable label of each text."""
        return [self.labels[number] for number in self.predict_proba(texts).argmax(1)] if len(texts) else []


class Averaged:
    """Several bundles as one: the mean of their probabilities. Raises ParamsError unless their labels are the same."""

    def __init__(self, members: Mapping[Path, Classifier]):
        (first, one), *others = members.items()
        self.members, self.labels = list(members.values()), one.labels
        for path, other in others:
            if other.labels != self.labels:
                found = f"labels {', '.join(other.labels)}; those of {first} are {', '.join(self.labels)}"
                raise ParamsError(f"{path}: {found}; an average needs the same ones")

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        """Probability of each of `labels` for each text: float32 (N, C)."""
        return np.mean([member.predict_proba(texts) for member in self.members], axis=0)


def _column(texts: Sequence[str | None]) -> pl.Series:
    try:
        return pl.Series(texts, dtype=pl.String)
    except UnicodeEncodeError:  # half of a UTF-16 pair, as json may bring it
        return pl.Series([text and LONE_SURROGATES.sub("\ufffd", text) for text in texts], dtype=pl.String)


def save(
    folder: Path,
    model: Model,
    tokenizer: Path,
    config: dict[str, Any],
    others: Mapping[int, Model],
    encoder: Path | None = None,
) -> dict[str, Any]:
    """Write a bundle and return its config, completed with the digests of its parts; config.json is written last.

    config: name, labels, model (the entry of `models:`), train (the settings that applied), vocabulary, seed,
    validation (scores of the best epoch). others: the models of other seeds. encoder: the folder of the encoder that
    the model was made of, if it was.
    """
    shutil.rmtree(folder / SEEDS, ignore_errors=True)
    write_text(folder / TOKENIZER, tokenizer.read_text(encoding="utf-8"))
    if encoder:
        write_text(folder / ENCODER, (encoder / CONFIG).read_text(encoding="utf-8"))
    made = sha256(folder / TOKENIZER)
    write_arrays(folder / WEIGHTS, model.tensors(), made)
    for seed, other in others.items():
        write_arrays(folder / _weights(seed), other.tensors(), made)
    whole = {
        "format": FORMAT,
        **config,
        "tokenizer": made,
        "weights": sha256(folder / WEIGHTS),
        "encoder": sha256(folder / ENCODER) if encoder else None,
        "others": [{"seed": seed, "weights": sha256(folder / _weights(seed))} for seed in others],
    }
    write_json(folder / CONFIG, whole)
    return whole


def _weights(seed: int) -> str:
    return f"{SEEDS}/{seed}.safetensors"


def load(
    path: str | Path, precision: Literal["float32", "bfloat16"] = "float32", seed: int | None = None
) -> Classifier:
    """Read a bundle. Raises ArtifactError naming the file that is missing, damaged or of another bundle.

    With bfloat16 a network's scores are rounded to two or three digits, sooner; ParamsError where the processor does
    not compute in it.
    seed: one of `seeds`, for its weights instead of those that are shipped.
    """
    folder = Path(path)
    if not (folder / CONFIG).is_file():
        raise ArtifactError(f"{folder}: not a model's folder (it has no {CONFIG}); expected one like data/models/lstm")
    config = read_json(folder / CONFIG)
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        found = config.get("format") if isinstance(config, dict) else None
        raise ArtifactError(f"{folder / CONFIG}: expected a bundle of format {FORMAT}, found {found!r}")
    others = {other["seed"]: other["weights"] for other in config["others"]}
    shipped = seed in (None, config["seed"])
    weights = (WEIGHTS, config["weights"]) if shipped else (_weights(seed), others[seed])
    for name, digest in ((TOKENIZER, config["tokenizer"]), (ENCODER, config["encoder"]), weights):
        if digest and sha256(folder / name) != digest:
            raise ArtifactError(f"{folder / name}: its checksum is not the one in {CONFIG}; restore it, or train again")
    tensors, _ = read_arrays(folder / weights[0])
    checked = model_entry(config["model"], config["train"], f"{folder / CONFIG}: model")
    encoder = (folder / ENCODER).parent if config["encoder"] else None
    task = Task(config["vocabulary"], len(config["labels"]), config["seed"], encoder=encoder)
    model = checked.family.load(checked.config, checked.settings, tensors, task)
    if checked.settings:  # a network
        model.predict_in(precision)
    return Classifier(config, tokenizers.load(folder / TOKENIZER), model)


def seeds(config: Mapping[str, Any]) -> list[int]:
    """Every seed whose weights lie in a bundle of this config, in ascending order."""
    return sorted([config["seed"], *(other["seed"] for other in config["others"])])


def every_seed(path: Path, shipped: Classifier) -> Iterator[tuple[int, Model]]:
    """The model of each seed, in ascending order, of a bundle that was loaded; one at a time is held."""
    for seed in seeds(shipped.config):
        yield seed, shipped.model if seed == shipped.config["seed"] else load(path, seed=seed).model
