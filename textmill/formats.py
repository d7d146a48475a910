"""Stored formats: each has a number, and a chain of small upgrades leads from the older ones to today's."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from textmill.errors import ArtifactError

Upgrade = Callable[[dict[str, Any]], dict[str, Any]]


def upgraded(found: Mapping[str, Any], path: Path, newest: int, upgrades: Mapping[int, Upgrade]) -> dict[str, Any]:
    """What a file holds, as it would stand in a file of format `newest`. Its number is the key `format`.

    upgrades: by the number they start from, to the next one. Raises ArtifactError if none starts from the file's.
    """
    content, number = dict(found), found.get("format")
    while number != newest:
        if type(number) is not int or number not in upgrades:
            advice = "; install a newer textmill" if type(number) is int and number > newest else "; make it again"
            known = " or ".join(str(one) for one in sorted([*upgrades, newest]))
            raise ArtifactError(f"{path}: format: expected {known}, found {number!r}{advice}")
        try:
            content = upgrades[number](content)
        except (KeyError, TypeError, AttributeError) as error:
            raise ArtifactError(f"{path}: not what a file of format {number} holds ({error}); make it again") from error
        number += 1
    return content
