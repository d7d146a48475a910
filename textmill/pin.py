"""Which textmill a project is made for: what its pyproject.toml says, and what runs."""

import hashlib
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from textmill.errors import ParamsError

PYPROJECT = Path("pyproject.toml")
ENDINGS = (".py", ".j2")  # of what runs
TEMPLATE = "project/template/"  # what does not: it becomes a project


class Pin(NamedTuple):
    """The table [tool.textmill] of a project's pyproject.toml."""

    version: str
    source: str  # what pip installs: a wheel in the project, or an address with a hash
    code: str  # digest of what runs


def pinned(project: Path) -> Pin | None:
    """What the project asks for; None where it asks for nothing, as the folder of textmill itself does.

    Raises ParamsError if its pyproject.toml cannot be read, or its table is not a Pin.
    """
    path = project / PYPROJECT
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("textmill")
        return None if table is None else Pin(**{name: str(table[name]) for name in Pin._fields})
    except FileNotFoundError:
        return None
    except (AttributeError, TypeError) as error:
        raise ParamsError(f"{path}: tool.textmill: expected a table; restore the one that was committed") from error
    except KeyError as error:
        raise ParamsError(f"{path}: tool.textmill: {error} is missing; restore the table that was committed") from error
    except (OSError, ValueError) as error:
        raise ParamsError(f"{path}: cannot be read as TOML ({error})") from error


def check_pin(project: Path) -> None:
    """Raise ParamsError if another textmill runs than the project is pinned to: its results would be another's."""
    pin = pinned(project)
    if pin is None or pin.code == (code := running_code()):
        return
    raise ParamsError(
        f"{PYPROJECT} pins textmill {pin.version} ({pin.code}), but {_version()} ({code}) runs; "
        f"pip install --force-reinstall --no-deps {pin.source}, or move the project to it: textmill upgrade"
    )


def running() -> Pin:
    """The one that runs; where it came from is not told."""
    return Pin(_version(), "", running_code())


def _version() -> str:
    from importlib.metadata import version  # half of a stage's start, which no stage needs

    return version("textmill")


def running_code() -> str:
    """The digest of the package that runs."""
    package = Path(__file__).parent
    paths = (path for path in package.rglob("*") if path.suffix in ENDINGS)
    return code_of((path.relative_to(package).as_posix(), path.read_bytes()) for path in paths)


def code_of(files: Iterable[tuple[str, bytes]]) -> str:
    """The digest of a package's files (path in it, bytes) in any order."""
    lines = sorted(
        f"{hashlib.sha256(content).hexdigest()} {path}"
        for path, content in files
        if path.endswith(ENDINGS) and not path.startswith(TEMPLATE)
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
