"""Characters, spaces too: nothing to cut, few ids, long documents."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Annotated, Any, ClassVar, Literal

import numpy as np
import polars as pl
from pydantic import Field

from textmill.config import Count, validate
from textmill.errors import DataError
from textmill.text.pieces import Fold, Markup, marked_down, normal
from textmill.text.prefetching import prefetch
from textmill.text.ragged import SPECIALS, UNK, Ragged
from textmill.text.tokenizer import NAMES, Listed, Spec, Texts, Tokenizer, TokenizerConfig, checked_vocabulary

POINTS = 0x110000  # code points of Unicode


class CharConfig(TokenizerConfig):
    """Which characters are kept."""

    kind: Literal["char"]  # how texts are cut, and so which keys the entry has
    lowercase: bool = True  # turn capital letters into small ones
    # strip: HTML tags go, entities become text; html: as strip, and what style and script hold goes, too; breaks: <br>
    # alone goes; keep: all stays
    markup: Markup = "strip"
    fold: Fold = "none"  # marks: letters of the Latin and Greek scripts lose their accents, "déjà" is "deja"
    min_freq: Count = 2  # rarer characters of the training split are unknown
    max_size: Annotated[int, Field(gt=SPECIALS, le=POINTS)] = 500  # characters kept, with two specials


class CharSpec(Spec):
    """A tokenizer of characters, as a file."""

    kind: Literal["char"]
    lowercase: bool
    fold: Fold = "none"
    vocabulary: list[str]


@dataclass(frozen=True)
class CharTokenizer(Listed):
    """Character i of `vocabulary` has the id i + SPECIALS."""

    CONFIG: ClassVar[type[TokenizerConfig]] = CharConfig
    SPEC: ClassVar[type[Spec]] = CharSpec

    lowercase: bool
    markup: Markup
    vocabulary: tuple[str, ...]
    fold: Fold = "none"

    @classmethod
    def check(cls, entry: Mapping[str, Any], where: str) -> CharConfig:
        """An entry of this kind. Raises ParamsError naming the key under `where`."""
        return validate(entry, CharConfig, where)

    @classmethod
    def fit(
        cls, read: Texts, config: CharConfig, spill: IO[bytes], files: Mapping[str, Path]
    ) -> tuple["CharTokenizer", Iterator[Ragged]]:
        """The tokenizer of the most frequent characters, ties in code-point order, and the ids of each batch of texts.

        Raises DataError if no character is frequent enough.
        """
        blank = cls(config.lowercase, config.markup, (), config.fold)
        counts = np.zeros(POINTS, np.int64)
        for texts in read():
            counts += np.bincount(blank._points(texts)[0], minlength=POINTS)
        kept = np.argsort(-counts, kind="stable")[: config.max_size - SPECIALS]
        kept = kept[counts[kept] >= config.min_freq]
        if not len(kept):
            raise DataError(f"vocabulary: no character stands {config.min_freq} times; lower min_freq")
        tokenizer = cls(config.lowercase, config.markup, tuple(map(chr, kept)), config.fold)
        return tokenizer, prefetch(tokenizer.encode, read())

    def encode(self, texts: pl.Series) -> Ragged:
        """Ids of each text. An empty one is one UNK, so that it can be scored."""
        points, lengths = self._points(texts)
        return Ragged.of(self._table[points], lengths)

    def tokens(self, text: str) -> list[str]:
        """The characters of a text, known or not."""
        points, _ = self._points(pl.Series([text]))
        return list(map(chr, points)) or [NAMES[UNK]]

    def _points(self, texts: pl.Series) -> tuple[np.ndarray, np.ndarray]:
        """Code points of all texts, one after the other, and how many each text has."""
        texts = normal(marked_down(texts, self.markup), self.lowercase, self.fold)
        points = np.frombuffer("".join(texts).encode("utf-32-le"), np.uint32)
        return points, texts.str.len_chars().to_numpy().astype(np.int64)

    @cached_property
    def _table(self) -> np.ndarray:
        table = np.full(POINTS, UNK, np.int32)
        table[[ord(character) for character in self.vocabulary]] = np.arange(len(self.vocabulary)) + SPECIALS
        return table

    def spec(self) -> dict[str, Any]:
        """What the file holds: all that is needed to encode a text again."""
        return {
            "kind": "char",
            "normalize": "NFC",
            "markup": self.markup,
            "lowercase": self.lowercase,
            **({} if self.fold == "none" else {"fold": self.fold}),  # a file without it keeps its bytes
            "vocabulary": [*NAMES, *self.vocabulary],
        }

    @classmethod
    def from_spec(cls, spec: dict[str, Any]) -> "CharTokenizer":
        """The tokenizer of `spec()`. Raises ValueError if the vocabulary is not one."""
        characters = checked_vocabulary(spec["vocabulary"])
        if any(len(character) != 1 for character in characters):
            raise ValueError("vocabulary holds something that is no character")
        return cls(spec["lowercase"], spec["markup"], characters, spec.get("fold", "none"))


TOKENIZER: type[Tokenizer] = CharTokenizer
