"""The params.yaml of a new project: one of ours, with the user's data set in it, and the reasons as comments."""

import io
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

COLUMN = 45  # where comments begin, as in our presets
SECTION = re.compile(r"\w+: *(#.*)?")
EDITORS = "# yaml-language-server: $schema=params.schema.json"
DEFAULTS = "# Keys that are left out have their defaults: `textmill check --show` prints all that applies."


class Change(NamedTuple):
    """A value other than the preset's, and why."""

    value: Any
    reason: str = ""


def params_text(preset: str, title: str, changes: Mapping[str, Change]) -> str:
    """A preset's text with other values, its comments kept.

    title: the comment that the file begins with. changes: by the dotted key; None takes the key out. A change of a
    whole section (`dataset`) has changes for a value: its keys are all that it holds then.
    """
    kept: Any = YAML()  # with its comments; its types know few of its settings
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
    """What a preset says of itself in its first comments."""
    lines = preset.splitlines()
    end = next(number for number, line in enumerate(lines) if not line.startswith("#"))
    return "\n".join(line.removeprefix("#").strip() for line in lines[1 : end - 1])


def _put(section: CommentedMap, name: str, change: Change) -> None:
    section[name] = _plain(change.value)
    if change.reason:
        section.yaml_add_eol_comment(_comment(change.reason), name, column=COLUMN)


def _comment(words: str) -> str:
    """One line, whatever stands in a label or a file's name: another would be read as params."""
    return "".join(character if character.isprintable() else " " for character in words)


def _plain(value: Any) -> Any:
    """Lists and maps in one line, as our presets have them."""
    if not isinstance(value, Mapping | list):
        return value
    found: Any = CommentedMap() if isinstance(value, Mapping) else CommentedSeq(map(_plain, value))
    if isinstance(value, Mapping):
        found.update({key: _plain(one) for key, one in value.items()})
    found.fa.set_flow_style()
    return found
