"""One table from what libraries raise to what a user reads: one line and an exit code. Stages and the command use it.

Classes are named, not imported: a table that imported torch to name its error would cost a second in every stage.
"""

import errno
import io
import os
import sys
import traceback
from pathlib import Path

from textmill.console import UNPRINTABLE
from textmill.errors import ArtifactError, DataError, ResourceError, TextmillError
from textmill.refusals import is_memory, number_of

TRACEBACKS = Path("data/logs")
LONG = 300  # characters of a library's message that are shown

MEMORY = "not enough memory: {}; lower train.batch_tokens or the sizes of the model, or use a machine with more"
DAMAGED = "a file cannot be read: {}; delete it and run `dvc repro`"
SERVER = "a server or its database does not answer: {}; try again later"

# By the qualified name of a class or of one of its bases. The first that fits counts.
TABLE: dict[str, tuple[type[TextmillError], str]] = {
    "torch.OutOfMemoryError": (ResourceError, MEMORY),
    "pyarrow.lib.ArrowMemoryError": (ResourceError, MEMORY),
    "safetensors._safetensors_rust.SafetensorError": (ArtifactError, DAMAGED),
    "json.decoder.JSONDecodeError": (ArtifactError, DAMAGED),
    "_csv.Error": (ArtifactError, DAMAGED),
    "ruamel.yaml.error.YAMLError": (ArtifactError, DAMAGED),
    "pyarrow.lib.ArrowInvalid": (ArtifactError, DAMAGED),
    "polars.exceptions.ComputeError": (ArtifactError, DAMAGED),
    "builtins.UnicodeDecodeError": (DataError, "text that is not UTF-8: {}; set dataset.encodings"),
    "sqlite3.Error": (ResourceError, SERVER),
    "sqlalchemy.exc.SQLAlchemyError": (ResourceError, SERVER),
    "mlflow.exceptions.MlflowException": (ResourceError, SERVER),
    "requests.exceptions.RequestException": (ResourceError, SERVER),
    "http.client.HTTPException": (ResourceError, SERVER),
}
GONE = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENXIO}


def debugging() -> bool:
    """Whether the user asked for tracebacks."""
    return "--debug" in sys.argv or os.environ.get("TEXTMILL_DEBUG", "0") != "0"


def print_in_any_locale() -> None:
    """Makes stdout print what its encoding lacks as an escape, as stderr does: some locales lack ± and é."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def line(name: str, error: TextmillError) -> str:
    """Returns what stderr shows, without control characters. name: the stage or the command that failed."""
    return f"error: {name}: {' '.join(str(error).split())}".translate(UNPRINTABLE)


def explain(error: BaseException, name: str) -> TextmillError:
    """Returns the error as a user reads it. What nothing here knows is a bug; its traceback goes into a file.

    name: the stage or the command that failed; it names that file.
    """
    for one in _chain(error):
        if isinstance(one, TextmillError):
            return one
        if known := _known(one):
            return known
    return _bug(error, name)


def _chain(error: BaseException | None) -> list[BaseException]:
    """Returns an error and its explicit causes."""
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__
    return found


def _known(error: BaseException) -> TextmillError | None:
    text = " ".join(str(error).split())[:LONG]
    if is_memory(error):
        return ResourceError(MEMORY.format(text or type(error).__name__))
    if isinstance(error, OSError) and error.errno:
        what = f"{error.filename or 'output'}: {os.strerror(error.errno)}"
        if error.errno in GONE:
            return ArtifactError(f"{what}; run `dvc repro`, which makes what is missing")
        return ResourceError(f"{what}; make room, or check the folder's permissions")
    if (number := number_of(error)) and number not in GONE:
        return ResourceError(f"the disk cannot be written: {text}; make room, or check the folder's permissions")
    for base in type(error).__mro__:
        if found := TABLE.get(f"{base.__module__}.{base.__qualname__}"):
            kind, words = found
            return kind(words.format(text or base.__name__))
    return None


def _bug(error: BaseException, name: str) -> TextmillError:
    """Returns one line that names the place of a bug, and where its traceback is."""
    place = traceback.extract_tb(error.__traceback__)[-1:]
    where = f" ({Path(place[0].filename).name}:{place[0].lineno})" if place else ""
    path = TRACEBACKS / f"{name}.traceback"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(traceback.format_exception(error)), encoding="utf-8", errors="replace")
        advice = f"{path} has the traceback; please report it"
    except OSError:
        advice = "--debug shows the traceback; please report it"
    text = " ".join(str(error).split())[:LONG]
    return TextmillError(f"a bug of Textmill: {type(error).__name__}: {text}{where}; {advice}")
