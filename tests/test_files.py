import signal
import subprocess
import sys
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
from conftest import small_disk
from hypothesis import given
from hypothesis import strategies as st

from textmill import parquet
from textmill.arrays import map_arrays, read_arrays, write_arrays
from textmill.errors import ArtifactError, ResourceError
from textmill.fetch import Places
from textmill.files import atomic, digest, read_json, reading, sha256, write_json
from textmill.parquet import append_parquet, count_rows, read_batches, read_parquet, write_parquet


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "facts.json"
    write_json(path, {"old": 1})
    with pytest.raises(RuntimeError), atomic(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert read_json(path) == {"old": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["facts.json"]


WRITER = """
import sys, time
from pathlib import Path
from textmill.fetch import Places
from textmill.files import atomic
with atomic(Path(sys.argv[1])) as temporary:
    temporary.write_bytes(b"half" * 1000)
    print("writing", flush=True)
    time.sleep(600)
"""


@contextmanager
def writer(path):
    """A process in the middle of writing a file."""
    with subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "writing\n"
        yield process
        process.kill()


def parts(folder):
    return [path.name for path in folder.glob(".*.part")]


def test_the_next_writer_deletes_what_a_killed_one_left(tmp_path):
    with writer(tmp_path / "00001.safetensors") as process:
        assert len(parts(tmp_path)) == 1
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert len(parts(tmp_path)) == 1
    write_json(tmp_path / "00002.json", {})  # any file of the folder
    assert [path.name for path in tmp_path.iterdir()] == ["00002.json"]


def test_the_next_download_deletes_what_a_killed_one_left(tmp_path):
    kept = tmp_path / sha256(write(tmp_path / "a.csv", "a"))
    (tmp_path / "a.csv").rename(kept)
    with writer(tmp_path / "vectors.vec") as process:
        process.kill()
        process.wait()
    assert Places(tmp_path, None).keep("a.csv", [kept.name], lambda path: None).path == kept
    assert [path.name for path in tmp_path.iterdir()] == [kept.name]


def write(path, text):
    path.write_text(text)
    return path


def test_two_writers_of_one_file_leave_each_other_alone(tmp_path):
    path = tmp_path / "out.csv"
    with writer(path):
        for _ in range(3):
            write_json(path, {"a": 1})
        assert len(parts(tmp_path)) == 1
    assert read_json(path) == {"a": 1}


def test_files_of_other_programs_stay(tmp_path):
    for name in (".out.csv.123.part", "a.textmill.part"):
        (tmp_path / name).write_text("mine")
    write_json(tmp_path / "a.json", {})
    assert {path.name for path in tmp_path.iterdir()} == {".out.csv.123.part", "a.textmill.part", "a.json"}


def test_many_writers_of_one_file_leave_a_whole_one(tmp_path):
    code = "import sys\nfrom pathlib import Path\nfrom textmill.files import write_json\n"
    code += "for n in range(200): write_json(Path(sys.argv[1]), [int(sys.argv[2])] * 1000)"
    command = [sys.executable, "-c", code, tmp_path / "a.json"]
    processes = [subprocess.Popen([*command, str(number)], stderr=subprocess.PIPE) for number in range(4)]
    assert [process.communicate()[1] for process in processes] == [b""] * 4
    assert len(set(read_json(tmp_path / "a.json"))) == 1
    assert not parts(tmp_path)


def test_what_safetensors_writes_beside_its_file_goes_with_it(tmp_path):
    import torch
    from safetensors.torch import save_file

    with atomic(tmp_path / "a.safetensors") as temporary:
        save_file({"a": torch.ones(1)}, temporary)
        assert temporary.parent.parent == tmp_path
        (temporary.parent / ".tmp123").write_text("of a library")
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path):
    with small_disk(1000), pytest.raises(ResourceError, match=r"big\.json: cannot be written"):
        write_json(tmp_path / "big.json", ["x" * 100] * 100)
    assert not list(tmp_path.iterdir())


def documents(count: int, size: int = 50) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list("abc é"), rng.integers(0, size))) for _ in range(count)]
    return pl.DataFrame({"id": [str(i) for i in range(count)], "text": texts, "label": ["a", None] * (count // 2)})


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.parquet", lambda path: write_parquet(path, pl.DataFrame({"a": range(9999)}))),
        ("a.safetensors", lambda path: write_arrays(path, {"a": np.ones(9999)}, "of a test")),
    ],
)
def test_a_library_that_meets_a_full_disk_names_the_file(tmp_path, name, write):
    """polars and safetensors open their files themselves, and their errors do not name them."""
    with small_disk(1000), pytest.raises(ResourceError, match=rf"{name}: cannot be written: File too large"):
        write(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_lack_of_memory_while_reading_is_no_fault_of_the_file(tmp_path):
    with pytest.raises(MemoryError), reading(tmp_path / "a.parquet", pl.exceptions.PolarsError):
        raise MemoryError
    with pytest.raises(pl.exceptions.ComputeError), reading(tmp_path / "a.parquet", pl.exceptions.PolarsError):
        raise pl.exceptions.ComputeError("memory allocation of 8 bytes failed")
    with pytest.raises(ArtifactError, match=r"a\.parquet: cannot be read"):
        read_parquet(tmp_path / "a.parquet")


def test_a_full_disk_names_the_file_that_did_not_fit(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "ROW_GROUP", 10_000)
    one, two = tmp_path / "one.parquet", tmp_path / "two.parquet"
    frame = documents(2000)
    with (
        small_disk(20_000),
        pytest.raises(ResourceError, match=r"one\.parquet: cannot be written"),
        append_parquet(one) as append,
        append_parquet(two) as other,
    ):
        other(frame[:1])
        append(frame)
    assert not list(tmp_path.iterdir())


@given(st.lists(st.integers(0, 400), max_size=5))
def test_the_same_bytes_however_rows_come_in_frames(tmp_path_factory, cuts):
    folder, frame = tmp_path_factory.getbasetemp(), documents(400)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet, "ROW_GROUP", 10_000)
        for name, bounds in (("whole", [0, 400]), ("cut", [0, *sorted(cuts), 400])):
            with append_parquet(folder / f"{name}.parquet") as append:
                for start, end in pairwise(bounds):
                    append(frame[start:end])
    assert (folder / "whole.parquet").read_bytes() == (folder / "cut.parquet").read_bytes()
    assert pl.read_parquet(folder / "cut.parquet").equals(frame)
    batches = list(read_batches(folder / "cut.parquet"))
    assert pl.concat(batches).equals(frame)
    assert len(batches) > 4
    held = [batch["text"].str.len_bytes().sum() + parquet.ROW * len(batch) for batch in batches]
    assert max(held) < 10_000 + 250
    assert count_rows(folder / "cut.parquet") == 400


def test_a_file_without_rows_has_columns(tmp_path):
    with append_parquet(tmp_path / "none.parquet") as append:
        append(documents(2)[:0])
    assert read_parquet(tmp_path / "none.parquet").schema == documents(2).schema
    assert sum(map(len, read_batches(tmp_path / "none.parquet"))) == 0


def test_columns_are_read_in_the_order_asked(tmp_path):
    with append_parquet(tmp_path / "a.parquet") as append:
        append(documents(10))
    (batch,) = read_batches(tmp_path / "a.parquet", ["label", "text"])
    assert set(batch.columns) == {"label", "text"}
    assert batch["text"].equals(documents(10)["text"])
    assert pq.read_metadata(tmp_path / "a.parquet").num_row_groups == 1


@pytest.mark.parametrize("damage", [b"", b"PAR1 no", b"PAR1" + b"x" * 100 + b"PAR1"])
def test_damaged_parquet_is_named(tmp_path, damage):
    (tmp_path / "a.parquet").write_bytes(damage)
    for read in (read_parquet, count_rows, lambda path: list(read_batches(path))):
        with pytest.raises(ArtifactError, match=r"a\.parquet: cannot be read"):
            read(tmp_path / "a.parquet")
        with pytest.raises(ArtifactError, match=r"none\.parquet: cannot be read"):
            read(tmp_path / "none.parquet")


def test_arrays_come_back_with_their_note_and_the_same_bytes(tmp_path):
    arrays = {"ids": np.arange(5, dtype=np.int32), "weights": np.ones((2, 3), np.float32)}
    write_arrays(tmp_path / "a.safetensors", arrays, "origin")
    write_arrays(tmp_path / "b.safetensors", arrays, "origin")
    back, note = read_arrays(tmp_path / "a.safetensors")
    assert note == "origin"
    assert all(np.array_equal(back[name], array) for name, array in arrays.items())
    assert sha256(tmp_path / "a.safetensors") == sha256(tmp_path / "b.safetensors")


def test_mapped_arrays_are_the_same_and_read_only(tmp_path):
    arrays = {"ids": np.arange(5, dtype=np.int32), "offsets": np.arange(3), "none": np.empty(0, np.int32)}
    write_arrays(tmp_path / "a.safetensors", arrays, "origin")
    mapped, note = map_arrays(tmp_path / "a.safetensors")
    assert note == "origin"
    assert mapped.keys() == arrays.keys()
    for name, array in arrays.items():
        assert mapped[name].dtype == array.dtype
        assert mapped[name].tolist() == array.tolist()
        assert not mapped[name].flags.writeable


@pytest.mark.parametrize("damage", [b"", b"\xff" * 8, b"\x10\0\0\0\0\0\0\0{}"])
def test_damaged_files_are_named(tmp_path, damage):
    path = tmp_path / "x.safetensors"
    path.write_bytes(damage)
    for read in (read_arrays, map_arrays):
        with pytest.raises(ArtifactError, match=r"x\.safetensors"):
            read(path)
    with pytest.raises(ArtifactError, match=r"x\.safetensors"):
        read_json(path)
    with pytest.raises(ArtifactError, match=r"none\.json.*dvc repro"):
        read_json(tmp_path / "none.json")


def test_digest_ignores_the_order_of_keys():
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1}) != digest({"a": 1, "b": [3]})


def test_half_of_a_utf_16_pair_is_no_json(tmp_path):
    (tmp_path / "a.json").write_text('{"a": "\\ud800"}')
    with pytest.raises(ArtifactError, match=r"a\.json: not valid json"):
        read_json(tmp_path / "a.json")
    (tmp_path / "a.json").write_text('{"a": "\\ud83d\\ude00"}')
    assert read_json(tmp_path / "a.json") == {"a": "\U0001f600"}
