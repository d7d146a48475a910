"""What the system refused a library, read from the words of its error: libraries have classes of their own."""

import errno
import re

ANSWER = re.compile(r"\(os error (\d+)\)")  # how libraries in Rust say what the system answered
WORDS = {"No space left on device": errno.ENOSPC, "Read-only file system": errno.EROFS}
# How libraries, and Python when it imports them, say that memory ran out or that no thread could start.
NO_MEMORY = (
    "can't allocate memory",
    "cannot allocate memory",
    "memory allocation of",
    "out of memory",
    "failed to map segment",
    "error return without exception set",
    "could not create a primitive",
    "could not spawn threads",
    "can't start new thread",
)


def number_of(error: BaseException) -> int | None:
    """Returns the number by which the system refused, as in `errno`; None if the error does not say so."""
    if isinstance(error, OSError):
        return error.errno
    text = str(error)
    if found := ANSWER.search(text):
        return int(found[1])
    return next((number for words, number in WORDS.items() if words in text), None)


def is_memory(error: BaseException) -> bool:
    """Whether memory ran out."""
    return isinstance(error, MemoryError) or any(words in str(error).lower() for words in NO_MEMORY)
