"""A part as a table: which columns, under which names, and parquet as strings."""

import datetime
import gzip
import io
import tarfile
from contextlib import suppress
from functools import partial
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textmill.errors import ArtifactError, DataError, ParamsError
from textmill.rows import reading as tables
from textmill.rows.reading import COLUMNS
from textmill.sources.files import LocalFile
from textmill.sources.parts import Part, parts_of


def config(**keys) -> LocalFile:
    return LocalFile.model_validate(
        {"source": "path", "name": "demo", "path": "a.csv", "sha256": None, "members": None, "text": "text",
         "label": "label", "group": None, "split": None, "id": None, "labels": None, "encodings": ["utf-8"],
         "separator": ","} | keys
    )  # fmt: skip


def read(*where) -> pl.DataFrame:
    """A part's chunks as one table."""
    return pl.concat(tables.read_part(*where))


def parquet(path: Path, **columns) -> Part:
    pl.DataFrame(columns, strict=False).write_parquet(path)
    return Part(path.name, "", "parquet")


def test_columns_come_under_our_names(tmp_path):
    (tmp_path / "a.csv").write_text("who,what,kind,when,number\nAnn,good,pos,train,7\n")
    names = {"text": "what", "label": "kind", "group": "who", "split": "when", "id": "number"}
    frame = read(tmp_path, Part("a.csv", "", "csv"), config(**names), 100)
    assert frame.columns == [*COLUMNS, "file", "how", "row", "bad"]
    assert frame.rows() == [("good", "pos", "Ann", "train", "7", f"{tmp_path}/a.csv", "utf-8", 2, None)]


def test_what_the_file_lacks_is_null_and_a_part_may_tell_split_and_label(tmp_path):
    (tmp_path / "a.txt").write_text("good\nbad\n")
    frame = read(tmp_path, Part("a.txt", "", "txt", split="test", label="pos"), config(label=None, split="when"), 100)
    assert frame.select(COLUMNS).rows() == [(text, "pos", None, "test", None) for text in ("good", "bad")]
    assert all(frame[name].dtype == pl.String for name in COLUMNS)


def test_labels_of_parquet_may_come_in_lists(tmp_path):
    part = parquet(tmp_path / "a.parquet", text=["x", "y", "z"], label=[["pos"], [], ["a", "b"]])
    assert read(tmp_path, part, config(), 100)["label"].to_list() == ["pos", None, '["a", "b"]']


def test_unlabelled_parts_need_no_label(tmp_path):
    (tmp_path / "a.txt").write_text("good\n")
    assert read(tmp_path, Part("a.txt", "", "txt", split="unlabelled"), config(), 100)["label"].to_list() == [None]
    with pytest.raises(ParamsError, match=r"dataset\.label: null"):
        read(tmp_path, Part("a.txt", "", "txt"), config(label=None), 100)


def test_one_column_may_be_read_twice(tmp_path):
    (tmp_path / "a.csv").write_text("text,label\ngood,pos\n")
    frame = read(tmp_path, Part("a.csv", "", "csv"), config(group="label"), 100)
    assert frame.row(0)[:3] == ("good", "pos", "pos")
    part = parquet(tmp_path / "a.parquet", text=["good"], label=["pos"])
    assert read(tmp_path, part, config(group="label"), 100).row(0)[:3] == ("good", "pos", "pos")


def test_members_of_an_archive_are_read_where_they_are(tmp_path):
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        for name in ("pos.txt", "neg.txt"):
            info = tarfile.TarInfo(name)
            info.size = 5
            archive.addfile(info, io.BytesIO(b"caf\xe9\n"))
    parts = parts_of(tmp_path / "a.tar.gz", "", {"pos.txt": "pos", "neg.txt": "neg"})
    frames = [read(tmp_path, part, config(label=None, encodings=["utf-8", "latin-1"]), 100) for part in parts]
    assert pl.concat(frames).select("text", "label", "file").rows() == [
        ("café", "pos", f"{tmp_path}/a.tar.gz!pos.txt"),
        ("café", "neg", f"{tmp_path}/a.tar.gz!neg.txt"),
    ]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.tar.gz"]


def test_many_rows_come_in_order(tmp_path):
    (tmp_path / "a.csv").write_text("text,label\n" + "".join(f"text {i},{i % 7}\n" for i in range(120_000)))
    frame = read(tmp_path, Part("a.csv", "", "csv"), config(), 100)
    assert frame["text"].to_list() == [f"text {i}" for i in range(120_000)]
    assert frame["row"].to_list() == list(range(2, 120_002))


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_chunks_are_bounded_by_their_texts(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(tables, "SIZE", 1000)
    rows = pl.DataFrame({"text": [str(i) * 100 for i in range(100, 200)], "label": ["a"] * 100})
    path = tmp_path / f"a.{kind}"
    {"csv": rows.write_csv, "jsonl": rows.write_ndjson, "parquet": partial(rows.write_parquet, use_pyarrow=True)}[kind](
        path
    )
    chunks = list(tables.read_part(tmp_path, Part(path.name, "", kind), config(), 1000))
    assert pl.concat(chunks)["text"].equals(rows["text"])
    assert len(chunks) >= 100 * 300 // (1000 + 300)
    assert max(chunk["text"].str.len_bytes().sum() for chunk in chunks) < 1000 + 300
    assert pl.concat(chunks)["row"].is_sorted()
    assert pl.concat(chunks)["row"].n_unique() == 100


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.json", "a.jsonl", "a.txt"])
def test_an_empty_file_has_no_rows(tmp_path, name):
    (tmp_path / name).write_text("[]" if name == "a.json" else "")
    with pytest.raises(DataError, match=f"{name}: no rows"):
        read(tmp_path, Part(name, "", name[2:], label="pos" if name == "a.txt" else None), config(), 100)


def test_an_empty_parquet_has_no_rows(tmp_path):
    part = parquet(tmp_path / "a.parquet", text=[], label=[])
    with pytest.raises(DataError, match=r"a\.parquet: no rows"):
        read(tmp_path, part, config(), 100)


@pytest.mark.parametrize(
    ("values", "strings"),
    [
        (["007", "NA", "null", "", None], ["007", "NA", "null", "", None]),
        ([True, False, None], ["true", "false", None]),
        ([0, -1, 2**40], ["0", "-1", "1099511627776"]),
        ([1.0, 2.5, float("nan"), None], ["1", "2.5", None, None]),
        ([datetime.date(2020, 1, 31)], ["2020-01-31"]),
        ([None, None], [None, None]),
        (pl.Series(["a", "b", None], dtype=pl.Categorical), ["a", "b", None]),
        (pl.Series(["a", None], dtype=pl.Enum(["a", "b"])), ["a", None]),
    ],
)
def test_values_of_parquet_as_strings(tmp_path, values, strings):
    part = parquet(tmp_path / "a.parquet", text=["t"] * len(values), label=values)
    frame = read(tmp_path, part, config(), 100)
    assert frame["label"].to_list() == strings
    assert frame["row"].to_list() == list(range(1, len(values) + 1))


@pytest.mark.parametrize("values", [[["a"]], [{"a": 1}], [b"a"]])
def test_columns_that_are_no_text_are_refused(tmp_path, values):
    part = parquet(tmp_path / "a.parquet", text=values, label=["x"])
    with pytest.raises(DataError, match="column 'text': expected texts, found"):
        read(tmp_path, part, config(), 100)


def test_a_missing_column_of_parquet_lists_those_there(tmp_path):
    part = parquet(tmp_path / "a.parquet", comment=["a"], label=["x"])
    with pytest.raises(DataError, match=r"a\.parquet: no column 'text'; found: comment, label; set dataset\.text"):
        read(tmp_path, part, config(), 100)


def test_parquet_may_be_packed(tmp_path):
    parquet(tmp_path / "a.parquet", text=["good"], label=["pos"])
    (tmp_path / "a.parquet.gz").write_bytes(gzip.compress((tmp_path / "a.parquet").read_bytes()))
    (part,) = parts_of(tmp_path / "a.parquet.gz", "")
    assert read(tmp_path, part, config(), 100)["text"].to_list() == ["good"]


def test_parquet_whose_strings_are_not_utf8_is_refused(tmp_path):
    bad = pa.array([b"caf\xe9", b"x"]).view(pa.string())
    pq.write_table(pa.table({"text": bad, "label": ["a", "b"]}), tmp_path / "a.parquet")
    with pytest.raises(ArtifactError, match="UTF8"):
        read(tmp_path, Part("a.parquet", "", "parquet"), config(), 100)


@given(st.data())
def test_damaged_parquet_never_ends_in_a_traceback(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "damaged.parquet"
    part = parquet(path, text=[f"café {i}" for i in range(50)], label=[float(i % 2) for i in range(50)])
    raw = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        del raw[data.draw(st.integers(0, len(raw) - 1)) :]
    else:
        for position in data.draw(st.lists(st.integers(0, len(raw) - 1), min_size=1, max_size=4)):
            raw[position] ^= data.draw(st.integers(1, 255))
    path.write_bytes(raw)
    with suppress(ArtifactError, DataError):
        read(path.parent, part, config(), 100)["text"].str.len_chars().sum()
