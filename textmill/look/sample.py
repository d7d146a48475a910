"""A bounded part of a file's bytes, and whether the whole of it is UTF-8."""

import codecs
from typing import IO, NamedTuple

STEP = 1 << 20  # bytes that are read at a time
HEAD = 2 << 20  # bytes kept from the start
PIECE = 1 << 17  # bytes kept of a later place
PIECES = 16  # later places at most, evenly apart: files are often sorted by class


class Sample(NamedTuple):
    """What is looked at of a file."""

    head: bytes
    pieces: list[bytes]
    size: int  # of the file, in bytes
    not_utf8: int | None  # the first byte that is not UTF-8, None where all are

    @property
    def whole(self) -> bool:
        """Whether the head is all there is."""
        return self.size == len(self.head)


def take(file: IO[bytes]) -> Sample:
    """Read a file once, from its start, and keep at most 4 MB of it."""
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
