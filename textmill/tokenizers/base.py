"""What every kind of tokenizer gives."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Literal, Protocol

import polars as pl

from textmill.config import Section
from textmill.text.ragged import SPECIALS, Ragged
from textmill.tokenizers.pieces import Markup

FILE, FORMAT = "tokenizer.json", 2
NAMES = ("<pad>", "<unk>")  # of the ids below SPECIALS, for people
Texts = Callable[[], Iterable[pl.Series]]  # gives all texts, in batches


class Spec(Section):
    """What the file of a tokenizer holds; a kind adds its own keys."""

    format: Literal[FORMAT]
    kind: str
    normalize: Literal["NFC"] = "NFC"
    markup: Markup


class Tokenizer(Protocol):
    """All that happens to a text on its way to ids. Made by `fit`, or by `from_spec` from what `spec` gives."""

    SPEC: ClassVar[type[Spec]]

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

    def tokens(self, text: str) -> list[str]:
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
