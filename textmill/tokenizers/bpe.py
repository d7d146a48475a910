"""Byte-pair encoding (Sennrich et al. 2016) on bytes (Radford et al. 2019), trained by Hugging Face's tokenizers.

Any text can be encoded, so no token is unknown. Merges never cross a space, so each different piece between spaces is
encoded once.
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
from textmill.text.pieces import Fold, Markup, PieceIds, distinct, normal, without_markup
from textmill.text.prefetching import prefetch
from textmill.text.ragged import SPECIALS, Ragged
from textmill.text.spaces import Spaces, collapsed
from textmill.text.tokenizer import NAMES, Spec, Texts, Tokenizer, TokenizerConfig, TokensFromIds

BYTES = 256


class BpeConfig(TokenizerConfig):
    """Sub-words, learned by byte-pair encoding."""

    kind: Literal["bpe"]  # the kind of tokenizer, which decides what other keys the entry has
    lowercase: bool = True  # whether to lower-case texts
    # strip: removes HTML tags and decodes entities; html: also removes the contents of style and script; breaks:
    # removes only <br>; keep: changes nothing
    markup: Markup = "strip"
    fold: Fold = "none"  # marks: removes the accents of Latin and Greek letters, "déjà" becomes "deja"
    # collapse: spaces, tabs and line breaks in a row become one space; keep: tabs and line breaks are tokens
    spaces: Spaces = "keep"
    min_freq: Count = 2  # least frequency of a pair to be merged
    # sub-words at most, including 256 bytes and two special tokens
    max_size: Annotated[int, Field(gt=SPECIALS + BYTES, le=2_000_000)] = 8000


class BpeSpec(Spec):
    """The contents of a sub-word tokenizer's file."""

    kind: Literal["bpe"]
    lowercase: bool
    fold: Fold = "none"
    spaces: Spaces = "keep"
    tokenizers: dict[str, Any]  # the library's json


@dataclass(frozen=True)
class BpeTokenizer(TokensFromIds):
    """The library's tokenizer, with its ids increased by SPECIALS."""

    CONFIG: ClassVar[type[TokenizerConfig]] = BpeConfig
    SPEC: ClassVar[type[Spec]] = BpeSpec

    lowercase: bool
    markup: Markup
    model: str  # the library's json
    fold: Fold = "none"
    spaces: Spaces = "keep"

    @classmethod
    def check(cls, entry: Mapping[str, Any], where: str) -> BpeConfig:
        """Returns the config of an entry of this kind. Raises ParamsError with the key under `where`."""
        return validate(entry, BpeConfig, where)

    @classmethod
    def fit(
        cls, read: Texts, config: BpeConfig, spill: IO[bytes], files: Mapping[str, Path]
    ) -> tuple["BpeTokenizer", Iterator[Ragged]]:
        """Learns the merges; returns the tokenizer, the same in every process, and the ids of each batch of texts."""
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

        learner = Tokenizer(models.BPE())
        learner.pre_tokenizer, learner.decoder = pre_tokenizers.ByteLevel(add_prefix_space=True), decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=config.max_size - SPECIALS,
            min_frequency=config.min_freq,
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        )
        stripped = (collapsed(without_markup(texts, config.markup), config.spaces) for texts in read())
        plain = (normal(texts, config.lowercase, config.fold) for texts in stripped)
        learner.train_from_iterator((texts.to_list() for texts in plain), trainer)
        tokenizer = cls(config.lowercase, config.markup, learner.to_str(), config.fold, config.spaces)
        return tokenizer, prefetch(tokenizer.encode, read())

    def encode(self, texts: pl.Series) -> Ragged:
        """Returns the ids of each text. An empty text becomes one UNK, so that it can be scored."""
        plain = collapsed(without_markup(texts, self.markup), self.spaces)
        strings, pieces = distinct(plain, "keep", self.lowercase, self.fold)
        found = self._library.encode_batch_fast(strings.str.strip_prefix(" ").to_list())  # the library adds one
        sizes = np.fromiter(map(len, found), np.int32, len(found))
        ids = np.fromiter((number for piece in found for number in piece.ids), np.int32, sizes.sum())
        return PieceIds(ids + np.int32(SPECIALS), sizes).documents(pieces)

    @cached_property
    def _library(self) -> Any:
        from tokenizers import Tokenizer

        return Tokenizer.from_str(self.model)

    @property
    def size(self) -> int:
        """The number of ids, including PAD and UNK."""
        return self._library.get_vocab_size() + SPECIALS

    def token(self, number: int) -> str:
        """Returns an id's sub-word in readable form; a mark shows the space before it."""
        return NAMES[number] if number < SPECIALS else self._library.id_to_token(number - SPECIALS)

    def spec(self) -> dict[str, Any]:
        """Returns the contents of the file, all that is needed to encode texts again."""
        return {
            "kind": "bpe",
            "normalize": "NFC",
            "markup": self.markup,
            "lowercase": self.lowercase,
            **({} if self.fold == "none" else {"fold": self.fold}),  # so that older files keep their bytes
            **({} if self.spaces == "keep" else {"spaces": self.spaces}),  # as above
            "tokenizers": json.loads(self.model),
        }

    @classmethod
    def from_spec(cls, spec: dict[str, Any]) -> "BpeTokenizer":
        """Returns the tokenizer that `spec()` describes. Raises ValueError if the library cannot read its part."""
        model = json.dumps(spec["tokenizers"], ensure_ascii=False)
        fold, spaces = spec.get("fold", "none"), spec.get("spaces", "keep")
        tokenizer = cls(spec["lowercase"], spec["markup"], model, fold, spaces)
        try:
            tokenizer.size  # noqa: B018  loads the library's tokenizer
        except Exception as error:  # the library raises no more specific class
            raise ValueError(f"tokenizers: {error}") from error
        return tokenizer


TOKENIZER: type[Tokenizer] = BpeTokenizer
