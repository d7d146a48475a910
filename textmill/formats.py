"""Stored formats: each file holds a format number, and small upgrades lead from each older format to the next."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from textmill.errors import ArtifactError

Upgrade = Callable[[dict[str, Any]], dict[str, Any]]


def upgraded(found: Mapping[str, Any], path: Path, newest: int, upgrades: Mapping[int, Upgrade]) -> dict[str, Any]:
    """Returns a file's content as a file of format `newest` would hold it. The key `format` is its number.

    upgrades: the upgrade from each format to the next, by the older number. Raises ArtifactError if the file's format
    has no upgrade.
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
            raise ArtifactError(f"{path}: not a valid file of format {number} ({error}); make it again") from error
        number += 1
    return content
