"""The interface of every kind of tokenizer."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, ClassVar, Final, Literal, Protocol

import polars as pl

from textmill.config import Section
from textmill.fetch.places import Places
from textmill.text.pieces import Markup
from textmill.text.ragged import SPECIALS, Ragged

FILE: Final = "tokenizer.json"
Format = Literal[2]
FORMAT: Format = 2
NAMES = ("<pad>", "<unk>")  # readable names of the ids below SPECIALS
Texts = Callable[[], Iterable[pl.Series]]  # returns all texts, in batches


class TokenizerConfig(Section):
    """An entry of `tokenizers:`, without its vectors."""

    kind: str

    def fetch(self, places: Places) -> dict[str, Path]:
        """Returns the paths of the files it is made from, by name; none if it is learned from the texts."""
        return {}


class Spec(Section):
    """The contents of a tokenizer's file; each kind adds its own keys."""

    format: Format
    kind: str
    normalize: Literal["NFC"] = "NFC"
    markup: Markup


class Tokenizer(Protocol):
    """The way from texts to ids. Made by `fit`, or by `from_spec` from the result of `spec`."""

    CONFIG: ClassVar[type[TokenizerConfig]]
    SPEC: ClassVar[type[Spec]]

    @classmethod
    def check(cls, entry: Mapping[str, Any], where: str) -> TokenizerConfig:
        """Returns the config of an entry of `tokenizers:`. Raises ParamsError with the key under `where`."""

    @classmethod
    def fit(
        cls, read: Texts, config: Any, spill: IO[bytes], files: Mapping[str, Path]
    ) -> tuple["Tokenizer", Iterator[Ragged]]:
        """See `textmill.tokenizers.fit`."""

    @classmethod
    def from_spec(cls, spec: dict[str, Any]) -> "Tokenizer":
        """Returns the tokenizer that `spec()` describes; `spec` fits SPEC. Raises ValueError if it is not valid."""

    @property
    def size(self) -> int:
        """The number of ids, including PAD and UNK."""

    def encode(self, texts: pl.Series) -> Ragged:
        """Returns the ids of each text, at least one."""

    def token(self, number: int) -> str:
        """Returns an id's token, in readable form."""

    def tokens(self, text: str) -> list[str]:
        """Returns a text's tokens in readable form; words without an id appear as they are."""

    def spec(self) -> dict[str, Any]:
        """Returns all that is needed to encode texts again, as plain data that fits SPEC, without `format`."""


class TokensFromIds:
    """A tokenizer whose tokens are all found from their ids."""

    def tokens(self: Tokenizer, text: str) -> list[str]:
        """Returns a text's tokens, in readable form."""
        return [self.token(number) for number in self.encode(pl.Series([text])).ids.tolist()]


class WithVocabulary:
    """A tokenizer that lists its tokens: entry i of `vocabulary` has the id i + SPECIALS."""

    vocabulary: tuple[str, ...]

    @property
    def size(self) -> int:
        """The number of ids, including PAD and UNK."""
        return len(self.vocabulary) + SPECIALS

    def token(self, number: int) -> str:
        """Returns an id's token, in readable form."""
        return NAMES[number] if number < SPECIALS else self.vocabulary[number - SPECIALS]


def checked_vocabulary(entries: list[Any]) -> tuple[str, ...]:
    """Returns the tokens after <pad> and <unk>. Raises ValueError if one is listed twice or is not a string."""
    pad, unk, *tokens = entries
    if (pad, unk) != NAMES:
        raise ValueError("vocabulary does not begin with <pad>, <unk>")
    if not all(isinstance(token, str) for token in tokens) or len(set(tokens)) != len(tokens):
        raise ValueError("vocabulary contains a token twice, or something that is not a string")
    return tuple(tokens)
