"""The order of dvc.lock. DVC appends each stage when it ends, and models that train at once end in any order."""

from collections.abc import Iterable
from pathlib import Path

from textmill.config import validate
from textmill.errors import TextmillError
from textmill.files import read_json, write_json, write_text
from textmill.lockfile import LOCK, name_of, parts, text_of

ORDER_FILE = Path("data/.order.json")  # survives an interrupted run, so that the next one restores the same order


def wanted_order(stages: Iterable[str]) -> list[str]:
    """Returns names in the order of `dvc repro`: those in dvc.lock in their order, then the new ones of `stages`.

    Also writes them to ORDER_FILE, which `restore_order` deletes after a complete run.
    """
    names = _kept() or [name_of(entry) for entry in parts(text_of(LOCK))[1:]]
    wanted = list(dict.fromkeys([*names, *stages]))
    write_json(ORDER_FILE, wanted)
    return wanted


def _kept() -> list[str]:
    """Returns the order of an interrupted run; none if there was none, or its file is damaged."""
    try:
        return validate(read_json(ORDER_FILE), list[str], str(ORDER_FILE))
    except TextmillError:
        return []


def restore_order(wanted: list[str], whole: bool) -> None:
    """Sorts the entries of dvc.lock into this order; the bytes of each stay. whole: the run was complete."""
    if LOCK.exists():
        text = text_of(LOCK)
        head, *entries = parts(text)
        place = {name: number for number, name in enumerate(wanted)}
        entries.sort(key=lambda entry: place.get(name_of(entry), len(place)))
        if (ordered := "".join([head, *entries])) != text:
            write_text(LOCK, ordered)
    if whole:
        ORDER_FILE.unlink(missing_ok=True)
