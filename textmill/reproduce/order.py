"""The order of dvc.lock. DVC appends each stage when it ends, and models that train at once end in any order."""

from collections.abc import Iterable
from pathlib import Path

from textmill.files import read_json, write_json, write_text
from textmill.lockfile import LOCK, name_of, parts

ORDER_FILE = Path("data/.order.json")  # survives an interrupted run, so that the next one restores the same order


def wanted_order(stages: Iterable[str]) -> list[str]:
    """Returns names in the order of `dvc repro`: those in dvc.lock in their order, then the new ones of `stages`.

    Also writes them to ORDER_FILE, which `restore_order` deletes after a complete run.
    """
    text = LOCK.read_text(encoding="utf-8") if LOCK.exists() else ""
    names = read_json(ORDER_FILE) if ORDER_FILE.exists() else [name_of(entry) for entry in parts(text)[1:]]
    wanted = list(dict.fromkeys([*names, *stages]))
    write_json(ORDER_FILE, wanted)
    return wanted


def restore_order(wanted: list[str], whole: bool) -> None:
    """Sorts the entries of dvc.lock into this order; the bytes of each stay. whole: the run was complete."""
    if LOCK.exists():
        text = LOCK.read_text(encoding="utf-8")
        head, *entries = parts(text)
        place = {name: number for number, name in enumerate(wanted)}
        entries.sort(key=lambda entry: place.get(name_of(entry), len(place)))
        if (ordered := "".join([head, *entries])) != text:
            write_text(LOCK, ordered)
    if whole:
        ORDER_FILE.unlink(missing_ok=True)
