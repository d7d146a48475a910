"""The order of dvc.lock. DVC appends a stage when it has ended: models side by side end in any order."""

from collections.abc import Iterable
from pathlib import Path

from textmill.files import read_json, write_json, write_text
from textmill.lockfile import LOCK, name_of, parts

WANTED = Path("data/.order.json")  # outlives a run that was cut short: what it had done is not new to the next one


def want(stages: Iterable[str]) -> list[str]:
    """Names in the order that `dvc repro` gives them: those in dvc.lock as they stand, then the new ones of `stages`.

    It is kept on the disk until `settle` is told that the run was whole.
    """
    text = LOCK.read_text(encoding="utf-8") if LOCK.exists() else ""
    names = read_json(WANTED) if WANTED.exists() else [name_of(entry) for entry in parts(text)[1:]]
    wanted = list(dict.fromkeys([*names, *stages]))
    write_json(WANTED, wanted)
    return wanted


def settle(wanted: list[str], whole: bool) -> None:
    """Put dvc.lock in this order, its bytes otherwise as DVC wrote them."""
    if LOCK.exists():
        text = LOCK.read_text(encoding="utf-8")
        head, *entries = parts(text)
        place = {name: number for number, name in enumerate(wanted)}
        entries.sort(key=lambda entry: place.get(name_of(entry), len(place)))
        if (ordered := "".join([head, *entries])) != text:
            write_text(LOCK, ordered)
    if whole:
        WANTED.unlink(missing_ok=True)
