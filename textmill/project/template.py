"""The files of a new project. Its stages and dvc.yaml are those of Textmill's repository, packed into the wheel."""

from functools import cache
from pathlib import Path

from textmill.pin import Pin

TEMPLATE = Path(__file__).with_name("template")
# Files that are named differently in the template, where their real names would hide them or have an effect.
PLACES = {
    "pipeline.yaml": "dvc.yaml",
    "project.toml": "pyproject.toml",
    "gitignore": ".gitignore",
    "dvcignore": ".dvcignore",
    "pre-commit-config.yaml": ".pre-commit-config.yaml",
    "github/workflows/test.yml": ".github/workflows/test.yml",
}
FOLDERS = ("", "stages", "families", "data/input", "metrics", "tests", "github/workflows")
# Textmill's repository holds the package; a project has a pin, and its own families.
CODE, PINNED = "deps: [stages, textmill]", "deps: [stages, families, pyproject.toml]"


def pipeline() -> dict[str, str]:
    """Returns what `textmill upgrade` keeps up to date: dvc.yaml and the stages, by their paths in a project."""
    text = {path: text for path, text in files().items() if path == "dvc.yaml" or path.startswith("stages/")}
    assert text["dvc.yaml"].count(CODE) == 1
    return text | {"dvc.yaml": text["dvc.yaml"].replace(CODE, PINNED)}


@cache
def files() -> dict[str, str]:
    """Returns the text of every template by its path in a project."""
    found = {}
    for folder in FOLDERS:
        for path in sorted((TEMPLATE / folder).iterdir()):
            if path.is_file():
                name = path.relative_to(TEMPLATE).as_posix()
                found[PLACES.get(name, name)] = path.read_text(encoding="utf-8")
    return found


def preset(name: str) -> Path:
    """Returns the path of a preset, one of `presets()`."""
    return TEMPLATE / "presets" / f"{name}.yaml"


def presets() -> list[str]:
    """Returns the names of the presets."""
    return sorted(path.stem for path in (TEMPLATE / "presets").glob("*.yaml"))


def pinned_files(pin: Pin, extras: str) -> dict[str, str]:
    """Returns the files that say which textmill a project uses. extras: those that its params need."""
    texts = files()
    facts = {"@VERSION@": pin.version, "@SOURCE@": pin.source, "@CODE@": pin.code}
    facts["@REQUIREMENT@"] = requirement(pin, extras)
    return {name: filled(texts[name], facts) for name in ("pyproject.toml", "requirements.txt")}


def requirement(pin: Pin, extras: str) -> str:
    """Returns the requirement for pip: a file in the project, or a URL."""
    if "://" in pin.source:
        return f"textmill[{extras}] @ {pin.source}"
    return f"./{pin.source}[{extras}]"


def filled(text: str, facts: dict[str, str]) -> str:
    """Returns a template with its @WORDS@ replaced."""
    for word, value in facts.items():
        text = text.replace(word, value)
    return text
