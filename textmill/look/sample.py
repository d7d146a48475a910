"""Reads a bounded part of a file's bytes, and whether all of it is UTF-8."""

import codecs
from typing import IO, NamedTuple

STEP = 1 << 20  # bytes read at a time
HEAD = 2 << 20  # bytes kept from the start
PIECE = 1 << 17  # bytes kept at each later place
PIECES = 16  # later places at most, evenly spaced, because files are often sorted by class


class Sample(NamedTuple):
    """The part of a file that is looked at."""

    head: bytes
    pieces: list[bytes]
    size: int  # of the file, in bytes
    not_utf8: int | None  # the first byte that is not UTF-8, None if all are

    @property
    def whole(self) -> bool:
        """Whether the head is the whole file."""
        return self.size == len(self.head)


def read_sample(file: IO[bytes]) -> Sample:
    """Reads a file once, from its start. Keeps at most 4 MB of it."""
    decoder, size, not_utf8 = codecs.getincrementaldecoder("utf-8")(), 0, None
    head, pieces, every = b"", {}, 1
    while data := file.read(STEP):
        if not_utf8 is None:
            waiting = len(decoder.getstate()[0])
            try:
                decoder.decode(data)
            except UnicodeDecodeError as error:
                not_utf8 = size - waiting + error.start
        if len(head) < HEAD:
            head += data[: HEAD - len(head)]
        elif (size // STEP) % every == 0:
            pieces[size // STEP] = data[:PIECE]
            if len(pieces) > PIECES:
                every *= 2
                pieces = {step: piece for step, piece in pieces.items() if step % every == 0}
        size += len(data)
    if not_utf8 is None and (cut := len(decoder.getstate()[0])):
        not_utf8 = size - cut
    return Sample(head, list(pieces.values()), size, not_utf8)
