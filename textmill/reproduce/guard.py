"""DVC writes dvc.lock and .dvc/tmp/rwlock in place, so a kill may cut them short. Here neither can stop a run."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from textmill.files import atomic, write_text

RWLOCK = Path("rwlock")  # in .dvc/tmp: which process reads and writes which path


@contextmanager
def atomic_dumps() -> Iterator[None]:
    """Within, DVC replaces dvc.lock in one step instead of truncating it first."""
    from dvc import dvcfile
    from dvc.utils.serialize import dumps_yaml, parse_yaml_for_update

    @contextmanager
    def modify(path: str, fs: Any = None) -> Iterator[dict]:
        data = parse_yaml_for_update(Path(path).read_bytes(), path) if os.path.exists(path) else {}
        yield data
        with atomic(Path(path)) as temporary:
            temporary.write_bytes(dumps_yaml(data).encode())

    before, dvcfile.modify_yaml = dvcfile.modify_yaml, modify
    try:
        yield
    finally:
        dvcfile.modify_yaml = before


def clear_rwlock(tmp: Path) -> None:
    """Takes entries of dead processes out of DVC's rwlock, and removes one that is not JSON. DVC would stop at both.

    tmp: .dvc/tmp. A process that was started after the file was written only has the number of the one that wrote.
    """
    from dvc.lock import make_lock

    path = tmp / RWLOCK
    if not path.exists():
        return
    with make_lock(str(tmp / "rwlock.lock"), tmp_dir=str(tmp)):  # DVC holds it while it writes
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            written = path.stat().st_mtime
            write = {place: one for place, one in found.get("write", {}).items() if _wrote(one, written)}
            read = {
                place: alive
                for place, ones in found.get("read", {}).items()
                if (alive := [one for one in ones if _wrote(one, written)])
            }
        except (ValueError, AttributeError, KeyError, TypeError):
            path.unlink()
            return
        if (mended := {"write": write, "read": read}) != {"write": {}, "read": {}} | found:
            write_text(path, json.dumps(mended))


def _wrote(entry: dict[str, Any], written: float) -> bool:
    """Whether the process of an entry is still the one that wrote it."""
    with suppress(psutil.Error):
        return psutil.Process(entry["pid"]).create_time() <= written + 1
    return False
