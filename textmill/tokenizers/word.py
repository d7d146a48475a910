"""Words by a pattern: markup, lower-casing, cutting and look-up as polars string kernels.

Texts are cut at spaces first, and the pattern sees each different piece once: of IMDB's 5.8 million pieces, 265,000.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, BinaryIO, Literal, NamedTuple

import numpy as np
import polars as pl
from pydantic import Field, field_validator

from textmill.config import Count, Section
from textmill.errors import DataError
from textmill.ragged import Ragged

PAD, UNK = 0, 1
SPECIALS = 2  # ids below belong to no text: a word spelled "<pad>" is a word

TAG = r"</?[A-Za-z][^<>]*>|<!--[^<>]*-->"  # "a < b" is not a tag
BREAK = r"(?i)<br\s*/?>"
FEW = 10_000  # strings: to find equal ones among fewer costs more than it saves
ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&apos;": "'", "&nbsp;": " "}

Texts = Callable[[], Iterable[pl.Series]]  # gives all texts, in batches


class WordConfig(Section):
    """How words are cut and which are kept."""

    kind: Literal["word"]
    lowercase: bool
    markup: Literal["strip", "breaks", "keep"]  # strip: tags become spaces, entities characters; breaks: <br> alone
    pattern: str  # a token, which holds no space: a regular expression of Rust's `regex`, linear in the text's length
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


class Pieces(NamedTuple):
    """Texts as pieces without spaces: D different ones, P in all, in N texts."""

    words: pl.Series  # of each different piece, a list Series (D,)
    sizes: np.ndarray  # words in each different piece, int32 (D,)
    number: np.ndarray  # which different piece each piece is, int32 (P,)
    lengths: np.ndarray  # pieces of each text, int64 (N,)

    def spread(self, ids: np.ndarray) -> Ragged:
        """Documents, from the ids of all words of the different pieces. One without words is one UNK."""
        sizes = self.sizes[self.number]  # words of each piece, (P,)
        ends = np.cumsum(sizes, dtype=np.int32)  # where they end, (P,)
        shift = (np.cumsum(self.sizes, dtype=np.int32) - self.sizes)[self.number] + sizes - ends
        where = np.repeat(shift, sizes)  # of each word: its place among `ids`, less its place in the texts
        flat = ids[where + np.arange(len(where), dtype=np.int32)]
        ends = np.concatenate([[0], ends])[np.cumsum(self.lengths)]  # of each text, (N,)
        counts = np.diff(ends, prepend=0)
        flat = np.insert(flat, ends[counts == 0], UNK)
        return Ragged(flat, np.concatenate([[0], np.cumsum(np.maximum(counts, 1))]))


@dataclass(frozen=True)
class WordTokenizer:
    """A config's cutting and the words it keeps: word i of `vocabulary` has the id i + SPECIALS."""

    lowercase: bool
    markup: str
    pattern: str
    vocabulary: tuple[str, ...]

    @classmethod
    def fit(cls, read: Texts, config: WordConfig, spill: BinaryIO) -> tuple["WordTokenizer", Iterator[Ragged]]:
        """The tokenizer of the most frequent words, ties in code-point order, and the ids of each batch of texts.

        Texts are read once: their words wait in `spill`, by numbers given as they came, until it is known which are
        kept. In memory are the different words, and a length for each text.
        Raises DataError if no word is frequent enough.
        """
        blank = cls(config.lowercase, config.markup, config.pattern, ())
        known = pl.Categorical(pl.Categories.random())  # numbers words as they come, while a column of this type lives
        vocabulary, counts, lengths = [pl.Series([], dtype=known)], np.zeros(0, np.int64), []
        for texts in read():
            pieces = blank._cut(texts)
            words = pieces.words.explode(empty_as_null=False).cast(known)
            numbers = words.to_physical().to_numpy().astype(np.int32)
            new, first = np.unique(numbers, return_index=True)
            vocabulary.append(words.gather(first[new >= len(counts)]))
            seen = np.bincount(pieces.number, minlength=len(pieces.words))  # of each different piece
            added = np.bincount(numbers, np.repeat(seen, pieces.sizes), minlength=len(counts)).astype(np.int64)
            added[: len(counts)] += counts
            counts = added
            docs = pieces.spread(numbers + np.int32(SPECIALS))
            docs.ids.tofile(spill)
            lengths.append(docs.lengths)
        words = pl.concat(vocabulary).cast(pl.String)
        kept = pl.DataFrame({"word": words, "count": counts}).with_row_index("number")
        kept = kept.filter(pl.col("count") >= config.min_freq)
        kept = kept.sort("count", "word", descending=[True, False]).head(config.max_size - SPECIALS)
        if kept.is_empty():
            raise DataError(
                f"vocabulary: none of {len(counts)} words stands {config.min_freq} times (the most frequent: "
                f"{int(counts.max(initial=0))}); lower min_freq, or look at pattern"
            )
        table = np.full(len(counts) + SPECIALS, UNK, np.int32)
        table[kept["number"].to_numpy() + SPECIALS] = np.arange(SPECIALS, len(kept) + SPECIALS)
        return cls(config.lowercase, config.markup, config.pattern, tuple(kept["word"])), _read(spill, lengths, table)

    def encode(self, texts: pl.Series) -> Ragged:
        """Ids of each text. A text without words is one UNK, so that it can be scored."""
        pieces = self._cut(texts)
        return pieces.spread(self._ids(pieces.words.explode(empty_as_null=False)))

    def _cut(self, texts: pl.Series) -> "Pieces":
        """What stands between the spaces of the texts, each different piece cut into its words once."""
        texts = texts.fill_null("")
        if self.markup == "strip":
            texts = texts.str.replace_all(TAG, " ").str.replace_many(ENTITIES)
        elif self.markup == "breaks":
            texts = texts.str.replace_all(BREAK, " ")
        pieces = texts.str.split(" ")
        different, number = distinct(pieces.explode(empty_as_null=False))
        words = self._words(different)
        sizes, lengths = words.list.len().to_numpy(), pieces.list.len().to_numpy()
        return Pieces(words, sizes.astype(np.int32), number, lengths.astype(np.int64))

    def _words(self, pieces: pl.Series) -> pl.Series:
        """The words of each piece, as a list Series."""
        pieces = _nfc(pieces)
        if self.lowercase:
            pieces = pieces.str.to_lowercase()
        return pieces.str.extract_all(self.pattern)

    def _ids(self, words: pl.Series) -> np.ndarray:
        if len(words) < len(self.vocabulary):  # the Enum's table would cost more than the look-ups
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


def distinct(strings: pl.Series) -> tuple[pl.Series, np.ndarray]:
    """The different ones among (N,) strings, and for each string its number there, int32 (N,).

    The same 64-bit hash counts as the same string: among ten million, that is wrong with a chance of 3 in a million.
    """
    if len(strings) < FEW:
        return strings, np.arange(len(strings), dtype=np.int32)
    example = _example(strings.hash().to_numpy())
    taken = np.zeros(len(strings), bool)
    taken[example] = True
    rows = np.flatnonzero(taken)
    number = np.empty(len(strings), np.int32)
    number[rows] = np.arange(len(rows), dtype=np.int32)
    return strings.gather(rows), number[example]


def _example(hashes: np.ndarray, bits: int = 20) -> np.ndarray:
    """For each hash the place of one that equals it, the same place for all equal ones: int32 (N,) of uint64 (N,).

    In a table over the first bits the last hash wins; those that met another one there try again with other bits.
    """
    table = np.empty(1 << bits, np.int32)  # small enough for the processor's cache
    slot = (hashes >> np.uint64(64 - bits)).view(np.int64)
    table[slot] = np.arange(len(hashes), dtype=np.int32)
    example = table[slot]
    other = np.flatnonzero(hashes[example] != hashes)
    if len(other):
        example[other] = other[_example(hashes[other] * np.uint64(0x9E3779B97F4A7C15), bits)]
    return example


def _read(spill: BinaryIO, lengths: list[np.ndarray], table: np.ndarray) -> Iterator[Ragged]:
    """Documents of each batch, their waiting numbers turned into ids by the table."""
    spill.seek(0)
    for batch in lengths:
        numbers = np.fromfile(spill, np.int32, batch.sum())
        yield Ragged(table[numbers], np.concatenate([[0], np.cumsum(batch)]))


def _nfc(texts: pl.Series) -> pl.Series:
    """Composed characters. Only texts beyond ASCII are touched: they are few, and composing is slow."""
    beyond = (texts.str.len_bytes() != texts.str.len_chars()).arg_true()
    return texts.scatter(beyond, texts.gather(beyond).str.normalize("NFC")) if len(beyond) else texts
