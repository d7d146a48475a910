"""The files of a new project. The stages and dvc.yaml are those of Textmill's own folder, packed into the wheel."""

from functools import cache
from pathlib import Path

from textmill.pin import Pin

TEMPLATE = Path(__file__).with_name("template")
# Files whose names would hide them, or mean something, where the templates lie.
PLACES = {
    "pipeline.yaml": "dvc.yaml",
    "project.toml": "pyproject.toml",
    "gitignore": ".gitignore",
    "dvcignore": ".dvcignore",
    "pre-commit-config.yaml": ".pre-commit-config.yaml",
    "github/workflows/test.yml": ".github/workflows/test.yml",
}
FOLDERS = ("", "stages", "families", "data/input", "metrics", "tests", "github/workflows")
# Textmill's own folder holds the package; a project has a pin, and families of its own.
CODE, PINNED = "deps: [stages, textmill]", "deps: [stages, families, pyproject.toml]"


def pipeline() -> dict[str, str]:
    """What `textmill upgrade` keeps up to date: dvc.yaml and the stages, by their paths in a project."""
    text = {path: text for path, text in files().items() if path == "dvc.yaml" or path.startswith("stages/")}
    assert text["dvc.yaml"].count(CODE) == 1
    return text | {"dvc.yaml": text["dvc.yaml"].replace(CODE, PINNED)}


@cache
def files() -> dict[str, str]:
    """The text of every template by its path in a project."""
    found = {}
    for folder in FOLDERS:
        for path in sorted((TEMPLATE / folder).iterdir()):
            if path.is_file():
                name = path.relative_to(TEMPLATE).as_posix()
                found[PLACES.get(name, name)] = path.read_text(encoding="utf-8")
    return found


def preset(name: str) -> Path:
    """The params file of that name, one of `presets()`."""
    return TEMPLATE / "presets" / f"{name}.yaml"


def presets() -> list[str]:
    """Names of our params files."""
    return sorted(path.stem for path in (TEMPLATE / "presets").glob("*.yaml"))


def pinned_files(pin: Pin, extras: str) -> dict[str, str]:
    """The files that say which textmill a project is made for. extras: those that its params need."""
    told = files()
    facts = {"@VERSION@": pin.version, "@SOURCE@": pin.source, "@CODE@": pin.code}
    facts["@REQUIREMENT@"] = requirement(pin, extras)
    return {name: filled(told[name], facts) for name in ("pyproject.toml", "requirements.txt")}


def requirement(pin: Pin, extras: str) -> str:
    """How pip asks for it: a file in the project, or an address."""
    if "://" in pin.source:
        return f"textmill[{extras}] @ {pin.source}"
    return f"./{pin.source}[{extras}]"


def filled(text: str, facts: dict[str, str]) -> str:
    """A template with its @WORDS@ replaced."""
    for word, value in facts.items():
        text = text.replace(word, value)
    return text
