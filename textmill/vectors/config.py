"""What `tokenizers.NAME.vectors` may say: null, the file that holds them, or how they are trained here."""

from pathlib import PurePath
from typing import Annotated, Any, Literal

from pydantic import Field

from textmill.config import Count, Few, Many, Rate, Section, Width, validate
from textmill.errors import ParamsError
from textmill.fetch import Checksums, PathFile, Text, UrlFile, WheelFile
from textmill.fetch.archives import is_archive
from textmill.fetch.hosts import name_of


class VectorsPath(PathFile):
    """A file of the user's own. `member` is for an archive, else null."""

    sha256: Checksums  # any of them is good
    member: Text | None = None  # the file, of an archive


class VectorsUrl(UrlFile):
    """A file behind an http(s) address. `member` is for an archive, else null."""

    member: Text | None = None  # the file, of an archive


class Trained(Section):
    """What every method of training them has."""

    source: Literal["trained"]  # where the vectors come from
    method: str  # word2vec or fasttext
    size: Width = 100  # numbers in a vector
    window: Annotated[int, Field(ge=1, le=1000)] = 5  # words on each side, at most
    min_count: Count = 5  # rarer words get no vector: theirs are random at first
    negative: Annotated[int, Field(ge=1, le=1000)] = 5  # random words beside each true one
    # Share of the running words above which a word is skipped at times.
    sample: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 1e-3
    epochs: Few = 5  # passes over the texts
    lr: Rate = 0.025  # learning rate at first; it falls evenly
    skip_gram: bool = True  # false: the bag of neighbours predicts the word


class Word2Vec(Trained):
    """Word2vec (Mikolov et al. 2013) with negative sampling, on training and unlabelled texts."""

    method: Literal["word2vec"]  # or fasttext


class FastText(Trained):
    """fastText (Bojanowski et al. 2017): a word's vector is also made of its character n-grams."""

    method: Literal["fasttext"]  # or word2vec
    shortest: Annotated[int, Field(ge=1, le=100)] = 3  # n-gram, in characters
    longest: Annotated[int, Field(ge=1, le=100)] = 6  # n-gram, in characters
    buckets: Many = 100_000  # of hashed n-grams, each as large as a vector


File = VectorsPath | VectorsUrl | WheelFile
SOURCES: dict[str, type[File]] = {"path": VectorsPath, "url": VectorsUrl, "wheel": WheelFile}
METHODS: dict[str, type[Trained]] = {"word2vec": Word2Vec, "fasttext": FastText}


def vectors_config(entry: dict[str, Any], where: str) -> File | Trained | None:
    """The key `vectors` of an entry of `tokenizers:`. Raises ParamsError naming the key under `where`.

    In steps instead of a pydantic union: the error then names the key, not the union's branches.
    """
    where = f"{where}.vectors"
    found = entry.get("vectors")
    if found is None:
        return None
    source = _named(found, "source", [*SOURCES, "trained"], where)
    schema: type[File | Trained] = (
        SOURCES[source] if source in SOURCES else METHODS[_named(found, "method", list(METHODS), where)]
    )
    config = validate(found, schema, where)
    _check_member(config, where)
    return config


def _check_member(config: File | Trained, where: str) -> None:
    """Raise ParamsError if an archive comes without the name of a file in it, or such a name without an archive."""
    match config:
        case WheelFile() if is_archive(config.member):
            raise ParamsError(f"{where}.member: {config.member} is an archive in a wheel; name a file that is none")
        case VectorsPath() | VectorsUrl():
            name = PurePath(config.path).name if isinstance(config, VectorsPath) else name_of(config.url)
            if is_archive(name) and config.member is None:
                raise ParamsError(f"{where}.member: null, but {name} is an archive; name a file in it")
            if config.member is not None and not is_archive(name):
                raise ParamsError(f"{where}.member: {name} is not an archive; set it to null")


def _named(found: Any, key: str, known: list[str], where: str) -> str:
    name = found.get(key) if isinstance(found, dict) else None
    if name not in known:
        raise ParamsError(f"{where}.{key}: expected one of {', '.join(known)}, found {name!r}")
    return name
