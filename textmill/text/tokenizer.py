"""What every kind of tokenizer gives."""

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
NAMES = ("<pad>", "<unk>")  # of the ids below SPECIALS, for people
Texts = Callable[[], Iterable[pl.Series]]  # gives all texts, in batches


class TokenizerConfig(Section):
    """An entry of `tokenizers:`, but its vectors."""

    kind: str

    def fetch(self, places: Places) -> dict[str, Path]:
        """The files that it is made of, by their names; none where it is learned here."""
        return {}


class Spec(Section):
    """What the file of a tokenizer holds; a kind adds its own keys."""

    format: Format
    kind: str
    normalize: Literal["NFC"] = "NFC"
    markup: Markup


class Tokenizer(Protocol):
    """All that happens to a text on its way to ids. Made by `fit`, or by `from_spec` from what `spec` gives."""

    CONFIG: ClassVar[type[TokenizerConfig]]
    SPEC: ClassVar[type[Spec]]

    @classmethod
    def check(cls, entry: Mapping[str, Any], where: str) -> TokenizerConfig:
        """An entry of `tokenizers:` of this kind. Raises ParamsError naming the key under `where`."""

    @classmethod
    def fit(
        cls, read: Texts, config: Any, spill: IO[bytes], files: Mapping[str, Path]
    ) -> tuple["Tokenizer", Iterator[Ragged]]:
        """See `textmill.tokenizers.fit`."""

    @classmethod
    def from_spec(cls, spec: dict[str, Any]) -> "Tokenizer":
        """The tokenizer of `spec()`, which fits SPEC. Raises ValueError if it is none."""

    @property
    def size(self) -> int:
        """Number of ids, PAD and UNK included."""

    def encode(self, texts: pl.Series) -> Ragged:
        """Ids of each text, one at least."""

    def token(self, number: int) -> str:
        """What an id stands for, for people."""

    def tokens(self, text: str) -> list[str]:
        """What each id of a text stands for, for people; words that have no id, as they are."""

    def spec(self) -> dict[str, Any]:
        """All that is needed to encode a text again, as plain data: what SPEC describes, but for its format."""


class Named:
    """A tokenizer whose ids name all that is known of a text."""

    def tokens(self: Tokenizer, text: str) -> list[str]:
        """What each id of a text stands for, for people."""
        return [self.token(number) for number in self.encode(pl.Series([text])).ids.tolist()]


class Listed:
    """A tokenizer that lists its tokens: entry i of `vocabulary` has the id i + SPECIALS."""

    vocabulary: tuple[str, ...]

    @property
    def size(self) -> int:
        """Number of ids, PAD and UNK included."""
        return len(self.vocabulary) + SPECIALS

    def token(self, number: int) -> str:
        """What an id stands for, for people."""
        return NAMES[number] if number < SPECIALS else self.vocabulary[number - SPECIALS]


def checked_vocabulary(entries: list[Any]) -> tuple[str, ...]:
    """The tokens after the specials. Raises ValueError if one stands twice or is no string."""
    pad, unk, *tokens = entries
    if (pad, unk) != NAMES:
        raise ValueError("vocabulary does not begin with <pad>, <unk>")
    if not all(isinstance(token, str) for token in tokens) or len(set(tokens)) != len(tokens):
        raise ValueError("vocabulary holds a token twice, or something that is no string")
    return tuple(tokens)
