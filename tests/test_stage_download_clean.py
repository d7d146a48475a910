"""The first two stages as DVC starts them: files in, files out, one line and an exit code when they refuse."""

import gzip
import hashlib
import io
import json
import os
import random
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from conftest import small_disk
from ruamel.yaml import YAML

from stages import clean, download
from textmill import parquet
from textmill.errors import ArtifactError, DataError, ResourceError
from textmill.files import read_json
from textmill.rows import reading as tables
from textmill.rows import sorting as spool

ROOT = Path(__file__).parents[1]
ROWS = [("good film", "pos"), ("bad film", "neg"), ('a\nb, "c"', "pos"), ("Ñandú", "neg"), ("good film", "pos")]
DOWNLOAD = ("data/input", "data/downloads", "data/raw")
OUTS = ("data/clean/docs.parquet", "data/clean/labels.json", "metrics/clean.json", "data/clean/columns.parquet")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """An empty working directory with a function that writes its params."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TEXTMILL_HUB_MIRROR", raising=False)
    Path("data/input").mkdir(parents=True)

    def params(slices=(), **keys) -> None:
        dataset = {"name": "demo", "source": "path", "path": "data/input/reviews.csv", "sha256": None, "members": None,
                   "text": "text", "label": "label", "group": None, "split": None, "id": None, "labels": None,
                   "encodings": ["utf-8"], "separator": ","} | keys  # fmt: skip
        others = {"clean": {"on_bad_row": "drop", "max_chars": 1000}, "evaluate": {"slices": list(slices)}}
        YAML().dump({"dataset": dataset} | others, Path("params.yaml"))

    params()
    return params


def write_csv(rows, name="data/input/reviews.csv") -> None:
    pl.DataFrame(rows, ["text", "label"], orient="row").write_csv(name)


def run_both() -> dict[str, object]:
    """Returns what the stages write, except how the file was read."""
    download.main(*map(Path, DOWNLOAD))
    clean.main(Path("data/raw"), *map(Path, OUTS))
    facts = read_json(Path(OUTS[2])) | {"read_as": None}
    return {name: Path(name).read_bytes() for name in (*OUTS[:2], OUTS[3])} | {OUTS[2]: facts}


def start(stage: str, *words: str, **environment: str) -> subprocess.CompletedProcess:
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    return subprocess.run(
        [sys.executable, "-m", "textmill.stage", stage, *words], env=environment, capture_output=True, text=True
    )


def test_from_a_csv_to_documents(project):
    write_csv(ROWS)
    run_both()
    docs = pl.read_parquet(OUTS[0])
    assert sorted(docs.select("text", "label").rows()) == sorted(ROWS)
    assert read_json(Path(OUTS[1])) == ["neg", "pos"]
    assert read_json(Path(OUTS[2]))["kept"] == 5
    assert read_json(Path("data/raw/manifest.json"))["parts"][0]["file"] == "reviews.csv"
    assert Path("data/raw/reviews.csv").read_bytes() == Path("data/input/reviews.csv").read_bytes()


COLUMNS = ["text", "label", "country", "id"]
SLICED = [("good", "pos", "fr", "1"), ("bad", "neg", "", "2"), ("bad", "neg", "es", ""), ("bad", "neg", "de", "3")]


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_columns_to_slice_by_stand_beside_the_documents_and_change_none(project, ending):
    frame, path = pl.DataFrame(SLICED, COLUMNS, orient="row"), f"data/input/reviews.{ending}"
    write = {"csv": pl.DataFrame.write_csv, "parquet": pl.DataFrame.write_parquet, "jsonl": pl.DataFrame.write_ndjson}
    write[ending](frame, path)
    project(path=path)
    without = run_both()
    assert pl.read_parquet(OUTS[3]).shape == (0, 1)
    project(["country", "id", "label"], path=path)
    found = run_both()
    assert all(found[name] == without[name] for name in OUTS[:3])
    table = pl.read_parquet(OUTS[0]).join(pl.read_parquet(OUTS[3]), on="id")
    told = table.select("text", "label", "slice country", "slice id", "slice label").rows()
    assert sorted(told) == sorted((*row, row[1]) for row in SLICED)
    write[ending](frame.reverse(), path)
    assert run_both() == found


@pytest.mark.parametrize(
    ("name", "advice"),
    [("contry", "did you mean 'country' in evaluate.slices?"), ("%", "remove it from evaluate.slice")],
)
def test_an_unknown_column_to_slice_by_names_the_nearest(project, name, advice):
    pl.DataFrame(SLICED, COLUMNS, orient="row").write_csv("data/input/reviews.csv")
    project([name])
    with pytest.raises(DataError, match=re.escape(f"no column '{name}'; found: text, label, country, id; {advice}")):
        run_both()


def test_the_same_bytes_again_and_from_another_order_or_packing(project):
    write_csv(ROWS)
    first = run_both()
    assert run_both() == first
    shuffled = ROWS.copy()
    random.Random(1).shuffle(shuffled)
    assert shuffled != ROWS
    write_csv(shuffled)
    assert run_both() == first
    Path("data/input/reviews.csv.gz").write_bytes(gzip.compress(Path("data/input/reviews.csv").read_bytes()))
    project(path="data/input/reviews.csv.gz")
    assert run_both() == first
    pl.DataFrame(ROWS, ["text", "label"], orient="row").write_parquet("data/input/reviews.parquet")
    project(path="data/input/reviews.parquet")
    assert run_both() == first


def test_the_same_bytes_whatever_is_held_at_a_time(project, monkeypatch):
    words = random.Random(0)
    rows = [(" ".join(words.choices("abcdefgh", k=words.randrange(60))), ("pos", "neg")[n % 2]) for n in range(3000)]
    write_csv([*rows, *rows[:500], ("", "pos")])
    with monkeypatch.context() as patch:
        patch.setattr(parquet, "ROW_GROUP", 20_000)
        whole = run_both()
        patch.setattr(tables, "SIZE", 10_000)
        patch.setattr(spool, "RUN", 50_000)
        assert run_both() == whole
        rows = [*rows, *rows[:500], ("", "pos")]
        words.shuffle(rows)
        write_csv(rows)
        assert run_both() == whole
    assert sorted(os.listdir("data/clean")) == ["columns.parquet", "docs.parquet", "labels.json"]
    assert pq.read_metadata(OUTS[0]).num_row_groups > 5


@pytest.mark.parametrize(
    ("run", "file"), [(50_000, r"\.docs\.parquet\.spool\.part/0\.arrow"), (1 << 30, r"docs\.parquet")]
)
def test_a_full_disk_is_told_and_leaves_nothing(project, monkeypatch, run, file):
    numbers = random.Random(0)
    write_csv([(str(numbers.random()) * 3, ("pos", "neg")[n % 2]) for n in range(3000)])
    download.main(*map(Path, DOWNLOAD))
    monkeypatch.setattr(spool, "RUN", run)
    with small_disk(20_000):
        with pytest.raises(ResourceError, match=f"data/clean/{file}: cannot be written: File too large"):
            clean.main(Path("data/raw"), *map(Path, OUTS))
        assert list(Path("data/clean").iterdir()) == []
        done = start("clean", "data/raw", *OUTS)  # the child has the limit too
    assert done.returncode == 5
    assert done.stderr == "error: clean: data/clean/docs.parquet: cannot be written: File too large\n"
    assert list(Path("data/clean").iterdir()) == []


def test_a_file_for_each_split_and_a_text_in_several_columns(project):
    for split, rows in {"train": ["a,x,1", ",y,2", "c,,1", ",,1"], "test": ["a,z,2"]}.items():
        Path(f"data/input/{split}").mkdir()
        Path(f"data/input/{split}/rows.csv").write_text("\n".join(["title,body,label", *rows]))
    project(path={name: f"data/input/{name}/rows.csv" for name in ("train", "test")}, text=["title", "body"])
    run_both()
    docs = pl.read_parquet(OUTS[0]).select("text", "label", "split").sort("split", "text")
    assert docs.rows() == [("a\nz", "2", "test"), ("a\nx", "1", "train"), ("c", "1", "train"), ("y", "2", "train")]
    assert read_json(Path(OUTS[2]))["dropped"] == {"empty text": 1}


def test_a_file_may_be_called_as_our_manifest(project):
    Path("data/input/manifest.json").write_text(json.dumps([{"text": text, "label": label} for text, label in ROWS]))
    project(path="data/input/manifest.json")
    run_both()
    assert read_json(Path(OUTS[2]))["kept"] == len(ROWS)


def test_two_encodings_of_an_archive_give_the_same_documents(project, monkeypatch):
    """Like the polarity sentences, which exist in latin-1 and in utf-8: either checksum is accepted."""
    Path("mirror/demo").mkdir(parents=True)
    monkeypatch.setenv("TEXTMILL_HUB_MIRROR", "mirror")
    packed, results = {}, []
    for encoding in ("latin-1", "utf-8"):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:gz") as archive:
            for name, lines in (("d/rt.neg", "un café froid \n¡no!\n"), ("d/rt.pos", "déjà vu \nfine\n")):
                info = tarfile.TarInfo(name)
                info.size = len(lines.encode(encoding))
                archive.addfile(info, io.BytesIO(lines.encode(encoding)))
        packed[encoding] = out.getvalue()
    for data in packed.values():
        Path("mirror/demo/rt.tar.gz").write_bytes(data)
        params = {"name": "demo", "source": "url", "url": "https://example.org/rt.tar.gz", "text": "text",
                  "label": None, "sha256": [hashlib.sha256(other).hexdigest() for other in packed.values()],
                  "group": None,
                  "members": {"d/rt.neg": "neg", "d/rt.pos": "pos"}, "split": None, "id": None,
                  "labels": ["neg", "pos"], "encodings": ["utf-8", "latin-1"], "separator": ","}  # fmt: skip
        YAML().dump(
            {"dataset": params, "clean": {"on_bad_row": "error", "max_chars": 1000}, "evaluate": {}},
            Path("params.yaml"),
        )
        for kept in Path("data/downloads").glob("*"):
            kept.unlink()
        results.append(run_both())
    assert results[0] == results[1]
    assert set(pl.read_parquet(OUTS[0])["text"]) == {"un café froid ", "¡no!", "déjà vu ", "fine"}


def test_a_failed_download_leaves_the_folder_as_it_was(project):
    write_csv(ROWS)
    download.main(*map(Path, DOWNLOAD))
    before = sorted(os.listdir("data/raw"))
    project(sha256=["0" * 64])
    with pytest.raises(ArtifactError):
        download.main(*map(Path, DOWNLOAD))
    assert sorted(os.listdir("data/raw")) == before
    assert sorted(os.listdir("data")) == ["input", "raw"]


def test_clean_refuses_raw_data_that_changed(project):
    write_csv(ROWS)
    download.main(*map(Path, DOWNLOAD))
    Path("data/raw/reviews.csv").write_text("text,label\nx,y\n")
    with pytest.raises(ArtifactError, match=r"data/raw/reviews\.csv: changed since the download"):
        clean.main(Path("data/raw"), *map(Path, OUTS))
    assert not Path("data/clean").exists()


def test_the_commands_say_what_they_did(project):
    write_csv([*ROWS, ("", "pos")])
    assert start("download", *DOWNLOAD).returncode == 0
    done = start("clean", "data/raw", *OUTS, LANG="C", PYTHONHASHSEED="1")
    assert (done.returncode, done.stderr) == (0, "")
    assert "5 documents of 6 rows; left out: 1 empty text" in done.stdout


@pytest.mark.parametrize(
    ("keys", "content", "stage", "code", "message"),
    [
        ({"pth": 1}, None, "download", 2, "params.yaml: dataset.pth: unknown key; did you mean 'path'?"),
        ({}, b"text,label\ncaf\xe9,pos\n", "clean", 3, "data/raw/reviews.csv: byte 14 is not utf-8"),
    ],
)
def test_a_refusal_is_one_line_and_an_exit_code(project, keys, content, stage, code, message):
    project(**keys)
    if content is not None:
        Path("data/input/reviews.csv").write_bytes(content)
        download.main(*map(Path, DOWNLOAD))
    done = start(stage, *(DOWNLOAD if stage == "download" else ["data/raw", *OUTS]))
    assert done.returncode == code
    assert done.stderr.startswith(f"error: {stage}: ")
    assert done.stderr.count("\n") == 1
    assert message in done.stderr
    assert not Path("data/clean").exists()


def test_without_the_hub_the_mirror_is_named(project):
    Path("params.yaml").write_text(
        "dataset: {name: demo, source: hub, repo: demo/reviews, config: null, revision: " + "a" * 40
        + ", splits: {train: train}, text: text, label: label, group: null, split: null, id: null, labels: null}\n"
    )  # fmt: skip
    done = start("download", *DOWNLOAD, HF_HUB_OFFLINE="1", HF_HOME="cache")
    assert done.returncode == 5
    assert "TEXTMILL_HUB_MIRROR" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not Path("data/raw").exists()
