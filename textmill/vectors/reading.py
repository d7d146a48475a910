"""Vectors out of a text file: a word and its numbers a line, as word2vec, GloVe and fastText write them.

Millions of lines go by; only those of wanted words are turned into numbers. Lines are bytes: a word may hold any
character but a line's end, a space too, so that the numbers are counted from the right.
"""

import codecs
from collections.abc import Iterator, Mapping
from typing import IO, NamedTuple

import numpy as np

from textmill.errors import ArtifactError, DataError
from textmill.vectors import WordVectors

BLOCK = 4 << 20  # bytes read at a time
LONGEST = 1 << 20  # bytes of a line; what is longer is no vector


class Counts(NamedTuple):
    """What a file held: vectors, and of the wanted words those that came again, and those that are all zero."""

    in_file: int
    duplicates: int
    zeros: int


def read(file: IO[bytes], wanted: Mapping[str, int], where: str) -> tuple[WordVectors, Counts]:
    """The vectors of the wanted words, exactly as these are spelled; a word's first line wins.

    wanted: the id of each word; where: the file's name, for errors. A first line of two whole numbers, how many words
    and how many numbers each, may be there or not.
    Raises ArtifactError, with the line's number, if one has not as many numbers as the first, or a wanted one something
    that is no finite number; DataError if no word is found.
    """
    ids = {word.encode(): number for word, number in wanted.items()}
    found: dict[int, np.ndarray] = {}
    told, size, words, duplicates = None, 0, 0, 0
    for number, line in enumerate(_lines(file, where), 1):
        line = line.rstrip()  # CR, and the space that fastText ends a line with
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
            told = _header(line)
            size = told[1] if told else _numbers(line)
            if not size:
                raise ArtifactError(f"{where}, line 1: expected a word and its numbers, found {_shown(line[:40])}")
            if told:
                continue
        word = line[: line.find(b" ")] if line.count(b" ") == size else _odd_word(line, size, f"{where}, line {number}")
        words += 1
        key = ids.get(word)
        if key is None:
            continue
        if key in found:
            duplicates += 1
            continue
        found[key] = _vector(line, size, f"{where}, line {number}")
    if told and told[0] != words:
        raise ArtifactError(f"{where}, line 1: tells of {told[0]:,} words, but {words:,} follow; is the file whole?")
    if not found:
        raise DataError(
            f"{where}: 0 of {len(ids):,} words of the vocabulary are among its {words:,}; "
            "is it of the texts' language, and in the tokenizer's case?"
        )
    keys = np.array(sorted(found), np.int64)
    vectors = np.stack([found[key] for key in keys.tolist()])
    return WordVectors(keys, vectors), Counts(words, duplicates, int((~vectors.any(axis=1)).sum()))


def _lines(file: IO[bytes], where: str) -> Iterator[bytes]:
    rest, done = b"", 0
    while block := file.read(BLOCK):
        *lines, rest = (rest + block).split(b"\n")
        yield from lines
        done += len(lines)
        if len(rest) > LONGEST:
            raise ArtifactError(f"{where}, line {done + 1}: longer than {LONGEST:,} bytes; expected a word and numbers")
    if rest:
        yield rest


def _header(line: bytes) -> tuple[int, int] | None:
    """How many words, and numbers in each, a first line tells; None if it is a vector."""
    fields = line.split(b" ")
    return (int(fields[0]), int(fields[1])) if len(fields) == 2 and all(field.isdigit() for field in fields) else None


def _numbers(line: bytes) -> int:
    """How many fields at the end of a line, all but its first at most, are numbers."""
    fields = line.split(b" ")[:0:-1]
    return next((number for number, field in enumerate(fields) if not _is_number(field)), len(fields))


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _odd_word(line: bytes, size: int, where: str) -> bytes:
    """The word of a line that has not `size` spaces: one with spaces in it."""
    numbers = _numbers(line)
    if numbers != size:
        raise ArtifactError(f"{where}: expected a word and {size} numbers, found {numbers}")
    return line.rsplit(b" ", size)[0]


def _vector(line: bytes, size: int, where: str) -> np.ndarray:
    """The last `size` fields as float32 (size,)."""
    fields = line.rsplit(b" ", size)[1:]
    try:
        with np.errstate(over="ignore"):
            vector = np.array(list(map(float, fields)), np.float32)
    except ValueError:
        bad = next(field for field in fields if not _is_number(field))
        raise ArtifactError(f"{where}: expected a number, found {_shown(bad)}") from None
    if not np.isfinite(vector).all():
        bad = fields[int(np.isfinite(vector).argmin())]
        raise ArtifactError(f"{where}: expected a finite number, found {_shown(bad)}")
    return vector


def _shown(field: bytes) -> str:
    return repr(field.decode(errors="replace"))
