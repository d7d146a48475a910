"""Word vectors from a text file with a word and its numbers per line, as word2vec, GloVe and fastText write it.

Of millions of lines, only those of wanted words are parsed. Lines are bytes. A word may contain any character except a
line break, even a space, so numbers are counted from the right.
"""

import codecs
from collections.abc import Iterator, Mapping
from typing import IO, NamedTuple

import numpy as np

from textmill.errors import ArtifactError, DataError
from textmill.vectors import WordVectors

BLOCK = 4 << 20  # bytes read at a time
LONGEST = 1 << 20  # bytes in a line; a longer one is not a vector


class Counts(NamedTuple):
    """Counts of a file's vectors, of wanted words that were repeated, and of wanted vectors that are all zero."""

    in_file: int
    duplicates: int
    zeros: int


def read(file: IO[bytes], wanted: Mapping[str, int], where: str) -> tuple[WordVectors, Counts]:
    """Returns the vectors of the wanted words, spelled exactly so; if a word is repeated, its first line counts.

    wanted: the id of each word; where: the file's name, for errors. A first line of two whole numbers, the number of
    words and of numbers per word, is optional.
    Raises ArtifactError, with the line number, if a line has more or fewer numbers than the first, or a wanted line
    has something that is not a finite number; DataError if no word is found.
    """
    ids = {word.encode(): number for word, number in wanted.items()}
    found: dict[int, np.ndarray] = {}
    header, size, words, duplicates = None, 0, 0, 0
    for number, line in enumerate(_lines(file, where), 1):
        line = line.rstrip()  # CR, and the space that fastText ends a line with
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
            header = _header(line)
            size = header[1] if header else _numbers(line)
            if not size:
                raise ArtifactError(f"{where}, line 1: expected a word and its numbers, found {_shown(line[:40])}")
            if header:
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
    if header and header[0] != words:
        raise ArtifactError(
            f"{where}, line 1: announces {header[0]:,} words, but {words:,} follow; get the complete file"
        )
    if not found:
        raise DataError(
            f"{where}: none of the vocabulary's {len(ids):,} words are among its {words:,}; "
            "check that it has the texts' language and the tokenizer's case"
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
    """Returns the numbers of words and of numbers per word that a first line announces; None if it is a vector."""
    fields = line.split(b" ")
    return (int(fields[0]), int(fields[1])) if len(fields) == 2 and all(field.isdigit() for field in fields) else None


def _numbers(line: bytes) -> int:
    """Returns how many fields at the end of a line are numbers, not counting the first field."""
    fields = line.split(b" ")[:0:-1]
    return next((number for number, field in enumerate(fields) if not _is_number(field)), len(fields))


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _odd_word(line: bytes, size: int, where: str) -> bytes:
    """Returns the word of a line that has more than `size` spaces because its word contains some."""
    numbers = _numbers(line)
    if numbers != size:
        raise ArtifactError(f"{where}: expected a word and {size} numbers, found {numbers}")
    return line.rsplit(b" ", size)[0]


def _vector(line: bytes, size: int, where: str) -> np.ndarray:
    """Returns the last `size` fields, float32 (size,)."""
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
