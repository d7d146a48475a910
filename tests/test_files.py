import resource

import numpy as np
import pytest

from textmill.errors import ArtifactError, ResourceError
from textmill.files import atomic, digest, read_arrays, read_json, sha256, write_arrays, write_json


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "facts.json"
    write_json(path, {"old": 1})
    with pytest.raises(RuntimeError), atomic(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert read_json(path) == {"old": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["facts.json"]


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(ResourceError, match="cannot be written"):
            write_json(tmp_path / "big.json", ["x" * 100] * 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.iterdir())


def test_arrays_come_back_with_their_note_and_the_same_bytes(tmp_path):
    arrays = {"ids": np.arange(5, dtype=np.int32), "weights": np.ones((2, 3), np.float32)}
    write_arrays(tmp_path / "a.safetensors", arrays, "origin")
    write_arrays(tmp_path / "b.safetensors", arrays, "origin")
    back, note = read_arrays(tmp_path / "a.safetensors")
    assert note == "origin"
    assert all(np.array_equal(back[name], array) for name, array in arrays.items())
    assert sha256(tmp_path / "a.safetensors") == sha256(tmp_path / "b.safetensors")


@pytest.mark.parametrize("damage", [b"", b"\xff" * 8, b"\x10\0\0\0\0\0\0\0{}"])
def test_damaged_files_are_named(tmp_path, damage):
    path = tmp_path / "x.safetensors"
    path.write_bytes(damage)
    with pytest.raises(ArtifactError, match=r"x\.safetensors"):
        read_arrays(path)
    with pytest.raises(ArtifactError, match=r"x\.safetensors"):
        read_json(path)
    with pytest.raises(ArtifactError, match=r"none\.json.*dvc repro"):
        read_json(tmp_path / "none.json")


def test_digest_ignores_the_order_of_keys():
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1}) != digest({"a": 1, "b": [3]})
