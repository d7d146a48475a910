"""Byte-pair encoding (Sennrich et al. 2016) on bytes (Radford et al. 2019), trained by Hugging Face's tokenizers.

Every text can be spelled, so there is no unknown token. Merges never cross a space, so that each different piece
between spaces is encoded once.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Annotated, Any, ClassVar, Literal

import numpy as np
import polars as pl
from pydantic import Field

from textmill.config import Count, validate
from textmill.text.pieces import Fold, Markup, Spelling, different, marked_down, normal
from textmill.text.prefetching import prefetch
from textmill.text.ragged import SPECIALS, Ragged
from textmill.text.tokenizer import NAMES, Named, Spec, Texts, Tokenizer, TokenizerConfig

BYTES = 256


class BpeConfig(TokenizerConfig):
    """How many sub-words are learned, and from what."""

    kind: Literal["bpe"]  # how texts are cut, and so which keys the entry has
    lowercase: bool = True  # turn capital letters into small ones
    # strip: HTML tags go, entities become text; html: as strip, and what style and script hold goes, too; breaks: <br>
    # alone goes; keep: all stays
    markup: Markup = "strip"
    fold: Fold = "none"  # marks: letters of the Latin and Greek scripts lose their accents, "déjà" is "deja"
    min_freq: Count = 2  # of a pair that is merged
    max_size: Annotated[int, Field(gt=SPECIALS + BYTES, le=2_000_000)] = 8000  # sub-words, with two specials and bytes


class BpeSpec(Spec):
    """A tokenizer of sub-words, as a file."""

    kind: Literal["bpe"]
    lowercase: bool
    fold: Fold = "none"
    tokenizers: dict[str, Any]  # the library's json


@dataclass(frozen=True)
class BpeTokenizer(Named):
    """The library's tokenizer, its ids moved up by SPECIALS."""

    CONFIG: ClassVar[type[TokenizerConfig]] = BpeConfig
    SPEC: ClassVar[type[Spec]] = BpeSpec

    lowercase: bool
    markup: Markup
    model: str  # the library's json
    fold: Fold = "none"

    @classmethod
    def check(cls, entry: Mapping[str, Any], where: str) -> BpeConfig:
        """An entry of this kind. Raises ParamsError naming the key under `where`."""
        return validate(entry, BpeConfig, where)

    @classmethod
    def fit(
        cls, read: Texts, config: BpeConfig, spill: IO[bytes], files: Mapping[str, Path]
    ) -> tuple["BpeTokenizer", Iterator[Ragged]]:
        """The tokenizer of the merges that save most, and the ids of each batch of texts. The same in every process."""
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

        learner = Tokenizer(models.BPE())
        learner.pre_tokenizer, learner.decoder = pre_tokenizers.ByteLevel(add_prefix_space=True), decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=config.max_size - SPECIALS,
            min_frequency=config.min_freq,
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        )
        plain = (normal(marked_down(texts, config.markup), config.lowercase, config.fold) for texts in read())
        learner.train_from_iterator((texts.to_list() for texts in plain), trainer)
        tokenizer = cls(config.lowercase, config.markup, learner.to_str(), config.fold)
        return tokenizer, prefetch(tokenizer.encode, read())

    def encode(self, texts: pl.Series) -> Ragged:
        """Ids of each text. An empty one is one UNK, so that it can be scored."""
        strings, pieces = different(texts, self.markup, self.lowercase, self.fold)
        found = self._library.encode_batch_fast(strings.str.strip_prefix(" ").to_list())  # it puts one before each
        sizes = np.fromiter(map(len, found), np.int32, len(found))
        ids = np.fromiter((number for piece in found for number in piece.ids), np.int32, sizes.sum())
        return Spelling(ids + np.int32(SPECIALS), sizes).documents(pieces)

    @cached_property
    def _library(self) -> Any:
        from tokenizers import Tokenizer

        return Tokenizer.from_str(self.model)

    @property
    def size(self) -> int:
        """Number of ids, PAD and UNK included."""
        return self._library.get_vocab_size() + SPECIALS

    def token(self, number: int) -> str:
        """The sub-word of an id, for people; a mark stands for the space before it."""
        return NAMES[number] if number < SPECIALS else self._library.id_to_token(number - SPECIALS)

    def spec(self) -> dict[str, Any]:
        """What the file holds: all that is needed to encode a text again."""
        return {
            "kind": "bpe",
            "normalize": "NFC",
            "markup": self.markup,
            "lowercase": self.lowercase,
            **({} if self.fold == "none" else {"fold": self.fold}),  # a file without it keeps its bytes
            "tokenizers": json.loads(self.model),
        }

    @classmethod
    def from_spec(cls, spec: dict[str, Any]) -> "BpeTokenizer":
        """The tokenizer of `spec()`. Raises ValueError if the library cannot read its part."""
        model = json.dumps(spec["tokenizers"], ensure_ascii=False)
        tokenizer = cls(spec["lowercase"], spec["markup"], model, spec.get("fold", "none"))
        try:
            tokenizer.size  # noqa: B018  reads it
        except Exception as error:  # the library raises no other class
            raise ValueError(f"tokenizers: {error}") from error
        return tokenizer


TOKENIZER: type[Tokenizer] = BpeTokenizer
