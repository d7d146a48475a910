"""Characters as tokens, including spaces: few ids, long documents."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import IO, Annotated, Any, ClassVar, Literal

import numpy as np
import polars as pl
from pydantic import Field

from textmill.config import Count, validate
from textmill.errors import TooRareError
from textmill.text.pieces import Fold, Markup, normal, without_markup
from textmill.text.prefetching import prefetch
from textmill.text.ragged import SPECIALS, UNK, Ragged
from textmill.text.spaces import Spaces, collapsed
from textmill.text.tokenizer import NAMES, Spec, Texts, Tokenizer, TokenizerConfig, WithVocabulary, checked_vocabulary

POINTS = 0x110000  # number of Unicode code points


class CharConfig(TokenizerConfig):
    """Characters, including spaces."""

    kind: Literal["char"]  # the kind of tokenizer, which decides what other keys the entry has
    lowercase: bool = True  # whether to lower-case texts
    # strip: removes HTML tags and decodes entities; html: also removes the contents of style and script; breaks:
    # removes only <br>; keep: changes nothing
    markup: Markup = "strip"
    fold: Fold = "none"  # marks: removes the accents of Latin and Greek letters, "déjà" becomes "deja"
    # collapse: spaces, tabs and line breaks in a row become one space, and none is left at either end; keep: each one
    # is a character
    spaces: Spaces = "keep"
    min_freq: Count = 2  # characters rarer than this in the training split are unknown
    max_size: Annotated[int, Field(gt=SPECIALS, le=POINTS)] = 500  # characters at most, including two special tokens


class CharSpec(Spec):
    """The contents of a character tokenizer's file."""

    kind: Literal["char"]
    lowercase: bool
    fold: Fold = "none"
    spaces: Spaces = "keep"
    vocabulary: list[str]


@dataclass(frozen=True)
class CharTokenizer(WithVocabulary):
    """Character i of `vocabulary` has the id i + SPECIALS."""

    CONFIG: ClassVar[type[TokenizerConfig]] = CharConfig
    SPEC: ClassVar[type[Spec]] = CharSpec

    lowercase: bool
    markup: Markup
    vocabulary: tuple[str, ...]
    fold: Fold = "none"
    spaces: Spaces = "keep"

    @classmethod
    def check(cls, entry: Mapping[str, Any], where: str) -> CharConfig:
        """Returns the config of an entry of this kind. Raises ParamsError with the key under `where`."""
        return validate(entry, CharConfig, where)

    @classmethod
    def fit(
        cls, read: Texts, config: CharConfig, spill: IO[bytes], files: Mapping[str, Path]
    ) -> tuple["CharTokenizer", Iterator[Ragged]]:
        """Keeps the most frequent characters; returns the tokenizer and the ids of each batch of texts.

        Characters of equal frequency are in code-point order. Raises TooRareError if none is frequent enough.
        """
        blank = cls(config.lowercase, config.markup, (), config.fold, config.spaces)
        counts = np.zeros(POINTS, np.int64)
        for texts in read():
            counts += np.bincount(blank._points(texts)[0], minlength=POINTS)
        kept = np.argsort(-counts, kind="stable")[: config.max_size - SPECIALS]
        kept = kept[counts[kept] >= config.min_freq]
        if not len(kept):
            most = f"no character occurs {config.min_freq} times (the most frequent: {counts.max()})"
            raise TooRareError(f"vocabulary: {most}; lower min_freq")
        tokenizer = replace(blank, vocabulary=tuple(map(chr, kept)))
        return tokenizer, prefetch(tokenizer.encode, read())

    def encode(self, texts: pl.Series) -> Ragged:
        """Returns the ids of each text. An empty text becomes one UNK, so that it can be scored."""
        points, lengths = self._points(texts)
        return Ragged.of(self._table[points], lengths)

    def tokens(self, text: str) -> list[str]:
        """Returns the characters of a text, known or not."""
        points, _ = self._points(pl.Series([text]))
        return list(map(chr, points)) or [NAMES[UNK]]

    def _points(self, texts: pl.Series) -> tuple[np.ndarray, np.ndarray]:
        """Returns the code points of all texts, one text after another, and how many each text has."""
        plain = collapsed(without_markup(texts, self.markup), self.spaces)
        texts = normal(plain, self.lowercase, self.fold)
        points = np.frombuffer("".join(texts).encode("utf-32-le"), np.uint32)
        return points, texts.str.len_chars().to_numpy().astype(np.int64)

    @cached_property
    def _table(self) -> np.ndarray:
        table = np.full(POINTS, UNK, np.int32)
        table[[ord(character) for character in self.vocabulary]] = np.arange(len(self.vocabulary)) + SPECIALS
        return table

    def spec(self) -> dict[str, Any]:
        """Returns the contents of the file, all that is needed to encode texts again."""
        return {
            "kind": "char",
            "normalize": "NFC",
            "markup": self.markup,
            "lowercase": self.lowercase,
            **({} if self.fold == "none" else {"fold": self.fold}),  # so that older files keep their bytes
            **({} if self.spaces == "keep" else {"spaces": self.spaces}),  # as above
            "vocabulary": [*NAMES, *self.vocabulary],
        }

    @classmethod
    def from_spec(cls, spec: dict[str, Any]) -> "CharTokenizer":
        """Returns the tokenizer that `spec()` describes. Raises ValueError if the vocabulary is not valid."""
        characters = checked_vocabulary(spec["vocabulary"])
        if any(len(character) != 1 for character in characters):
            raise ValueError("vocabulary contains something that is not a character")
        fold, spaces = spec.get("fold", "none"), spec.get("spaces", "keep")
        return cls(spec["lowercase"], spec["markup"], characters, fold, spaces)


TOKENIZER: type[Tokenizer] = CharTokenizer
