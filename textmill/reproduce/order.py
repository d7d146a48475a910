"""The order of dvc.lock. DVC appends a stage when it has ended: models side by side end in any order."""

import re
from collections.abc import Iterable
from pathlib import Path

from textmill.files import read_json, write_json, write_text

LOCK = Path("dvc.lock")
WANTED = Path("data/.order.json")  # outlives a run that was cut short: what it had done is not new to the next one


def want(stages: Iterable[str]) -> list[str]:
    """Names in the order that `dvc repro` gives them: those in dvc.lock as they stand, then the new ones of `stages`.

    It is kept on the disk until `settle` is told that the run was whole.
    """
    text = LOCK.read_text(encoding="utf-8") if LOCK.exists() else ""
    names = read_json(WANTED) if WANTED.exists() else [_name(entry) for entry in _entries(text)[1:]]
    wanted = list(dict.fromkeys([*names, *stages]))
    write_json(WANTED, wanted)
    return wanted


def settle(wanted: list[str], whole: bool) -> None:
    """Put dvc.lock in this order, its bytes otherwise as DVC wrote them."""
    if LOCK.exists():
        text = LOCK.read_text(encoding="utf-8")
        head, *entries = _entries(text)
        place = {name: number for number, name in enumerate(wanted)}
        entries.sort(key=lambda entry: place.get(_name(entry), len(place)))
        if (ordered := "".join([head, *entries])) != text:
            write_text(LOCK, ordered)
    if whole:
        WANTED.unlink(missing_ok=True)


def _entries(text: str) -> list[str]:
    """What stands before the first stage, then each stage with all its lines."""
    return re.split(r"(?m)^(?=  \S)", text)


def _name(entry: str) -> str:
    return entry.split(":\n")[0].strip()
