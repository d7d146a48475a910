"""A bundle that was loaded: texts in, probabilities out."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
import polars as pl

from textmill import bundle, tokenizers
from textmill.errors import ArtifactError, ParamsError
from textmill.files import LONE_SURROGATES
from textmill.text.ragged import Ragged
from textmill.tokenizers import Tokenizer
from textmill.training.task import Model

if TYPE_CHECKING:
    from textmill.training.neural import Neural


class Classifier:
    """A loaded bundle. The scores of a text are the same alone, in any batch and in any order."""

    def __init__(self, config: bundle.Config, tokenizer: Tokenizer, model: Model):
        self.config, self.tokenizer, self.model = config, tokenizer, model
        self.labels = config.labels

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


def load(
    path: str | Path, precision: Literal["float32", "bfloat16"] = "float32", seed: int | None = None
) -> Classifier:
    """Read a bundle. Raises ArtifactError naming the file that is missing, damaged or of another bundle.

    With bfloat16 a network's scores are rounded to two or three digits, sooner where the processor computes in it.
    seed: one of its `seeds`, for its weights instead of those that are shipped.
    """
    config, model = bundle.read(Path(path), seed)
    if config.reads:  # a network
        cast("Neural", model).predict_in(precision)
    tokenizer = tokenizers.load(Path(path, bundle.TOKENIZER))
    if tokenizer.size != config.vocabulary:
        found = f"{tokenizer.size:,} ids, but {bundle.CONFIG} says {config.vocabulary:,}"
        raise ArtifactError(f"{Path(path, bundle.TOKENIZER)}: {found}; restore it, or train again")
    return Classifier(config, tokenizer, model)


def _column(texts: Sequence[str | None]) -> pl.Series:
    try:
        return pl.Series(texts, dtype=pl.String)
    except UnicodeEncodeError:  # half of a UTF-16 pair, as json may bring it
        return pl.Series([text and LONE_SURROGATES.sub("\ufffd", text) for text in texts], dtype=pl.String)
