"""The last good dvc.lock: DVC writes its own in place, so a kill may leave half of it.

Losing the newest entry of dvc.lock costs no training: DVC's run cache restores that stage.
"""

from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from textmill.console import say
from textmill.errors import ArtifactError
from textmill.files import atomic, write_text
from textmill.lockfile import LOCK

KEPT = Path("data/.locks/dvc.lock")  # as it was when DVC last started a stage
DAMAGED = KEPT.with_name("dvc.lock.damaged")


def keep() -> None:
    """Keeps dvc.lock as it is now, for `textmill repro` to put back if a kill cuts it short. Called while DVC waits."""
    if not LOCK.exists():  # the first stage of all
        return
    text = LOCK.read_bytes()
    if not KEPT.exists() or KEPT.read_bytes() != text:
        with atomic(KEPT) as temporary:
            temporary.write_bytes(text)


def mend(folder: Path = Path()) -> None:
    """Puts the last good dvc.lock back, with a line that says so, if this one was cut short.

    The last good one is what DVC had written when it last started a stage. A dvc.lock of another commit is left as it
    is: it is whole. Raises ArtifactError if a merge left its marks.
    """
    path, kept = folder / LOCK, folder / KEPT
    if not (path.exists() and kept.exists()):
        return
    text, good = (file.read_bytes().decode(errors="replace") for file in (path, kept))
    if text == good or (_is_whole(text) and not _cut_inside(text, good)):
        return
    if "\n<<<<<<< " in f"\n{text}":
        raise ArtifactError(f"{LOCK}: has the marks of a merge; choose a side (`git checkout --ours {LOCK}`)")
    write_text(folder / DAMAGED, text)
    write_text(path, good)
    say(f"{LOCK} was cut short; the last good one is back ({DAMAGED} has what was there)")


def _is_whole(text: str) -> bool:
    """Whether DVC can read it: YAML with stages."""
    try:
        found = YAML(typ="safe", pure=True).load(text)
        return isinstance(found, dict) and all(isinstance(one, dict) for one in found["stages"].values())
    except (YAMLError, AttributeError, KeyError, ValueError):
        return False


def _cut_inside(text: str, good: str) -> bool:
    """Whether a text is the beginning of a good one that ends within a stage. Whole stages may be another commit's."""
    rest = good.removeprefix(text)
    return len(rest) < len(good) and not (text.endswith("\n") and rest.startswith("  ") and rest[2] != " ")
