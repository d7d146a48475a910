"""What was asked of each model, where that differs."""

from collections.abc import Mapping
from typing import Any

from textmill.lockfile import flat


def differing(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str | None]]:
    """The keys that not all entries have alike, each with a value an entry, as json; None where one lacks the key."""
    each = [{key: text for part in entry for key, text in flat(entry[part], part).items()} for entry in entries.values()]
    keys = dict.fromkeys(key for own in each for key in own)
    rows = {key: [None if key not in own else own[key].strip('"') for own in each] for key in keys}
    return {key: row for key, row in rows.items() if len(set(row)) > 1}


def shared(train: Mapping[str, Any]) -> dict[str, str]:
    """The settings of every network that params.yaml names."""
    return {key: text.strip('"') for part in train for key, text in flat(train[part], part).items()}
