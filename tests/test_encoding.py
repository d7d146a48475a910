"""Encoded splits on disk: written in parts, and memory-mapped."""

import numpy as np
import polars as pl
import pytest
from conftest import small_disk, toy
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file

from textmill.errors import ArtifactError, ResourceError
from textmill.text.encoding import HEADER, Encoded, corpus, documents, encode, load, of_rows, save
from textmill.text.ragged import Ragged
from textmill.tokenizers.word import UNK, WordTokenizer

MADE_BY = "0" * 64


def batches(data: Encoded, cuts: list[int]) -> list[Encoded]:
    """Returns documents, split before these positions."""
    ends, start, found = [*sorted(cuts), len(data.docs)], 0, []
    for end in ends:
        offsets = data.docs.offsets[start : end + 1]
        ids = data.docs.ids[offsets[0] : offsets[-1]]
        found.append(Encoded(Ragged(ids, offsets - offsets[0]), data.labels[start:end]))
        start = end
    return found


@given(st.lists(st.integers(0, 50), max_size=4))
def test_what_is_written_in_batches_is_read_whole(tmp_path_factory, cuts):
    data, path = toy(50, 30, 3), tmp_path_factory.getbasetemp() / "a.safetensors"
    data.docs.ids[::7] = UNK
    lengths, unknown = save(path, batches(data, cuts), 50, MADE_BY)
    assert lengths.tolist() == data.docs.lengths.tolist()
    assert unknown == (data.docs.ids == UNK).sum()
    back = load(path, MADE_BY)
    for mapped, array in ((back.docs.ids, data.docs.ids), (back.docs.offsets, data.docs.offsets),
                          (back.labels, data.labels)):  # fmt: skip
        assert mapped.tolist() == array.tolist()
        assert mapped.dtype == array.dtype
    save(path.with_name("b.safetensors"), [data], 50, MADE_BY)
    assert path.read_bytes() == path.with_name("b.safetensors").read_bytes()


def test_the_library_of_the_format_reads_it(tmp_path):
    data, path = toy(50, 30, 3), tmp_path / "a.safetensors"
    save(path, [data], 50, MADE_BY)
    arrays = load_file(path)
    assert arrays["ids"].tolist() == data.docs.ids.tolist()
    assert arrays["offsets"].tolist() == data.docs.offsets.tolist()
    assert arrays["labels"].tolist() == data.labels.tolist()
    assert path.stat().st_size == HEADER + sum(array.nbytes for array in arrays.values())


@pytest.mark.parametrize("swap", ["split", "encoded"])
def test_a_split_and_its_encoding_are_of_the_same_rows(tmp_path, swap):
    """Two files of as many rows: their scores would be those of other texts."""
    data = toy(50, 30, 3)
    for name in ("a", "b"):
        frame = pl.DataFrame({"id": [f"{name}{row}" for row in range(50)], "text": ["x"] * 50})
        frame.write_parquet(tmp_path / f"{name}.parquet")
        save(tmp_path / f"{name}.safetensors", [data], 50, MADE_BY, of_rows([frame["id"]]))
    assert documents(tmp_path / "a.safetensors", tmp_path / "a.parquet", MADE_BY).ids[0] == "a0"
    encoded, split = ("b", "a") if swap == "encoded" else ("a", "b")
    with pytest.raises(ArtifactError, match=r"\.safetensors: of other rows than .*run `dvc repro`"):
        documents(tmp_path / f"{encoded}.safetensors", tmp_path / f"{split}.parquet", MADE_BY)


NONE = Encoded(Ragged(np.empty(0, np.int32), np.zeros(1, np.int64)), np.empty(0, np.int64))


@pytest.mark.parametrize("batches", [[NONE], []])
def test_a_split_without_documents(tmp_path, batches):
    save(tmp_path / "a.safetensors", batches, 0, MADE_BY)
    assert len(load(tmp_path / "a.safetensors", MADE_BY).docs) == 0


@given(st.sets(st.integers(0, 19)))
def test_a_corpus_is_train_less_some_rows_and_what_has_no_labels(left_out):
    train, unlabelled = toy(20, 30, 3).docs, toy(7, 30, 3, seed=1).docs
    found = corpus(train, unlabelled, sorted(left_out))
    expected = [train[row] for row in range(20) if row not in left_out] + [unlabelled[row] for row in range(7)]
    assert [doc.tolist() for doc in map(found.__getitem__, range(len(found)))] == [doc.tolist() for doc in expected]
    assert len(corpus(train, NONE.docs, [])) == 20


def test_arrays_are_mapped_not_read(tmp_path):
    data, path = toy(50, 30, 3), tmp_path / "a.safetensors"
    save(path, [data], 50, MADE_BY)
    back = load(path, MADE_BY)
    for array in (back.docs.ids, back.docs.offsets, back.labels):
        assert not array.flags.writeable
        while isinstance(array.base, np.ndarray) and not isinstance(array, np.memmap):
            array = array.base
        assert isinstance(array, np.memmap)
        assert array.ctypes.data % 8 == 0


@pytest.mark.parametrize("lost", [1, 100, -1])
def test_a_file_of_another_length_is_damaged(tmp_path, lost):
    path = tmp_path / "a.safetensors"
    save(path, [toy(50, 30, 3)], 50, MADE_BY)
    data = path.read_bytes()
    path.write_bytes(data[:-lost] if lost > 0 else data + b"x")
    with pytest.raises(ArtifactError, match=r"a\.safetensors: cannot be read"):
        load(path, MADE_BY)


def test_another_tokenizer_is_refused(tmp_path):
    save(tmp_path / "a.safetensors", [toy(50, 30, 3)], 50, MADE_BY)
    with pytest.raises(ArtifactError, match="encoded by a different tokenizer"):
        load(tmp_path / "a.safetensors", "1" * 64)


def test_a_full_disk_leaves_nothing(tmp_path):
    with small_disk(2000), pytest.raises(ResourceError, match=r"a\.safetensors: cannot be written"):
        save(tmp_path / "a.safetensors", [toy(500, 30, 3)], 500, MADE_BY)
    assert not list(tmp_path.iterdir())


def test_class_numbers_follow_the_order_of_the_labels():
    tokenizer = WordTokenizer(True, "keep", r"\w+", ("a", "b"))
    part = pl.DataFrame({"text": ["A b", "", "c"], "label": ["y", "x", None]})
    encoded = encode(part, tokenizer, ["y", "x"])
    assert encoded.labels.tolist() == [0, 1, -1]
    assert encoded.docs.ids.tolist() == [2, 3, UNK, UNK]
    assert encoded.docs.offsets.tolist() == [0, 2, 3, 4]
