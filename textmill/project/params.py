"""Writes the params.yaml of a new project: a preset with the user's data set, and the reasons as comments."""

import io
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

COLUMN = 45  # where comments begin, as in the presets
SECTION = re.compile(r"\w+: *(#.*)?")
EDITORS = "# yaml-language-server: $schema=params.schema.json"
DEFAULTS = "# Keys that are left out have their defaults; `textmill check --show` prints all of them."


class Change(NamedTuple):
    """A value that differs from the preset's, and why."""

    value: Any
    reason: str = ""


def params_text(preset: str, title: str, changes: Mapping[str, Change]) -> str:
    """Returns a preset's text with other values and its comments.

    title: the comment at the start of the file. changes: by dotted key; None removes the key. For a whole section
    (`dataset`) the value is a map of changes, and the section then has only these keys.
    """
    kept: Any = YAML()  # with comments; its stubs lack most of its settings
    kept.preserve_quotes, kept.width = True, 4096
    body = [line for line in preset.splitlines() if not line.startswith("#")]
    params = kept.load("\n".join(body))
    for key, change in changes.items():
        *above, name = key.split(".")
        section = params
        for part in above:
            section = section.setdefault(part, CommentedMap())
        if isinstance(change.value, Mapping) and all(isinstance(one, Change) for one in change.value.values()):
            section[name] = CommentedMap()
            for own, one in change.value.items():
                _put(section[name], own, one)
        elif change.value is None and not change.reason:
            section.pop(name, None)
        else:
            _put(section, name, change)
    text = io.StringIO()
    kept.dump(params, text)
    head = [EDITORS, *(f"# {_comment(line)}" for line in title.split("\n")), DEFAULTS]
    lines = [line for line in text.getvalue().split("\n") if line]
    return "".join(f"\n{line}\n" if SECTION.fullmatch(line) else f"{line}\n" for line in [*head, *lines])


def described(preset: str) -> str:
    """Returns a preset's first comments, which describe it."""
    lines = preset.splitlines()
    end = next(number for number, line in enumerate(lines) if not line.startswith("#"))
    return "\n".join(line.removeprefix("#").strip() for line in lines[1 : end - 1])


def _put(section: CommentedMap, name: str, change: Change) -> None:
    section[name] = _plain(change.value)
    if change.reason:
        section.yaml_add_eol_comment(_comment(change.reason), name, column=COLUMN)


def _comment(words: str) -> str:
    """Returns words in one line, whatever a label or file name contains: a further line would be read as params."""
    return "".join(character if character.isprintable() else " " for character in words)


def _plain(value: Any) -> Any:
    """Returns lists and maps in one line, as the presets write them."""
    if not isinstance(value, Mapping | list):
        return value
    found: Any = CommentedMap() if isinstance(value, Mapping) else CommentedSeq(map(_plain, value))
    if isinstance(value, Mapping):
        found.update({key: _plain(one) for key, one in value.items()})
    found.fa.set_flow_style()
    return found
