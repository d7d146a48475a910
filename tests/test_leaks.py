"""The test split teaches nothing, and a bundle predicts what `evaluate` recorded: for every family and tokenizer."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from conftest import MODELS, TRAIN, no_columns
from hypothesis import given, settings
from hypothesis import strategies as st
from pretrained import encoder
from test_metamorphic import READ
from test_splits import CONFIG, plain
from test_stages import PARAMS, run_text, run_train

import textmill
from stages import evaluate, split
from textmill.files import sha256, write_json
from textmill.models import FAMILIES
from textmill.parquet import write_parquet
from textmill.rows import splits
from textmill.tokenizers import KINDS

pytestmark = pytest.mark.slow

READING = {"pretrain": {"epochs": 1, "window": 16, "negatives": 20}}
ENTRIES = {name: entry | (READING if name == "gru" else {}) for name, entry in MODELS.items()}
ENTRIES |= {f"linear-{kind}": MODELS["linear"] | {"tokenizer": kind} for kind in READ if kind != "word"}
ENTRIES |= {"pretrained": {"family": "pretrained", "tokenizer": "pretrained"}}
NOT_LEARNED = ("timing.json", "test.safetensors", "encode.json")


def test_every_family_and_kind_is_tested():
    assert {entry["family"] for entry in ENTRIES.values()} == set(FAMILIES)
    assert {entry["tokenizer"] for entry in ENTRIES.values()} == set(KINDS)


def learn(root: Path, docs: pl.DataFrame, source: Path) -> Path:
    """Runs the stages from split to train in a new folder, one below it for each tokenizer. Returns the folder.

    source: the folder of a pretrained encoder.
    """
    root.mkdir()
    files = {path.name: sha256(path) for path in sorted(source.iterdir())}
    fetched = {"kind": "pretrained", "source": "path", "folder": str(source), "files": files}
    kinds = READ | {"pretrained": fetched}
    settings = PARAMS | {"tokenizers": kinds, "train": {**TRAIN, "epochs": 2}, "models": ENTRIES}
    write_json(root / "params.yaml", settings)
    write_json(root / "labels.json", ["bad", "good"])
    write_parquet(root / "docs.parquet", docs)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        split.main(root / "docs.parquet", root / "labels.json", root / "split", root / "split.json")
        for kind in kinds:
            (root / kind).mkdir()
            (root / kind / "code.txt").write_text("0123 textmill\n")
            for name in ("split", "labels.json"):
                (root / kind / name).symlink_to(root / name)
            run_text(root / "split", root / "labels.json", root / kind, kind)
        for name, entry in ENTRIES.items():
            run_train(root / entry["tokenizer"], name)
    return root


def learned(root: Path) -> dict[str, bytes]:
    """Every file that something was learned from or that holds something learned: all but the test split's own."""
    files = [path for kind in KINDS for path in (root / kind).rglob("*") if path.is_file() and not path.is_symlink()]
    files += [root / f"split/{name}.parquet" for name in ("train", "validation", "unlabelled")]
    return {str(path.relative_to(root)): path.read_bytes() for path in files if path.name not in NOT_LEARNED}


@pytest.fixture(scope="module")
def docs(reviews) -> pl.DataFrame:
    number = pl.int_range(pl.len())
    return reviews.select(
        pl.format("{}", number).str.zfill(4).alias("id"),
        "text",
        "label",
        pl.col("film").alias("group"),
        pl.when(number % 60 % 5 == 0).then(pl.lit("test")).alias("split"),  # whole films
    )


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    return encoder(tmp_path_factory.mktemp("source"))


@pytest.fixture(scope="module")
def made(docs, source, tmp_path_factory) -> Path:
    return learn(tmp_path_factory.mktemp("leaks") / "first", docs, source)


def test_other_test_documents_leave_every_byte_that_is_learned(docs, source, made, tmp_path):
    """Weights, vocabularies, temperatures, and the figures from which thresholds follow."""
    altered = pl.when(pl.col("split") == "test")
    other = docs.with_columns(
        altered.then(pl.format("zebra {} awful great", "id")).otherwise("text").alias("text"),
        altered.then(pl.lit("bad")).otherwise("label").alias("label"),
    )
    before, after = learned(made), learned(learn(tmp_path / "other", other, source))
    assert {Path(name).parent.name for name in before if name.endswith("model.safetensors")} >= set(ENTRIES)
    assert [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)] == []


@settings(max_examples=50)
@given(st.sets(st.integers(0, 29), min_size=1), st.sampled_from(["text", "group"]), st.integers(0, 9))
def test_a_given_test_document_moves_no_other(altered, by, seed):
    side = pl.when(pl.int_range(100) < 30).then(pl.lit("test"))
    frame = plain(100).with_columns(split=side, group=pl.format("g{}", pl.int_range(100) // 3))
    changed = pl.int_range(100).is_in(list(altered))
    new = {name: pl.when(changed).then(pl.format("other {}", "id")).otherwise(name) for name in ("text", "group")}
    other = frame.with_columns(**new, label=pl.when(changed).then(pl.lit("a")).otherwise("label"))
    config = CONFIG.model_copy(update={"by": by})
    before, after = (splits.split(splits.outline(one, ["a", "b"]), ["a", "b"], config, seed) for one in (frame, other))
    assert (before == after).all()


@pytest.mark.parametrize("name", ENTRIES)
def test_a_bundle_predicts_what_evaluate_recorded(made, name, tmp_path, monkeypatch):
    root = made / ENTRIES[name]["tokenizer"]
    monkeypatch.chdir(made)
    evaluate.main(root / name, root / "encoded", made / "split", no_columns(tmp_path / "c.parquet"), tmp_path / "m")
    moved = (root / name).rename(tmp_path / "elsewhere")
    classifier = textmill.load(moved)
    test = pl.read_parquet(made / "split/test.parquet").sort("id")
    table = pl.read_parquet(tmp_path / "m/predictions.parquet")
    assert classifier.predict(test["text"].to_list()) == table["prediction"].to_list()
    proba = classifier.predict_proba(test["text"].to_list())
    np.testing.assert_allclose(proba, table.select("p:bad", "p:good").to_numpy(), atol=1e-6)
    alone = classifier.predict_proba([test["text"][0]])
    np.testing.assert_allclose(alone[0], proba[0], atol=1e-6)
    moved.rename(root / name)
