"""The guard around DVC: a dvc.lock that was cut short comes back, and dead processes hold no lock."""

import json
import os
import re
from pathlib import Path

import pytest

from textmill.errors import ArtifactError
from textmill.lastgood import DAMAGED, KEPT, restore
from textmill.lockfile import LOCK, entries
from textmill.reproduce.guard import RWLOCK, atomic_dumps, clear_rwlock

STAGE = """\
  {name}:
    cmd: ./run {name}
    deps:
    - path: data/in
      hash: md5
      md5: 0123456789abcdef0123456789abcdef
      size: 12
    outs:
    - path: data/{name}
      hash: md5
      md5: fedcba9876543210fedcba9876543210
      size: 34
"""
GOOD = "schema: '2.0'\nstages:\n" + "".join(STAGE.format(name=name) for name in ("clean", "split", "train@a"))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / KEPT).parent.mkdir(parents=True)
    (tmp_path / KEPT).write_text(GOOD)
    return tmp_path


def mended(folder: Path, text: str) -> str:
    (folder / LOCK).write_text(text)
    restore(folder)
    return (folder / LOCK).read_text()


def test_a_lock_that_was_cut_anywhere_comes_back(folder, capsys):
    borders = {GOOD.index(entry) for entry in entries(GOOD).values()}
    for end in range(len(GOOD)):
        kept_whole = end in borders and end > GOOD.index("  clean:")
        assert mended(folder, GOOD[:end]) == (GOOD[:end] if kept_whole else GOOD), GOOD[:end]
    assert "dvc.lock was cut short; the last good one is back" in capsys.readouterr().out
    assert (folder / DAMAGED).read_text() == GOOD[:-1]


@pytest.mark.parametrize(
    "other",
    [
        GOOD.replace("fedc", "0000"),  # of another commit
        GOOD[: GOOD.index("  train@a")],  # of a commit before a model was added
        GOOD + STAGE.format(name="train@b"),
    ],
)
def test_a_whole_lock_of_another_commit_stays(folder, other):
    assert mended(folder, other) == other
    assert not (folder / DAMAGED).exists()


def test_a_lock_that_is_not_yaml_comes_back_but_a_merge_is_the_users(folder):
    new = GOOD.replace("0123456789abcdef0123456789abcdef", "0000", 1)
    cut = new[: new.rindex("size") + 2]  # with an entry that the kept one does not have
    assert mended(folder, cut) == GOOD
    marks = GOOD.replace("  split:", "<<<<<<< HEAD\n  split:")
    with pytest.raises(ArtifactError, match="marks of a merge"):
        mended(folder, marks)
    assert (folder / LOCK).read_text() == marks


def test_nothing_is_mended_where_no_good_lock_was_kept(tmp_path):
    (tmp_path / LOCK).write_text("")
    restore(tmp_path)
    assert (tmp_path / LOCK).read_text() == ""


def test_dvc_dumps_in_one_step_and_the_same_bytes(tmp_path, monkeypatch):
    from dvc import dvcfile
    from dvc.utils import serialize

    plain, ours = tmp_path / "plain.lock", tmp_path / "ours.lock"

    def add(path: Path) -> None:
        with dvcfile.modify_yaml(str(path)) as data:
            data["stages"]["new"] = {"cmd": "./run", "outs": [{"path": "a b", "md5": "1"}]}

    for path in (plain, ours):
        path.write_text(GOOD)
    before = dvcfile.modify_yaml
    add(plain)
    with atomic_dumps():
        add(ours)
    assert ours.read_bytes() == plain.read_bytes()
    assert dvcfile.modify_yaml is before

    def full(data: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(serialize, "dumps_yaml", full)
    with pytest.raises(Exception, match=re.escape("No space left")), atomic_dumps():
        add(ours)
    assert ours.read_bytes() == plain.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ours.lock", "plain.lock"]


def entry(pid: int) -> dict:
    return {"pid": pid, "cmd": "dvc repro"}


def test_dead_processes_hold_no_path(tmp_path):
    path = tmp_path / RWLOCK
    dead = 2**22 + 1  # above every pid
    path.write_text(json.dumps({"write": {"a": entry(dead), "b": entry(os.getpid())}, "read": {"c": [entry(dead)]}}))
    clear_rwlock(tmp_path)
    assert json.loads(path.read_text()) == {"write": {"b": entry(os.getpid())}, "read": {}}
    os.utime(path, (0, 0))  # written before this process began: it only has the same number
    clear_rwlock(tmp_path)
    assert json.loads(path.read_text()) == {"write": {}, "read": {}}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"write": []}', '{"write": {"a": {}}}', '{"read": {"a": 1}}', "\0"])
def test_an_rwlock_that_dvc_could_not_read_goes(tmp_path, text):
    (tmp_path / RWLOCK).write_text(text)
    clear_rwlock(tmp_path)
    assert not (tmp_path / RWLOCK).exists()
    clear_rwlock(tmp_path)  # nothing to do
