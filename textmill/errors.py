"""Errors that a user can fix. Each class has an exit code; the message is the one line that the user reads.

A message says where, what was found, and what was expected or what to do: `data/raw/reviews.csv, row 418: label is
empty; fix the row, or set clean.on_bad_row: drop`
"""

INTERRUPTED = 75  # EX_TEMPFAIL, the exit code after Ctrl-C: running it again continues


class TextmillError(Exception):
    """A user's problem, not a bug: shown as one line, without a traceback."""

    exit_code = 1


class ParamsError(TextmillError):
    """Wrong usage or params."""

    exit_code = 2


class TooRareError(ParamsError):
    """No word, character or n-gram occurs as often as params ask."""


class DataError(TextmillError):
    """The data does not fit the params."""

    exit_code = 3


class ArtifactError(TextmillError):
    """A file is missing, incomplete or does not match its checksum."""

    exit_code = 4


class ResourceError(TextmillError):
    """Something the machine lacks: disk, memory, a lock, a permission or a server."""

    exit_code = 5


class DivergedError(TextmillError):
    """Training produced numbers that are not finite."""

    exit_code = 6
