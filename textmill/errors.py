"""What can go wrong for a user. Each class is one exit code; the message is the one line they read.

A message says where, what was found, what was expected or what to do:
`data/raw/reviews.csv, row 418: label is empty; fix the row, or set clean.on_bad_row: drop`
"""

INTERRUPTED = 75  # EX_TEMPFAIL, the exit code after Ctrl-C: run it again and it goes on


class TextmillError(Exception):
    """A user's problem, not a bug: shown as one line, without a traceback."""

    exit_code = 1


class ParamsError(TextmillError):
    """Wrong usage or params."""

    exit_code = 2


class DataError(TextmillError):
    """The data is not what the params say."""

    exit_code = 3


class ArtifactError(TextmillError):
    """A file is missing, incomplete or not what its checksum says."""

    exit_code = 4


class ResourceError(TextmillError):
    """No disk, memory, lock, permission or server."""

    exit_code = 5


class DivergedError(TextmillError):
    """Training left the finite numbers."""

    exit_code = 6
