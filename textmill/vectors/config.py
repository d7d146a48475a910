"""The key `tokenizers.NAME.vectors`: null, a file with word vectors, or how to train them here."""

from pathlib import PurePath
from typing import Annotated, Any, Literal

from pydantic import Field

from textmill.config import Count, Few, Many, Rate, Section, Width, shown, validate
from textmill.errors import ParamsError
from textmill.fetch import Checksums, PathFile, Text, UrlFile, WheelFile
from textmill.fetch.archives import is_archive
from textmill.fetch.hosts import name_of


class VectorsPath(PathFile):
    """The user's own file of word vectors."""

    sha256: Checksums  # checksums of the file; one must match
    member: Text | None = None  # the file with the vectors, if `path` is an archive


class VectorsUrl(UrlFile):
    """A file of word vectors at an http(s) address."""

    member: Text | None = None  # the file with the vectors, if `url` is an archive


class Trained(Section):
    """Keys of both training methods."""

    source: Literal["trained"]  # where the vectors come from
    method: str  # word2vec or fasttext
    size: Width = 100  # numbers in a vector
    window: Annotated[int, Field(ge=1, le=1000)] = 5  # words on each side of a word, at most
    min_count: Count = 5  # rarer words get no vector here; networks start theirs at random
    negative: Annotated[int, Field(ge=1, le=1000)] = 5  # negative samples: random words for each true neighbour
    # words more frequent than this share of all words are skipped at random
    sample: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 1e-3
    epochs: Few = 5  # passes over the texts
    lr: Rate = 0.025  # initial learning rate; it falls linearly
    skip_gram: bool = True  # true: a word predicts its neighbours; false: the neighbours predict the word (CBOW)


class Word2Vec(Trained):
    """Word2vec (Mikolov et al. 2013) with negative sampling, on training and unlabelled texts."""

    method: Literal["word2vec"]  # or fasttext


class FastText(Trained):
    """fastText (Bojanowski et al. 2017): a word's vector also depends on its character n-grams."""

    method: Literal["fasttext"]  # or word2vec
    shortest: Annotated[int, Field(ge=1, le=100)] = 3  # shortest n-gram, in characters
    longest: Annotated[int, Field(ge=1, le=100)] = 6  # longest n-gram, in characters
    buckets: Many = 100_000  # number of buckets for hashed n-grams, each with a vector


File = VectorsPath | VectorsUrl | WheelFile
SOURCES: dict[str, type[File]] = {"path": VectorsPath, "url": VectorsUrl, "wheel": WheelFile}
METHODS: dict[str, type[Trained]] = {"word2vec": Word2Vec, "fasttext": FastText}


def vectors_config(entry: dict[str, Any], where: str) -> File | Trained | None:
    """Returns the config of `vectors` in an entry of `tokenizers:`. Raises ParamsError with the key under `where`.

    In steps instead of a pydantic union, so that an error names the key and not the union's branches.
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
    """Raises ParamsError if an archive comes without `member`, or `member` without an archive."""
    match config:
        case WheelFile() if is_archive(config.member):
            raise ParamsError(
                f"{where}.member: {config.member} is an archive; name a file in the wheel that is not one"
            )
        case VectorsPath() | VectorsUrl():
            name = PurePath(config.path).name if isinstance(config, VectorsPath) else name_of(config.url)
            if is_archive(name) and config.member is None:
                raise ParamsError(f"{where}.member: null, but {name} is an archive; name a file in it")
            if config.member is not None and not is_archive(name):
                raise ParamsError(f"{where}.member: {name} is not an archive; set it to null")


def _named(found: Any, key: str, known: list[str], where: str) -> str:
    name = found.get(key) if isinstance(found, dict) else None
    if name not in known:
        raise ParamsError(f"{where}.{key}: expected one of {', '.join(known)}, found {shown(name)}")
    return name
