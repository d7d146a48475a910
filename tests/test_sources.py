"""Every way in: the config of each source, what it fetches, and what it refuses."""

import gzip
import hashlib
import io
import os
import zipfile
from pathlib import Path

import polars as pl
import pytest
from ruamel.yaml import YAML

from textmill.errors import ArtifactError, DataError, ParamsError, ResourceError, TextmillError
from textmill.fetch import Places
from textmill.files import whole_folder
from textmill.sources import SOURCES, fetch_dataset, load_dataset
from textmill.sources.dataset import Member
from textmill.sources.naming import split_of_file
from textmill.sources.parts import parts_of, read_manifest, write_manifest


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, data in files.items():
            file.writestr(name, data)
    return out.getvalue()


CSV = b"text,label\ngood,pos\nbad,neg\n"
SHA = hashlib.sha256(CSV).hexdigest()
OTHER = "0" * 64

COMMON = {"name": "demo", "text": "text", "label": "label", "group": None, "split": None, "id": None, "labels": None}
FILE = COMMON | {"encodings": ["utf-8"], "separator": ","}
VALID = {
    "wheel": FILE | {"source": "wheel", "package": "demo==1.0", "member": "demo/reviews.csv", "sha256": [SHA]},
    "url": FILE | {"source": "url", "url": "https://example.org/reviews.csv", "sha256": [SHA], "members": None},
    "path": FILE | {"source": "path", "path": "data/input/reviews.csv", "sha256": None, "members": None},
    "hub": COMMON | {"source": "hub", "repo": "demo/reviews", "config": None, "revision": "a" * 40,
                     "splits": {"train": "train"}},
}  # fmt: skip


@pytest.fixture
def places(tmp_path: Path) -> Places:
    for name in ("raw", "downloads", "input"):
        (tmp_path / name).mkdir()
    return Places(tmp_path / "downloads", None)


@pytest.fixture
def inputs(tmp_path: Path, places: Places) -> Path:
    return tmp_path / "input"


def mirrored(places: Places, folder: Path) -> Places:
    return Places(places.downloads, folder)


def dataset(tmp_path: Path, source: str, /, **keys):
    params = tmp_path / "params.yaml"
    YAML().dump({"dataset": VALID[source] | keys}, params)
    return load_dataset(params)


def fetch(config, places: Places):
    folder = places.downloads.parent
    return fetch_dataset(config, folder / "raw", folder / "input", places)


# --- config -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", SOURCES)
def test_what_cannot_be_guessed_of_a_source_must_stand_in_the_file(tmp_path, source):
    whole = dataset(tmp_path, source)
    left_out = {"group", "split", "id", "labels", "encodings", "separator", "members", "config"}
    left_out |= {"sha256"} if source == "path" else set()
    for key in VALID[source].keys() - {"source"}:
        YAML().dump({"dataset": {k: v for k, v in VALID[source].items() if k != key}}, tmp_path / "params.yaml")
        if key in left_out:
            assert load_dataset(tmp_path / "params.yaml") == whole  # VALID says what left out means
            continue
        with pytest.raises(ParamsError, match=rf"dataset\.{key}: missing"):
            load_dataset(tmp_path / "params.yaml")


@pytest.mark.parametrize(
    ("source", "keys", "message"),
    [
        ("url", {"url": "file:///etc/passwd.csv"}, "set source: path for a local file"),
        ("url", {"url": "ftp://example.org/a.csv"}, "https://"),
        ("url", {"url": "https:///a.csv"}, "https://"),
        ("url", {"url": "https://example.org/"}, "ends in the name of a file"),
        ("url", {"url": "https://example.org/a.exe"}, "format"),
        ("url", {"sha256": []}, "sha256"),
        ("url", {"sha256": ["A" * 64]}, "sha256"),
        ("url", {"sha256": None}, "sha256"),
        ("url", {"members": {}}, "members"),
        ("path", {"path": "reviews.xlsx"}, "save it as csv"),
        ("path", {"path": "reviews.xyz"}, "set dataset.format"),
        ("path", {"encodings": ["utf-9"]}, "unknown encoding 'utf-9'"),
        ("path", {"encodings": ["zip"]}, "unknown encoding 'zip'"),
        ("path", {"encodings": []}, "encodings"),
        ("path", {"separator": ""}, "separator"),
        ("path", {"separator": "::"}, "separator"),
        ("path", {"separator": '"'}, "separator"),
        ("path", {"labels": ["pos"]}, "labels"),
        ("path", {"labels": ["pos", "neg", "pos"]}, "twice"),
        ("path", {"labels": ["pos", " neg"]}, "labels"),
        ("path", {"labels": [0, 1]}, "labels"),
        ("path", {"name": "../up"}, "name"),
        ("path", {"text": ""}, "text"),
        ("path", {"text": ["title", "title"]}, "twice"),
        ("path", {"text": []}, "text"),
        ("path", {"text": None}, "text: expected a column or a list of them, found None"),
        ("path", {"path": ["a.csv"]}, "path: expected a file, or a map from splits to files"),
        ("path", {"header": False}, "header: expected a list of the columns' names, or null, found False"),
        ("path", {"labels": "neg"}, "labels: expected a list of labels, a map"),
        ("path", {"labels": {"Neg": " neg"}}, "a label without spaces"),
        ("path", {"format": "xlsx"}, "format"),
        ("path", {"header": []}, "header"),
        ("path", {"header": ["text", "text"]}, "twice"),
        ("path", {"quotes": "single"}, "quotes"),
        ("path", {"path": {"train": "a.csv", "eval": "b.csv"}}, "path"),
        ("path", {"path": {"train": "a.csv", "test": "b.doc"}}, "path.test: 'b.doc' has no known ending"),
        ("path", {"path": {"test": "b.csv"}}, "no train"),
        ("path", {"path": {"train": "a.csv"}, "split": "fold"}, "set split to null"),
        ("path", {"path": {"train": "a.zip"}, "members": {"a.csv": None}}, "set members to null"),
        ("path", {"members": {"a.csv": {"label": "pos"}}}, "members.a.csv.split: missing"),
        ("path", {"members": {"a.csv": {"split": "eval"}}}, "members.a.csv.split"),
        ("wheel", {"package": "demo"}, "package"),
        ("wheel", {"package": "--index-url==1"}, "package"),
        ("wheel", {"package": "demo==1.0 --pre"}, "package"),
        ("wheel", {"package": "demo @ https://example.org/demo.whl"}, "package"),
        ("wheel", {"sha256": None}, "sha256"),
        ("hub", {"revision": "main"}, "revision"),
        ("hub", {"repo": "../demo/reviews"}, "repo"),
        ("hub", {"splits": {}}, "splits"),
        ("hub", {"splits": {"train": "training"}}, "splits"),
        ("hub", {"splits": {"../train": "train"}}, "splits"),
        ("hub", {"separator": ","}, "separator: unknown key"),
        ("path", {"seperator": ";"}, "did you mean 'separator'"),
    ],
)
def test_wrong_config_is_refused_by_the_name_of_its_key(tmp_path, source, keys, message):
    with pytest.raises(ParamsError, match=r"params.yaml: dataset") as caught:
        dataset(tmp_path, source, **keys)
    assert message in str(caught.value)


def test_numbers_and_truths_are_labels_in_a_map(tmp_path):
    labels = {0: "neg", 1.0: "pos", "007": None}
    assert dataset(tmp_path, "path", labels=labels).labels == {"0": "neg", "1.0": "pos", "007": None}
    assert dataset(tmp_path, "path", labels={False: "no", True: "yes"}).labels == {"false": "no", "true": "yes"}


def test_unknown_source_lists_the_known(tmp_path):
    with pytest.raises(ParamsError, match=r"dataset\.source: expected 'wheel', 'url', 'path' or 'hub', found 'ftp'"):
        dataset(tmp_path, "url", source="ftp")


# --- wheel, url -------------------------------------------------------------------------------------------------------


def test_a_file_that_is_kept_is_copied(tmp_path, places):
    """What brings it there: test_fetch.py."""
    (places.downloads / SHA).write_bytes(CSV)
    for source in ("wheel", "url"):
        (part,) = fetch(dataset(tmp_path, source), places)
        assert (part.file, part.sha256, part.format, part.member) == ("reviews.csv", SHA, "csv", None)
        assert (tmp_path / "raw/reviews.csv").read_bytes() == CSV
        (tmp_path / "raw/reviews.csv").unlink()


# --- path -------------------------------------------------------------------------------------------------------------


def test_a_file_in_the_input_folder_needs_no_checksum(tmp_path, places, inputs):
    (inputs / "mine.csv").write_bytes(CSV)
    (part,) = fetch(dataset(tmp_path, "path", path=str(inputs / "mine.csv")), places)
    assert (part.file, part.sha256) == ("mine.csv", SHA)
    assert (tmp_path / "raw/mine.csv").read_bytes() == CSV


def test_a_file_elsewhere_needs_one(tmp_path, places, inputs):
    file = tmp_path / "mine.csv"
    file.write_bytes(CSV)
    (inputs / "link.csv").symlink_to(file)
    for path in (file, inputs / "link.csv", inputs / ".." / "mine.csv"):
        with pytest.raises(ParamsError, match=r"dataset\.sha256"):
            fetch(dataset(tmp_path, "path", path=str(path)), places)
    assert fetch(dataset(tmp_path, "path", path=str(file), sha256=[SHA]), places)


def test_a_wrong_checksum_of_a_local_file(tmp_path, places, inputs):
    (inputs / "mine.csv").write_bytes(CSV)
    with pytest.raises(ArtifactError, match=f"{OTHER}.*{SHA}"):
        fetch(dataset(tmp_path, "path", path=str(inputs / "mine.csv"), sha256=[OTHER]), places)


# --- hub --------------------------------------------------------------------------------------------------------------

CARD = """---
configs:
- config_name: plain
  data_files:
  - {split: train, path: train.parquet}
  - {split: extra, path: extra.parquet}
dataset_info:
  config_name: plain
  features:
  - {name: text, dtype: string}
  - name: label
    dtype:
      class_label:
        names: {'0': neg, '1': pos}
  splits:
  - {name: train, num_bytes: 0, num_examples: 3}
  - {name: extra, num_bytes: 0, num_examples: 2}
---
"""


@pytest.fixture
def hub(tmp_path):
    folder = tmp_path / "mirror" / "demo" / "reviews"
    folder.mkdir(parents=True)
    (folder / "README.md").write_text(CARD)
    pl.DataFrame({"text": ["good", "bad", "ok"], "label": [1, 0, 1]}).write_parquet(folder / "train.parquet")
    pl.DataFrame({"text": ["x", "y"], "label": [-1, -1]}).write_parquet(folder / "extra.parquet")
    return folder


SPLITS = {"train": None, "extra": "unlabelled"}


def test_a_hub_dataset_from_a_mirror_with_the_labels_names(tmp_path, places, hub, capsys, monkeypatch):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    parts = fetch(dataset(tmp_path, "hub", splits=SPLITS), mirrored(places, tmp_path / "mirror"))
    assert [(part.file, part.split) for part in parts] == [("train.parquet", None), ("extra.parquet", "unlabelled")]
    assert pl.read_parquet(tmp_path / "raw/train.parquet").rows() == [("good", "pos"), ("bad", "neg"), ("ok", "pos")]
    assert pl.read_parquet(tmp_path / "raw/extra.parquet").rows() == [("x", None), ("y", None)]
    assert str(hub) in capsys.readouterr().out
    assert not (tmp_path / "cache").exists()


def test_the_road_to_the_hub_itself(tmp_path, places, hub, monkeypatch):
    """load_dataset takes a folder in the working directory for a repository: all of that road but the network."""
    monkeypatch.chdir(tmp_path / "mirror")
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    fetch(dataset(tmp_path, "hub", config="plain", splits=SPLITS), places)
    assert pl.read_parquet(tmp_path / "raw/train.parquet")["label"].to_list() == ["pos", "neg", "pos"]


def test_a_mirror_with_rows_missing_is_refused(tmp_path, places, hub):
    pl.DataFrame({"text": ["good"], "label": [1]}).write_parquet(hub / "train.parquet")
    with pytest.raises(ArtifactError, match="expected 3 rows, got 1"):
        fetch(dataset(tmp_path, "hub", splits=SPLITS), mirrored(places, tmp_path / "mirror"))


@pytest.mark.parametrize("keep_bytes", [0, 100, 600])
def test_a_damaged_mirror_is_refused(tmp_path, places, hub, keep_bytes):
    data = (hub / "train.parquet").read_bytes()
    assert len(data) > keep_bytes
    (hub / "train.parquet").write_bytes(data[:keep_bytes])
    with pytest.raises((ArtifactError, DataError), match="demo/reviews, train"):
        fetch(dataset(tmp_path, "hub", splits=SPLITS), mirrored(places, tmp_path / "mirror"))


@pytest.mark.parametrize("keys", [{"config": "rich"}, {"splits": {"test": "test"}}])
def test_a_config_or_split_that_is_not_there(tmp_path, places, hub, keys):
    with pytest.raises(ParamsError, match=r"plain|train"):
        fetch(dataset(tmp_path, "hub", **keys), mirrored(places, tmp_path / "mirror"))


# --- the mirror, archives, the store ----------------------------------------------------------------------------------


def test_the_mirror_stands_in_for_a_url_and_a_path_under_the_same_checksums(tmp_path, places, capsys):
    folder = tmp_path / "mirror" / "demo"
    folder.mkdir(parents=True)
    (folder / "reviews.csv").write_bytes(CSV)
    inside = mirrored(places, tmp_path / "mirror")
    for config in (dataset(tmp_path, "path", sha256=[SHA]), dataset(tmp_path, "url")):
        (part,) = fetch(config, inside)
        assert part.sha256 == SHA
        assert str(folder / "reviews.csv") in capsys.readouterr().out
    with pytest.raises(ParamsError, match=r"dataset\.sha256"):
        fetch(dataset(tmp_path, "path"), inside)
    for source in ("path", "url"):
        with pytest.raises(ArtifactError, match=f"{OTHER}.*{SHA}"):
            fetch(dataset(tmp_path, source, sha256=[OTHER]), inside)


def test_the_users_own_file_goes_before_the_mirror(tmp_path, places, inputs):
    (inputs / "mine.csv").write_bytes(CSV)
    assert fetch(dataset(tmp_path, "path", path=str(inputs / "mine.csv")), mirrored(places, tmp_path / "none"))


@pytest.mark.parametrize("source", ["url", "path", "hub"])
def test_what_the_mirror_lacks_is_not_sought_elsewhere(tmp_path, places, source):
    with pytest.raises(ArtifactError, match=rf"{tmp_path}/none/demo/reviews.*TEXTMILL_HUB_MIRROR"):
        fetch(dataset(tmp_path, source), mirrored(places, tmp_path / "none"))


def archive(path: Path, files: dict[str, bytes]) -> Path:
    path.write_bytes(zipped(files))
    return path


def test_the_only_table_of_an_archive_is_taken(tmp_path):
    path = archive(tmp_path / "a.zip", {"about.md": b"", "in/reviews.csv": CSV})
    assert [(part.member, part.format) for part in parts_of(path, SHA)] == [("in/reviews.csv", "csv")]


def test_several_must_be_chosen_and_may_be_labelled(tmp_path):
    path = archive(tmp_path / "a.zip", {"pos.txt": b"a", "rt.neg": b"b"})
    with pytest.raises(ParamsError, match=r"dataset\.members: .*pos\.txt, rt\.neg"):
        parts_of(archive(tmp_path / "b.zip", {"pos.txt": b"", "rt.neg": b"", "neg.txt": b""}), SHA)
    parts = parts_of(path, SHA, {"pos.txt": "pos", "rt.neg": "neg"})
    assert [(part.member, part.format, part.label) for part in parts] == [
        ("pos.txt", "txt", "pos"),
        ("rt.neg", "txt", "neg"),
    ]
    with pytest.raises(ArtifactError, match=r"a\.zip!neg\.txt.*found none; files: pos\.txt"):
        parts_of(path, SHA, {"neg.txt": "neg"})


def splits(parts) -> dict[str, str | None]:
    return {part.member: part.split for part in parts}


def test_files_of_an_archive_whose_names_tell_splits_are_kept_apart(tmp_path, capsys):
    names = ("d/train.csv", "d/SMSDev.tsv", "d/held-out.csv", "d/unsup/a.jsonl")
    files = dict.fromkeys(["README.md", "__MACOSX/d/._train.csv", *names], CSV)
    path = archive(tmp_path / "a.zip", files)
    expected = dict(zip(names, ("train", "validation", "test", "unlabelled"), strict=True))
    assert splits(parts_of(path, SHA)) == expected
    assert "a.zip: d/train.csv is train, d/SMSDev.tsv is validation" in capsys.readouterr().out
    assert splits(parts_of(path, SHA, dict.fromkeys(names))) == expected
    with pytest.raises(ParamsError, match="name the files to read"):
        parts_of(path, SHA, by_name=False)  # a column tells
    own = {"d/train.csv": Member(split=None, label="pos"), "README.md": Member(split="test")}
    assert [(part.split, part.label, part.format) for part in parts_of(path, SHA, own)] == [
        (None, "pos", "csv"),
        ("test", None, "txt"),
    ]
    with pytest.raises(ParamsError, match=r"dataset\.members: null, but b\.zip contains test\.csv, dev\.csv; name"):
        parts_of(archive(tmp_path / "b.zip", {"test.csv": CSV, "dev.csv": CSV}), SHA)


@pytest.mark.parametrize(
    ("name", "split"),
    [("train.csv", "train"), ("sst/dev.tsv", "validation"), ("twitter-2013test-A.txt", "test"),
     ("eval_1.csv", "validation"),
     ("test/part.csv", "test"), ("reviews.train.jsonl.gz", "train"), ("train_and_test.csv", None),
     ("trainer.csv", None), ("test/contest/a.csv", None), ("heldOut.csv", "test")],
)  # fmt: skip
def test_splits_that_names_of_files_tell(name, split):
    assert split_of_file(name) == split


def test_a_format_makes_up_for_a_name(tmp_path):
    path = tmp_path / "SMSSpamCollection"
    path.write_bytes(CSV)
    assert [part.format for part in parts_of(path, SHA, kind="tsv")] == ["tsv"]
    path = archive(tmp_path / "a.zip", {"readme": CSV, "cooking.train": CSV})
    (part,) = parts_of(path, SHA, {"cooking.train": None}, kind="fasttext")
    assert (part.format, part.split) == ("fasttext", "train")


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (zipped({"xl/workbook.xml": b"", "[Content_Types].xml": b""}), "a spreadsheet; save it as csv"),
        (zipped({"mimetype": b"", "content.xml": b""}), "a spreadsheet; save it as csv"),
        (zipped({"a.csv": CSV}), r"a zip file; give it the ending \.zip"),
        (b"PK\3\4", "the beginning of a zip or Excel file"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"rest", "an Excel file of the old kind; save it as csv"),
        (b"PAR1....", r"a parquet file; give it the ending \.parquet"),
        (gzip.compress(CSV, mtime=0), r"packed by gzip; give it the ending \.gz"),
    ],
)
def test_a_file_that_is_no_table_is_told_what_it_is(tmp_path, data, what):
    (tmp_path / "a.csv").write_bytes(data)
    with pytest.raises(DataError, match=rf"a\.csv: this is {what}"):
        parts_of(tmp_path / "a.csv", SHA)
    with pytest.raises(DataError, match=rf"b\.zip!in/a\.csv: this is {what}"):
        parts_of(archive(tmp_path / "b.zip", {"in/a.csv": data}), SHA)


def test_members_of_a_plain_file_make_no_sense(tmp_path):
    with pytest.raises(ParamsError, match=r"dataset\.members: reviews\.csv is not an archive"):
        parts_of(tmp_path / "reviews.csv", SHA, {"a.txt": None})


def test_the_manifest_finds_every_change(tmp_path):
    (tmp_path / "reviews.csv").write_bytes(CSV)
    parts = parts_of(tmp_path / "reviews.csv", SHA)
    write_manifest(tmp_path, parts)
    assert read_manifest(tmp_path) == parts
    for position in range(len(CSV)):
        (tmp_path / "reviews.csv").write_bytes(CSV[:position] + bytes([CSV[position] ^ 1]) + CSV[position + 1 :])
        with pytest.raises(ArtifactError, match="changed since the download"):
            read_manifest(tmp_path)
    (tmp_path / "manifest.json").write_text('{"parts": [{"file": "reviews.csv"}]}')
    with pytest.raises(ArtifactError, match="not a manifest"):
        read_manifest(tmp_path)


def test_a_folder_is_whole_or_as_before(tmp_path):
    folder = tmp_path / "raw"
    with whole_folder(folder) as new:
        (new / "first").touch()
    with pytest.raises(ZeroDivisionError), whole_folder(folder) as new:
        (new / "second").write_text(str(1 / 0))
    assert os.listdir(folder) == ["first"]
    with whole_folder(folder) as new:
        (new / "third").touch()
    assert os.listdir(folder) == ["third"]
    assert os.listdir(tmp_path) == ["raw"]


def test_a_full_disk_leaves_no_folder(tmp_path):
    with pytest.raises(ResourceError, match="No space left"), whole_folder(tmp_path / "raw") as new:
        (new / "a.csv").write_bytes(b"half")
        raise OSError(28, "No space left on device")
    assert os.listdir(tmp_path) == []


def test_every_error_of_this_part_is_one_line(tmp_path, places):
    with pytest.raises(TextmillError) as caught:
        fetch(dataset(tmp_path, "path"), places)
    assert "\n" not in str(caught.value)
