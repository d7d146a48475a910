"""Params that differ between models."""

from collections.abc import Mapping
from typing import Any

from textmill.lockfile import flat


def differing(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str | None]]:
    """Returns the keys whose values differ between entries, each with one json value per entry; None: no such key."""
    each = [plain(entry) for entry in entries.values()]
    keys = dict.fromkeys(key for own in each for key in own)
    rows = {key: [own.get(key) for own in each] for key in keys}
    return {key: row for key, row in rows.items() if len(set(row)) > 1}


def plain(section: Mapping[str, Any]) -> dict[str, str]:
    """Returns a section's values by key, as json; strings without their quotes."""
    return {key: text.strip('"') for part in section for key, text in flat(section[part], part).items()}
