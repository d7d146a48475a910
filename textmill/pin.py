"""Which textmill a project was made for (in its pyproject.toml), and which one is running."""

import hashlib
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from textmill.errors import ParamsError

PYPROJECT = Path("pyproject.toml")
ENDINGS = (".py", ".j2")  # of files that are code
TEMPLATE = "project/template/"  # becomes a project, and is not run


class Pin(NamedTuple):
    """The table [tool.textmill] of a project's pyproject.toml."""

    version: str
    source: str  # what pip installs: a wheel in the project, or a URL with a hash
    code: str  # digest of the code


def pinned(project: Path) -> Pin | None:
    """Returns the project's pin, or None if it has none, as in textmill's own repository.

    Raises ParamsError if pyproject.toml cannot be read or its table is not a Pin.
    """
    path = project / PYPROJECT
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("textmill")
        return None if table is None else Pin(**{name: str(table[name]) for name in Pin._fields})
    except FileNotFoundError:
        return None
    except (AttributeError, TypeError) as error:
        raise ParamsError(f"{path}: tool.textmill: expected a table; restore the committed one") from error
    except KeyError as error:
        raise ParamsError(f"{path}: tool.textmill: {error} is missing; restore the committed table") from error
    except (OSError, ValueError, RecursionError) as error:
        raise ParamsError(f"{path}: cannot be read as TOML ({error})") from error


def check_pin(project: Path) -> None:
    """Raises ParamsError if the running textmill is not the pinned one, whose results could differ."""
    pin = pinned(project)
    if pin is None or pin.code == (code := running_code()):
        return
    raise ParamsError(
        f"{PYPROJECT} pins textmill {pin.version} ({pin.code}), but {_version()} ({code}) is running; "
        f"pip install --force-reinstall --no-deps {pin.source}, or move the project to it: textmill upgrade"
    )


def running() -> Pin:
    """Returns the running textmill as a pin, without where it came from."""
    return Pin(_version(), "", running_code())


def _version() -> str:
    from importlib.metadata import version  # takes half of a stage's start-up, and no stage needs it

    return version("textmill")


def running_code() -> str:
    """Returns the digest of the running package's code."""
    package = Path(__file__).parent
    paths = (path for path in package.rglob("*") if path.suffix in ENDINGS)
    return code_of((path.relative_to(package).as_posix(), path.read_bytes()) for path in paths)


def code_of(files: Iterable[tuple[str, bytes]]) -> str:
    """Returns the digest of a package's files (path in it, bytes), given in any order."""
    lines = sorted(
        f"{hashlib.sha256(content).hexdigest()} {path}"
        for path, content in files
        if path.endswith(ENDINGS) and not path.startswith(TEMPLATE)
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
