"""Words by a pattern: lower-casing, markup, cutting and look-up as polars string kernels."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

import numpy as np
import polars as pl
from pydantic import Field, field_validator

from textmill.config import Count, Section
from textmill.errors import DataError
from textmill.ragged import Ragged

PAD, UNK = 0, 1
SPECIALS = 2  # ids below belong to no text: a word spelled "<pad>" is a word

TAG = r"</?[A-Za-z][^<>]*>|<!--[^<>]*-->"  # "a < b" is not a tag
ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&apos;": "'", "&nbsp;": " "}


class WordConfig(Section):
    """How words are cut and which are kept."""

    kind: Literal["word"]
    lowercase: bool
    markup: Literal["strip", "keep"]  # strip: HTML tags become spaces, common entities their characters
    pattern: str  # what a token is: a regular expression of Rust's `regex`, linear in the text's length
    min_freq: Count
    max_size: Annotated[int, Field(gt=SPECIALS, le=2_000_000)]  # PAD and UNK included; 3 ids fit into an int64

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            found = pl.Series([""]).str.extract_all(pattern)[0]
        except pl.exceptions.ComputeError as error:
            raise ValueError(f"not a regular expression ({str(error).splitlines()[-1]})") from error
        if len(found):
            raise ValueError("the pattern matches the empty text")
        return pattern


@dataclass(frozen=True)
class WordTokenizer:
    """A config's cutting and the words it keeps: word i of `vocabulary` has the id i + SPECIALS."""

    lowercase: bool
    markup: str
    pattern: str
    vocabulary: tuple[str, ...]

    @classmethod
    def learn(cls, batches: Iterable[pl.Series], config: WordConfig) -> "WordTokenizer":
        """Keep the most frequent words of all texts, ties in code-point order.

        Raises DataError if no word is frequent enough.
        """
        blank = cls(config.lowercase, config.markup, config.pattern, ())
        parts = [pl.DataFrame(schema={"word": pl.String, "count": pl.UInt32})]
        for texts in batches:
            parts.append(blank.tokens(texts).explode(empty_as_null=False).alias("word").value_counts())
            if sum(map(len, parts[1:])) > max(len(parts[0]), 1_000_000):
                parts = [_total(parts)]
        counts = _total(parts)
        kept = counts.filter(pl.col("count") >= config.min_freq)
        kept = kept.sort("count", "word", descending=[True, False])["word"].head(config.max_size - SPECIALS)
        if kept.is_empty():
            most = counts["count"].max() or 0
            raise DataError(
                f"vocabulary: none of {len(counts)} words stands {config.min_freq} times (the most frequent: {most}); "
                "lower min_freq, or look at pattern"
            )
        return cls(config.lowercase, config.markup, config.pattern, tuple(kept))

    def tokens(self, texts: pl.Series) -> pl.Series:
        """The words of each text, as a list Series."""
        texts = _nfc(texts.fill_null(""))
        if self.markup == "strip":
            texts = texts.str.replace_all(TAG, " ").str.replace_many(ENTITIES)
        if self.lowercase:
            texts = texts.str.to_lowercase()
        return texts.str.extract_all(self.pattern)

    def encode(self, texts: pl.Series) -> Ragged:
        """Ids of each text. A text without words is one UNK, so that it can be scored."""
        tokens = self.tokens(texts)
        counts = tokens.list.len().to_numpy().astype(np.int64)
        lengths = np.maximum(counts, 1)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        ids = np.full(offsets[-1], UNK, np.int32)
        occupied = np.ones(len(ids), bool)
        occupied[offsets[:-1][counts == 0]] = False
        ids[occupied] = self._ids(tokens.explode(empty_as_null=False))
        return Ragged(ids, offsets)

    def _ids(self, words: pl.Series) -> np.ndarray:
        if len(words) < len(
            self.vocabulary
        ):  # one request: building the Enum's table would cost more than the look-ups
            return np.array([self._index.get(word, UNK) for word in words], np.int32)
        found = words.cast(self._enum, strict=False).to_physical().cast(pl.Int32)
        return (found + SPECIALS).fill_null(UNK).to_numpy()

    @cached_property
    def _enum(self) -> pl.Enum:
        return pl.Enum(self.vocabulary)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {word: number + SPECIALS for number, word in enumerate(self.vocabulary)}

    @property
    def size(self) -> int:
        """Number of ids, PAD and UNK included."""
        return len(self.vocabulary) + SPECIALS

    def token(self, number: int) -> str:
        """The word of an id, for people."""
        return ("<pad>", "<unk>")[number] if number < SPECIALS else self.vocabulary[number - SPECIALS]

    def spec(self) -> dict[str, Any]:
        """What the file holds: all that is needed to encode a text again."""
        return {
            "kind": "word",
            "normalize": "NFC",
            "markup": self.markup,
            "lowercase": self.lowercase,
            "pattern": self.pattern,
            "vocabulary": ["<pad>", "<unk>", *self.vocabulary],
        }

    @classmethod
    def from_spec(cls, spec: dict[str, Any]) -> "WordTokenizer":
        """The tokenizer of `spec()`. Raises ValueError if the vocabulary is not one."""
        pad, unk, *words = spec["vocabulary"]
        if (pad, unk) != ("<pad>", "<unk>"):
            raise ValueError("vocabulary does not begin with <pad>, <unk>")
        if not all(isinstance(word, str) for word in words) or len(set(words)) != len(words):
            raise ValueError("vocabulary holds a word twice, or something that is no word")
        return cls(spec["lowercase"], spec["markup"], spec["pattern"], tuple(words))


def _total(parts: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(parts).group_by("word").agg(pl.col("count").sum())


def _nfc(texts: pl.Series) -> pl.Series:
    """Composed characters. Only texts beyond ASCII are touched: they are few, and composing is slow."""
    beyond = (texts.str.len_bytes() != texts.str.len_chars()).arg_true()
    return texts.scatter(beyond, texts.gather(beyond).str.normalize("NFC")) if len(beyond) else texts
