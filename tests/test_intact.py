"""The check of a stage's inputs against dvc.lock, on a pipeline of two stages; test_pipeline.py has the real one."""

import pytest

from textmill.config import load_params
from textmill.errors import ArtifactError
from textmill.intact import check_inputs
from textmill.lockfile import hash_of

PIPELINE = """
stages:
  split: {cmd: x, deps: [data/input], outs: [data/split]}
  encode:
    foreach: ${tokenizers}
    do: {cmd: x, deps: [data/split/train.csv, "data/vocab/${key}.json"], outs: ["data/encoded/${key}"]}
  train: {cmd: x, deps: [data/encoded, data/split/test.csv, data/given.csv], outs: [model]}
"""
FILES = ("data/split/train.csv", "data/split/test.csv", "data/encoded/word/ids", "data/encoded/char/ids", "model")
OUTS = {"split": "data/split", "encode@word": "data/encoded/word", "encode@char": "data/encoded/char", "train": "model"}


@pytest.fixture
def folder(tmp_path):
    """A folder after a run."""
    (tmp_path / "dvc.yaml").write_text(PIPELINE)
    (tmp_path / "params.yaml").write_text("tokenizers: {word: {}, char: {}}\n")
    for name in (*FILES, "data/given.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    lock = "schema: '2.0'\nstages:\n"
    for stage, path in OUTS.items():
        lock += f"  {stage}:\n    cmd: x\n    deps:\n    - path: data/input\n      md5: 0\n    outs:\n"
        lock += f"    - path: {path}\n      hash: md5\n      md5: {hash_of(tmp_path / path)}\n"
    (tmp_path / "dvc.lock").write_text(lock)
    return tmp_path


def check(stage: str, folder) -> None:
    check_inputs(stage, load_params(folder / "dvc.yaml"), load_params(folder / "params.yaml"), folder)


def refusals(folder, path: str) -> dict[str, str]:
    """The errors of all stages after a change to a file, by stage."""
    (folder / path).write_text("changed")
    found = {}
    for stage in OUTS:
        try:
            check(stage, folder)
        except ArtifactError as error:
            found[stage] = str(error)
    return found


def test_what_earlier_stages_wrote_is_read(folder):
    for stage in OUTS:
        check(stage, folder)


@pytest.mark.parametrize(
    ("path", "producer", "readers"),
    [
        ("data/split/train.csv", "split", ["encode@word", "encode@char", "train"]),  # a folder has one hash
        ("data/encoded/char/ids", "encode@char", ["train"]),
        ("model", "train", []),  # its own output, which it writes again
        ("data/given.csv", "", []),  # no stage wrote it
    ],
)
def test_a_changed_file_is_refused_by_its_readers_and_its_producer_is_named(folder, path, producer, readers):
    before = hash_of(folder / OUTS[producer]) if producer else ""
    found = refusals(folder, path)
    assert [*found] == readers
    for error in found.values():
        after = hash_of(folder / OUTS[producer])
        assert error.startswith(f"{OUTS[producer]}: not what {producer} wrote (md5 {after}; dvc.lock has {before}); ")


def test_a_missing_file_is_refused_with_the_reason(folder):
    (folder / "data/encoded/word/ids").unlink()
    (folder / "data/encoded/word").rmdir()
    pattern = "^data/encoded/word: No such file or directory, but encode@word wrote it; run `dvc repro`$"
    with pytest.raises(ArtifactError, match=pattern):
        check("train", folder)


def test_before_the_first_run_everything_is_read(folder):
    (folder / "dvc.lock").unlink()
    assert refusals(folder, FILES[0]) == {}


def test_a_stage_that_was_removed_or_is_not_in_the_lock_yet_vouches_for_nothing(folder):
    lock = (folder / "dvc.lock").read_text()
    (folder / "dvc.lock").write_text(lock.replace("  split:", "  gone:"))
    assert refusals(folder, FILES[0]) == {}
