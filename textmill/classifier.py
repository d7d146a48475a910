"""A loaded bundle: takes texts, returns probabilities."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

import numpy as np
import polars as pl

from textmill import bundle, tokenizers
from textmill.errors import ArtifactError, ParamsError
from textmill.files import LONE_SURROGATES
from textmill.text.ragged import Ragged
from textmill.tokenizers import Tokenizer
from textmill.training.calibration import Calibrated

if TYPE_CHECKING:
    from textmill.training.neural import Neural


class Scores(NamedTuple):
    """A model's scores of N texts."""

    probabilities: np.ndarray  # float32 (N, C)
    unknown: np.ndarray  # share of each text's tokens that are not in the vocabulary, float32 (N,)


class Classifier:
    """A loaded bundle. A text gets the same scores alone, in any batch and in any order."""

    def __init__(self, config: bundle.Config, tokenizer: Tokenizer, model: Calibrated):
        self.config, self.tokenizer, self.model = config, tokenizer, model
        self.labels = config.labels
        self.columns = config.text  # that a text is joined from

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        """Returns the probability of each of `labels` for each text: float32 (N, C)."""
        return self.scores(texts).probabilities

    def scores(self, texts: Sequence[str]) -> Scores:
        """Returns probabilities, and the share of each text's tokens that the model does not know."""
        if isinstance(texts, str):
            raise TypeError("expected a list of texts, found one text; write [text]")
        if not len(texts):
            return Scores(np.empty((0, len(self.labels)), np.float32), np.empty(0, np.float32))
        docs = self.encode(texts)
        return Scores(self.model.predict_proba(docs), docs.unknown)

    def encode(self, texts: Sequence[str]) -> Ragged:
        """Returns the ids of each text, at least one per text."""
        return self.tokenizer.encode(_column(texts))

    def tokens(self, text: str) -> list[str]:
        """Returns the token of each id of a text, readable."""
        return self.tokenizer.tokens(_column([text])[0])

    def predict(self, texts: Sequence[str]) -> list[str]:
        """Returns the most probable label of each text."""
        return [self.labels[number] for number in self.predict_proba(texts).argmax(1)] if len(texts) else []


class Averaged:
    """Several bundles as one: the mean of their scores. Raises ParamsError if their labels differ."""

    def __init__(self, members: Mapping[Path, Classifier]):
        (first, one), *others = members.items()
        self.members, self.labels, self.columns = list(members.values()), one.labels, one.columns
        for path, other in others:
            if other.labels != self.labels:
                found = f"its labels are {', '.join(other.labels)}, those of {first} are {', '.join(self.labels)}"
                raise ParamsError(f"{path}: {found}; models can be averaged only if their labels are the same")

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        """Returns the probability of each of `labels` for each text: float32 (N, C)."""
        return self.scores(texts).probabilities

    def scores(self, texts: Sequence[str]) -> Scores:
        """Returns the mean of the members' scores."""
        each = [member.scores(texts) for member in self.members]
        return Scores(*(np.mean(values, axis=0) for values in zip(*each, strict=True)))


def load(
    path: str | Path, precision: Literal["float32", "bfloat16"] = "float32", seed: int | None = None
) -> Classifier:
    """Returns a bundle's classifier. Raises ArtifactError naming the file that is missing, damaged or another's.

    precision: with bfloat16 a network's scores are rounded to two or three digits; this is faster on processors that
    compute in bfloat16. seed: load the weights of this seed (one of `config.seeds`) instead of the shipped ones.
    """
    config, model = bundle.read(Path(path), seed)
    if config.reads:  # a network
        cast("Neural", model.model).predict_in(precision)
    tokenizer = tokenizers.load(Path(path, bundle.TOKENIZER))
    if tokenizer.size != config.vocabulary:
        found = f"{tokenizer.size:,} ids, but {bundle.CONFIG} says {config.vocabulary:,}"
        raise ArtifactError(f"{Path(path, bundle.TOKENIZER)}: {found}; restore it, or train again")
    return Classifier(config, tokenizer, model)


def shipped_bytes(path: str | Path) -> int:
    """Returns the bytes of a model's folder without the weights of its other seeds: what predicting needs."""
    files = [file for file in Path(path).rglob("*") if file.is_file() and Path(path, bundle.SEEDS) not in file.parents]
    return sum(file.stat().st_size for file in files)


def load_together(paths: Sequence[Path]) -> Classifier | Averaged:
    """Returns the classifier of one bundle, or the mean of several. Raises ParamsError if a bundle is named twice."""
    if len(set(paths)) < len(paths):
        raise ParamsError("--with names the same model twice; name each once")
    return Averaged({path: load(path) for path in paths}) if len(paths) > 1 else load(paths[0])


def _column(texts: Sequence[str | None]) -> pl.Series:
    try:
        return pl.Series(texts, dtype=pl.String)
    except UnicodeEncodeError:  # half of a UTF-16 pair, which JSON may contain
        return pl.Series([text and LONE_SURROGATES.sub("\ufffd", text) for text in texts], dtype=pl.String)
