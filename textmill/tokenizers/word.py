"""Words as tokens, and their vocabulary from the training texts; words are found by a pattern, in arrow and polars."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import IO, Annotated, Any, ClassVar, Literal

import numpy as np
import polars as pl
from pydantic import AfterValidator, Field

from textmill.config import Count, validate
from textmill.errors import TooRareError
from textmill.text.counting import Counted, count, read_back
from textmill.text.patterns import PATTERNS, SPACED
from textmill.text.pieces import Fold, Markup, PieceIds, distinct, flat, normal, split_at_spaces
from textmill.text.prefetching import prefetch
from textmill.text.ragged import SPECIALS, UNK, Ragged
from textmill.text.tokenizer import NAMES, Spec, Texts, Tokenizer, TokenizerConfig, WithVocabulary, checked_vocabulary

WORDS = "a B, c 1 2 \u00e9 \u4e2d. ' - !"  # text on which to try a pattern


def _compiles(pattern: str) -> str:
    pattern = PATTERNS.get(pattern, pattern)
    try:
        empty, words = pl.Series(["", WORDS]).str.extract_all(pattern)
    except pl.exceptions.ComputeError as error:
        reason = next((line for line in str(error).splitlines() if line.startswith("error: ")), "")
        raise ValueError(f"{pattern!r} is not a regular expression ({reason.removeprefix('error: ')})") from error
    if len(empty):
        raise ValueError("the pattern matches the empty text")
    if any(" " in word for word in words):
        raise ValueError("the pattern matches spaces; texts are split at spaces first, so leave them out of it")
    return pattern


Pattern = Annotated[str, AfterValidator(_compiles)]


class WordConfig(TokenizerConfig):
    """Words, found by a pattern."""

    kind: Literal["word"]  # the kind of tokenizer, which decides what other keys the entry has
    lowercase: bool = True  # whether to lower-case texts
    # strip: removes HTML tags and decodes entities; html: also removes the contents of style and script; breaks:
    # removes only <br>; keep: changes nothing
    markup: Markup = "strip"
    fold: Fold = "none"  # marks: removes the accents of Latin and Greek letters, "déjà" becomes "deja"
    # the regular expression (Rust's `regex`, which takes linear time) of a word, which cannot contain a space;
    # any-script names one that also finds emoji and smileys, and each Han, Kana, Thai, Lao, Khmer or Myanmar letter
    pattern: Pattern = SPACED
    min_freq: Count = 2  # words rarer than this in the training split are unknown
    max_size: Annotated[int, Field(gt=SPECIALS, le=2_000_000)] = 50_000  # words at most, including two special tokens
    stop: Annotated[list[str], Field(max_length=10_000)] = []  # words to leave out of every text, such as [the, a]


class WordSpec(Spec):
    """The contents of a word tokenizer's file."""

    kind: Literal["word"]
    lowercase: bool
    fold: Fold = "none"
    pattern: Pattern
    stop: list[str] = []
    vocabulary: list[str]


@dataclass(frozen=True)
class WordTokenizer(WithVocabulary):
    """A pattern and the words that have ids: word i of `vocabulary` has the id i + SPECIALS."""

    CONFIG: ClassVar[type[TokenizerConfig]] = WordConfig
    SPEC: ClassVar[type[Spec]] = WordSpec

    lowercase: bool
    markup: Markup
    pattern: str
    vocabulary: tuple[str, ...]
    stop: tuple[str, ...] = ()  # spelled as in texts after lower-casing and folding
    fold: Fold = "none"

    @classmethod
    def check(cls, entry: Mapping[str, Any], where: str) -> WordConfig:
        """Returns the config of an entry of this kind. Raises ParamsError with the key under `where`."""
        return validate(entry, WordConfig, where)

    @classmethod
    def fit(
        cls, read: Texts, config: WordConfig, spill: IO[bytes], files: Mapping[str, Path]
    ) -> tuple["WordTokenizer", Iterator[Ragged]]:
        """Keeps the most frequent words; returns the tokenizer and the ids of each batch of texts.

        Words of equal frequency are in code-point order. Texts are read once, and wait in `spill` as numbers until it
        is known which words are kept. Raises TooRareError if no word is frequent enough.
        """
        stop = tuple(normal(pl.Series(config.stop, dtype=pl.String), config.lowercase, config.fold).to_list())
        blank = cls(config.lowercase, config.markup, config.pattern, (), stop, config.fold)
        batches = prefetch(lambda texts: split_at_spaces(texts, config.markup, config.lowercase, config.fold), read())
        found = count(batches, blank._words, spill)
        kept = _most_frequent(found, config)  # numbers of words
        table = np.full(len(found.words), UNK, np.int32)
        table[kept] = np.arange(SPECIALS, len(kept) + SPECIALS)
        tokenizer = replace(blank, vocabulary=tuple(found.words.gather(kept).to_list()))
        spelling = PieceIds(table[found.numbers], found.sizes)
        return tokenizer, prefetch(spelling.documents, read_back(spill, found.lengths))

    def encode(self, texts: pl.Series) -> Ragged:
        """Returns the ids of each text. A text without words becomes one UNK, so that it can be scored."""
        strings, pieces = distinct(texts, self.markup, self.lowercase, self.fold)
        words, sizes = flat(self._words(strings))
        return PieceIds(self._ids(words), sizes).documents(pieces)

    def tokens(self, text: str) -> list[str]:
        """Returns the words of a text, known or not."""
        strings, pieces = distinct(pl.Series([text]), self.markup, self.lowercase, self.fold)
        words, _ = flat(self._words(strings).gather(pieces.number))
        return words.to_list() or [NAMES[UNK]]

    def _words(self, pieces: pl.Series) -> pl.Series:
        """Returns the words of each piece, without those in `stop`, as a list Series."""
        words = pieces.str.extract_all(self.pattern)
        return words.list.filter(~pl.element().is_in(self.stop)) if self.stop else words

    def _ids(self, words: pl.Series) -> np.ndarray:
        if len(words) < len(self.vocabulary):  # building the Enum would cost more than the look-ups
            return np.array([self._index.get(word, UNK) for word in words], np.int32)
        found = words.cast(self._enum, strict=False).to_physical().cast(pl.Int32)
        return (found + SPECIALS).fill_null(UNK).to_numpy()

    @cached_property
    def _enum(self) -> pl.Enum:
        return pl.Enum(self.vocabulary)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {word: number + SPECIALS for number, word in enumerate(self.vocabulary)}

    def spec(self) -> dict[str, Any]:
        """Returns the contents of the file, all that is needed to encode texts again."""
        return {
            "kind": "word",
            "normalize": "NFC",
            "markup": self.markup,
            "lowercase": self.lowercase,
            **({} if self.fold == "none" else {"fold": self.fold}),  # so that older files keep their bytes
            "pattern": self.pattern,
            **({"stop": list(self.stop)} if self.stop else {}),  # as above
            "vocabulary": [*NAMES, *self.vocabulary],
        }

    @classmethod
    def from_spec(cls, spec: dict[str, Any]) -> "WordTokenizer":
        """Returns the tokenizer that `spec()` describes. Raises ValueError if the vocabulary is not valid."""
        vocabulary, stop = checked_vocabulary(spec["vocabulary"]), tuple(spec.get("stop", []))
        return cls(spec["lowercase"], spec["markup"], spec["pattern"], vocabulary, stop, spec.get("fold", "none"))


TOKENIZER: type[Tokenizer] = WordTokenizer


def _most_frequent(found: Counted, config: WordConfig) -> np.ndarray:
    """Returns the numbers of the words to keep, in the order of their ids. Raises TooRareError if there are none."""
    counts = found.counts()
    if counts.max(initial=0) < config.min_freq:
        raise TooRareError(
            f"vocabulary: none of {len(counts)} words occurs {config.min_freq} times (the most frequent: "
            f"{int(counts.max(initial=0))}); lower min_freq, or check pattern"
        )
    room = config.max_size - SPECIALS
    least = config.min_freq if len(counts) <= room else max(config.min_freq, np.partition(counts, -room)[-room])
    words = pl.DataFrame({"word": found.words, "count": counts}).with_row_index("number")
    words = words.filter(pl.col("count") >= least).sort("count", "word", descending=[True, False])
    return words["number"].head(room).to_numpy()
