"""Each stage's main from split to evaluate, on a temporary folder; then the bundle and the command."""

import json
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from conftest import MODELS, ROOT, TRAIN, no_columns, refused_without_bfloat16, small_disk
from typer.testing import CliRunner

import textmill
from stages import curve, encode, evaluate, split, train, vectors, vocab
from textmill import arrays, parquet, timings, tokenizers
from textmill.annotation import curve as curve_of
from textmill.cli import app
from textmill.errors import ArtifactError, DataError, ParamsError, ResourceError
from textmill.files import read_json, sha256, write_json
from textmill.parquet import write_parquet
from textmill.records.curve import Curve
from textmill.rows.splits import SIDES, SPLITS
from textmill.text import encoding
from textmill.training import family
from textmill.vectors import WordVectors
from textmill.vectors import load as load_vectors
from textmill.vectors import save as save_vectors

WORD = {
    "kind": "word",
    "lowercase": True,
    "markup": "strip",
    "pattern": r"[\p{L}\p{N}]+|[!?]",
    "min_freq": 2,
    "max_size": 500,
    "vectors": None,
}
PARAMS = {
    "seed": 3,
    "threads": 1,
    "dataset": {"text": "text"},
    "split": {"validation": 0.2, "test": 0.2, "by": "group", "sizes": None},
    "tokenizers": {"word": WORD},
    "train": TRAIN,
    "models": {name: MODELS[name] for name in ("linear", "lstm")},
    "evaluate": {"negations": ["not", "n't"]},
    "compare": {"alpha": 0.05},
}


KEPT = (Path("data/checkpoints"), Path("data/pretrained"))


@pytest.fixture(scope="module")
def made(tmp_path_factory, reviews):
    """A folder in which every stage from split to evaluate has run."""
    root = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        prepare(root, reviews, PARAMS)
        for name in PARAMS["models"]:
            run_train(root, name)
            run_evaluate(root, name)
    return root


def prepare(root, reviews, params):
    """Params and all that a model is trained on."""
    write_json(root / "params.yaml", params)  # json is YAML
    (root / "code.txt").write_text("0123 textmill\n")
    docs = reviews.select(
        pl.format("{}", pl.int_range(pl.len())).str.zfill(4).alias("id"),
        "text",
        "label",
        pl.col("film").alias("group"),
        pl.lit(None, pl.String).alias("split"),
    )
    write_parquet(root / "docs.parquet", docs)
    write_json(root / "labels.json", ["bad", "good"])
    split.main(root / "docs.parquet", root / "labels.json", root / "split", root / "split.json")
    run_text(root / "split", root / "labels.json", root)


def run_text(splits, labels, root, name="word"):
    folder, encoded = root / "vocab", root / "encoded"
    tokenizer, found = folder / "tokenizer.json", (root / "vectors.safetensors", root / "vectors.json")
    downloads, learned = root / "downloads", (folder, encoded / "train.safetensors", root / "vocab.json")
    vocab.main(name, splits / "train.parquet", labels, downloads, *learned)
    encode.main(splits, labels, tokenizer, root / "vocab.json", encoded, root / "encode.json")
    vectors.main(name, tokenizer, encoded, splits / "train_in_test.json", downloads, *found)


def run_train(root, name):
    text = root / "encoded", root / "vocab", root / "vectors.safetensors", root / "split/train_in_test.json"
    found = root / name, root / "metrics" / name
    train.main(name, *code_of(root), *text, root / "labels.json", *found, *KEPT)


def code_of(root):
    return root / "code.txt", root / "vocab.json"


def run_evaluate(root, name):
    evaluate.main(
        root / name, root / "encoded", root / "split", no_columns(root / "c.parquet"), root / "metrics" / name
    )


def test_words_that_a_vocabulary_lacks_are_told(tmp_path, reviews, capsys):
    chinese = reviews.with_columns(text=pl.format("! 那天晚上{}号房间很脏", pl.int_range(pl.len())))  # no word twice
    prepare(tmp_path, chinese, PARAMS | {"tokenizers": {"word": {"kind": "word"}}})
    told = "encode: 50% of validation's tokens are unknown to vocab; if their language has no spaces, set tokenizers."
    assert told in capsys.readouterr().out


def test_split_profiles_what_it_cut(made):
    facts = read_json(made / "split.json")
    assert sum(facts["splits"][name]["rows"] for name in SPLITS) == 240
    assert set(facts["overlap"].values()) == {0}
    assert list(facts["near"]) == list(facts["overlap"])
    words = facts["splits"]["train"]["words"]
    assert sum(words["histogram"]["counts"]) == facts["splits"]["train"]["rows"]


def test_documents_beyond_the_sizes_are_left_out_and_counted(made, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    sizes = {"train": 50, "validation": 20, "test": 1000}
    write_json(tmp_path / "params.yaml", PARAMS | {"split": PARAMS["split"] | {"sizes": sizes}})
    split.main(made / "docs.parquet", made / "labels.json", tmp_path / "split", tmp_path / "split.json")
    facts, whole = read_json(tmp_path / "split.json"), read_json(made / "split.json")
    rows = {name: pl.read_parquet(tmp_path / f"split/{name}.parquet") for name in SPLITS}
    assert {name: len(part) for name, part in rows.items()} == {"train": 50, "validation": 20, "test": 48}
    for name, part in rows.items():
        assert set(part["id"]) <= set(pl.read_parquet(made / f"split/{name}.parquet")["id"])
        assert facts["splits"][name]["rows"] + facts["left_out"][name] == whole["splits"][name]["rows"]
    assert "left out by split.sizes: train 94, validation 28, test 0" in capsys.readouterr().out


def test_what_may_be_learned_from_holds_no_test_text(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_json(tmp_path / "params.yaml", {**PARAMS, "split": {**PARAMS["split"], "by": "text"}})
    rows = [(f"text {number}", side) for side in SPLITS for number in range(30)]  # 30 texts, in all three splits
    rows += [(f"Mine {number}", "train") for number in range(20)]
    rows += [("TEXT  3", "unlabelled"), ("unseen", "unlabelled"), ("mine 1", "unlabelled")]
    docs = (
        pl.DataFrame(rows, ["text", "split"], orient="row")
        .with_row_index("id")
        .sample(fraction=1, shuffle=True, seed=1)
    )
    either = pl.when(pl.col("id") % 2 == 0).then(pl.lit("bad")).otherwise(pl.lit("good"))
    labels = pl.when(pl.col("split") != "unlabelled").then(either)
    docs = docs.with_columns(
        pl.col("id").cast(pl.String), labels.alias("label"), pl.lit(None, pl.String).alias("group")
    )
    write_parquet(tmp_path / "docs.parquet", docs)
    write_json(tmp_path / "labels.json", ["bad", "good"])
    split.main(tmp_path / "docs.parquet", tmp_path / "labels.json", tmp_path / "split", tmp_path / "split.json")
    train = pl.read_parquet(tmp_path / "split/train.parquet")["text"]
    repeated = train[read_json(tmp_path / "split/train_in_test.json")]
    assert sorted(repeated) == sorted(f"text {number}" for number in range(30))
    assert sorted(pl.read_parquet(tmp_path / "split/unlabelled.parquet")["text"]) == ["mine 1", "unseen"]
    facts = read_json(tmp_path / "split.json")
    assert (facts["unlabelled_in_test"], facts["splits"]["unlabelled"]["rows"]) == (1, 2)
    assert "1 unlabelled documents left out, because their texts are in test" in capsys.readouterr().out


def test_near_copies_across_splits_are_told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_json(tmp_path / "params.yaml", {**PARAMS, "split": {**PARAMS["split"], "by": "text"}})
    rows = [
        (f"{before}the {n}th review of lamp {n}{after}", ("bad", "good")[n % 2])
        for n in range(20) for before, after in (("", ""), (f"RT @u{n}: ", "..."), ("", " indeed"))
    ]  # fmt: skip
    docs = pl.DataFrame(rows, ["text", "label"], orient="row").with_row_index("id")
    docs = docs.select(
        pl.col("id").cast(pl.String), "text", "label", group=pl.lit(None, pl.String), split=pl.lit(None, pl.String)
    )
    write_parquet(tmp_path / "docs.parquet", docs)
    write_json(tmp_path / "labels.json", ["bad", "good"])
    split.main(tmp_path / "docs.parquet", tmp_path / "labels.json", tmp_path / "split", tmp_path / "split.json")
    facts = read_json(tmp_path / "split.json")
    assert facts["overlap"]["train-test"] == 0
    assert facts["near"]["train-test"] >= facts["splits"]["test"]["rows"] - 2
    assert f"{facts['near']['train-test']} documents of test have near copies in train" in capsys.readouterr().out


def test_twins_of_a_contrast_set_are_left_out_before_anything_is_learned(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rows = [(f"the {n}th review of lamp {n} and it is fine", ("bad", "good")[n % 2], "train") for n in range(40)]
    rows += [(f"the {n}th review of lamp {n} and it is awful", "bad", "test") for n in range(4)]
    rows += [
        ("the 30th review of lamp 30 and it is awful now", "bad", "unlabelled"),
        (rows[4][0].upper(), "good", "test"),
    ]
    docs = pl.DataFrame(rows, ["text", "label", "split"], orient="row").with_row_index("id")
    docs = docs.select(pl.col("id").cast(pl.String), "text", "label", group=pl.lit(None, pl.String), split="split")
    write_parquet(tmp_path / "docs.parquet", docs)
    write_json(tmp_path / "labels.json", ["bad", "good"])

    def parted(twins: dict) -> tuple[dict, set[str]]:
        write_json(tmp_path / "params.yaml", {**PARAMS, "split": {"validation": 0.2, **twins}})
        split.main(tmp_path / "docs.parquet", tmp_path / "labels.json", tmp_path / "split", tmp_path / "split.json")
        learned = [pl.read_parquet(tmp_path / f"split/{name}.parquet") for name in ("train", "validation")]
        return read_json(tmp_path / "split.json"), set(pl.concat(learned)["text"])

    kept, texts = parted({})
    assert "twins" not in kept
    assert {text for text, _, side in rows if side == "train"} == texts
    facts, texts = parted({"twins": "leave_out"})
    assert {rows[n][0] for n in range(5)} & texts == set()
    assert len(texts) == 35
    assert facts["twins"]["train"] + facts["twins"]["validation"] == 5
    assert (facts["near"]["train-test"], facts["overlap"]["train-test"], facts["splits"]["test"]["rows"]) == (0, 0, 5)
    assert read_json(tmp_path / "split/train_in_test.json") == []
    assert "left out by split.twins (equal or nearly equal to a test text): train" in capsys.readouterr().out


def test_the_vocabulary_sees_the_training_split_alone(made, tmp_path):
    tokens = set(read_json(made / "vocab/tokenizer.json")["vocabulary"])
    training = " ".join(pl.read_parquet(made / "split/train.parquet")["text"])
    assert tokens - {"<pad>", "<unk>"} <= set(training.lower().split())
    facts = read_json(made / "encode.json")["splits"]
    assert 0 < facts["test"]["unknown"] < 0.3  # numbers that are in only one text


def test_each_split_is_encoded_by_the_tokenizer(made):
    tokenizer = tokenizers.load(made / "vocab/tokenizer.json")
    for name in SIDES.categories:
        part = pl.read_parquet(made / f"split/{name}.parquet")
        expected = encoding.encode(part, tokenizer, ["bad", "good"])
        found = encoding.load(made / f"encoded/{name}.safetensors", sha256(made / "vocab/tokenizer.json"))
        assert np.array_equal(found.docs.ids, expected.docs.ids)
        assert np.array_equal(found.docs.offsets, expected.docs.offsets)
        assert np.array_equal(found.labels, expected.labels)


def test_every_test_row_is_scored_and_every_score_comes_from_one_table(made):
    test = pl.read_parquet(made / "split/test.parquet")
    for name in PARAMS["models"]:
        table = pl.read_parquet(made / f"metrics/{name}/predictions.parquet")
        assert table.select("id", "label").equals(test.select("id", "label").sort("id"))
        scores = read_json(made / f"metrics/{name}/scores.json")
        assert scores["accuracy"] == pytest.approx((table["label"] == table["prediction"]).mean(), abs=1e-6)
        assert scores["accuracy"] > 0.8
        summary = read_json(made / f"metrics/{name}/summary.json")
        assert summary["test_accuracy"] == scores["accuracy"]
        assert summary["validation_accuracy"] == read_json(made / f"metrics/{name}/fit.json")["validation"]["accuracy"]
        assert len((made / f"metrics/{name}/confusion.csv").read_text().splitlines()) == len(test) + 1


def test_fit_says_how_and_seconds_stay_outside(made):
    fit = read_json(made / "metrics/lstm/fit.json")
    best = pl.read_csv(made / "metrics/lstm/history.csv").row(fit["best_epoch"] - 1, named=True)
    assert best["validation_accuracy"] == pytest.approx(fit["validation"]["accuracy"], abs=1e-6)
    assert "seconds" not in json.dumps(fit)
    noted = timings.recorded(made / "metrics/lstm", fit["weights"])
    assert noted.train_seconds > 0
    assert noted.machine == timings.machine()
    assert noted.predict_documents_per_second > 0
    assert timings.recorded(made / "metrics/lstm", "0" * 64) == timings.Timing()
    assert not list((made / "data/checkpoints").iterdir())


def test_a_pretrained_body_is_kept_for_the_next_training(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("code.txt", "vocab.json", "vocab", "split", "encoded", "labels.json", "vectors.safetensors"):
        (tmp_path / name).symlink_to(made / name)
    plan, times = {"epochs": 2, "lr": 0.01, "window": 16, "negatives": 20}, set()
    for pooling in ("last", "max"):
        write_json(
            tmp_path / "params.yaml",
            PARAMS | {"models": {"lstm": MODELS["lstm"] | {"pretrain": plan, "pooling": pooling}}},
        )
        run_train(tmp_path, "lstm")
        fit = read_json(tmp_path / "metrics/lstm/fit.json")
        assert fit["pretraining"].keys() == {"epochs", "loss", "documents", "tokens"}
        assert fit["pretraining"]["documents"] == len(pl.read_parquet(made / "split/train.parquet"))
        noted = timings.recorded(tmp_path / "metrics/lstm", fit["weights"])
        times.add(noted.pretrain_seconds)
    assert len(times) == 1  # of one reading, which both paid for
    assert len(list((tmp_path / "data/pretrained/lstm").iterdir())) == 1
    assert read_json(made / "metrics/lstm/fit.json")["pretraining"] is None


def test_bfloat16_scores_are_asked_for(made):
    for name in PARAMS["models"]:
        exact = textmill.load(made / name).predict_proba(["great fun"])
        with nullcontext() if name == "linear" else refused_without_bfloat16(name, training=False):
            rounded = textmill.load(made / name, "bfloat16").predict_proba(["great fun"])
            np.testing.assert_allclose(rounded, exact, atol=0.05)
            assert np.array_equal(rounded, exact) == (name == "linear")


def test_any_text_is_scored(made):
    classifier = textmill.load(made / "lstm")
    odd = ["", " ", None, "\ud800", "<br />", "👍🏽", "\x00", "\u202e", "good " * 5000, "zzz qqq"]
    proba = classifier.predict_proba(odd)
    assert np.isfinite(proba).all()
    np.testing.assert_array_equal(proba[0], proba[1])  # nothing to read
    assert classifier.predict_proba([]).shape == (0, 2)
    assert classifier.predict([]) == []
    with pytest.raises(TypeError, match="a list of texts"):
        classifier.predict_proba("good")


def test_a_model_gets_what_it_asks_for(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    reading = {"epochs": 1, "lr": 0.01, "window": 16, "negatives": 20}
    plain, asking = MODELS["lstm"], {**MODELS["lstm"], "vectors": "tuned", "pretrain": reading}
    write_json(tmp_path / "params.yaml", {**PARAMS, "models": {"plain": plain, "asking": asking}})
    known = WordVectors(np.array([2, 5]), np.ones((2, 8), np.float32))
    found, repeated = tmp_path / "v.safetensors", tmp_path / "t.json"
    save_vectors(found, known, sha256(made / "vocab/tokenizer.json"))
    write_json(repeated, [0, 3])
    tasks = []

    def fit(family, config, settings, data, validation, task, *more):
        tasks.append((data, task))
        raise DataError("enough")

    monkeypatch.setattr(family.NetworkFamily, "fit", fit)
    for name in ("plain", "asking"):
        parts = (
            *code_of(made),
            made / "encoded",
            made / "vocab",
            found,
            repeated,
            made / "labels.json",
            tmp_path / "m",
        )
        with pytest.raises(DataError, match="enough"):
            train.main(name, *parts, tmp_path / "metrics", *KEPT)
    (_, task), (data, asked) = tasks
    assert (task.vectors, task.corpus, task.encoder) == (None, None, None)
    assert asked.vectors.ids.tolist() == [2, 5]
    assert asked.vectors.vectors.tolist() == np.ones((2, 8)).tolist()
    assert len(asked.corpus) == len(data.docs) - 2  # there are no unlabelled documents here
    assert asked.corpus[0].tolist() == data.docs[1].tolist()


def test_a_model_begins_with_vectors_that_were_trained_here(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    how = {"source": "trained", "method": "word2vec", "size": 8, "window": 3, "min_count": 40, "negative": 5}
    how |= {"sample": 0.0, "epochs": 1, "lr": 0.05, "skip_gram": True}
    asking = {name: {**MODELS["rnn"], "epochs": 2, "vectors": name} for name in ("tuned", "frozen")}
    tokenizer = {"word": {**WORD, "vectors": how}}
    write_json(tmp_path / "params.yaml", {**PARAMS, "tokenizers": tokenizer, "models": asking})
    found, repeated = tmp_path / "vectors.safetensors", made / "split/train_in_test.json"
    text = made / "vocab/tokenizer.json", made / "encoded", repeated
    vectors.main("word", *text, tmp_path / "downloads", found, tmp_path / "vectors.json")
    known = load_vectors(found, sha256(made / "vocab/tokenizer.json"))
    assert 5 < len(known.ids) < read_json(made / "encode.json")["vocabulary"] - 2
    for name in asking:
        text = made / "encoded", made / "vocab", found, repeated, made / "labels.json"
        train.main(name, *code_of(made), *text, tmp_path / name, tmp_path / "metrics" / name, *KEPT)
        weight = arrays.read_arrays(tmp_path / name / "model.safetensors")[0]["embed.weight"]
        assert np.array_equal(weight[known.ids], known.vectors) == (name == "frozen")
        assert textmill.load(tmp_path / name).predict_proba(["a great film"]).shape == (1, 2)


def test_a_damaged_split_is_named(made, tmp_path):
    (tmp_path / "train.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(ArtifactError, match=r"train\.parquet: cannot be read"):
        outputs = tmp_path / "downloads", tmp_path / "t", tmp_path / "t.safetensors", tmp_path / "v.json"
        vocab.main("word", tmp_path / "train.parquet", made / "labels.json", *outputs, made / "params.yaml")


def test_files_to_predict_may_be_long_but_must_be_utf8(made, tmp_path):
    source = tmp_path / "in.csv"
    source.write_text("text\n" + "good " * 50_000 + "\n")
    assert command("predict", made / "linear", "--file", source, "--out", tmp_path / "out.csv").exit_code == 0
    source.write_bytes(b"text\nca\xf1on\n")
    done = command("predict", made / "linear", "--file", source)
    assert (done.exit_code, done.stderr.count("\n")) == (3, 1)
    assert "in.csv: not UTF-8" in done.stderr


@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json", "config.json"])
def test_a_damaged_bundle_names_the_file(made, tmp_path, file):
    for path in (made / "lstm").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    damaged = bytearray((tmp_path / file).read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (tmp_path / file).write_bytes(damaged if file != "config.json" else b"{}")
    with pytest.raises(ArtifactError, match=file):
        textmill.load(tmp_path)
    (tmp_path / file).unlink()
    with pytest.raises(ArtifactError, match=file):
        textmill.load(tmp_path)


def test_what_is_held_at_a_time_changes_nothing(made, tmp_path, monkeypatch):
    """Documents in many row groups give the same split, words and ids as in one."""
    monkeypatch.chdir(tmp_path)
    write_json(tmp_path / "params.yaml", PARAMS)
    monkeypatch.setattr(parquet, "ROW_GROUP", 2000)
    docs = pl.read_parquet(made / "docs.parquet")
    with parquet.append_parquet(tmp_path / "docs.parquet") as append:
        append(docs)
    assert len(list(parquet.read_batches(tmp_path / "docs.parquet"))) > 5
    split.main(tmp_path / "docs.parquet", made / "labels.json", tmp_path / "split", tmp_path / "split.json")
    assert read_json(tmp_path / "split.json") == read_json(made / "split.json")
    assert len(list(parquet.read_batches(tmp_path / "split/train.parquet"))) > 5
    run_text(tmp_path / "split", made / "labels.json", tmp_path)
    assert sha256(tmp_path / "vocab/tokenizer.json") == sha256(made / "vocab/tokenizer.json")
    assert read_json(tmp_path / "encode.json") == read_json(made / "encode.json")
    for name in SPLITS:
        assert pl.read_parquet(tmp_path / f"split/{name}.parquet").equals(
            pl.read_parquet(made / f"split/{name}.parquet")
        )
        assert sha256(tmp_path / f"encoded/{name}.safetensors") == sha256(made / f"encoded/{name}.safetensors")


def test_the_worst_errors_come_with_their_texts(made):
    test = pl.read_parquet(made / "split/test.parquet")
    for name in PARAMS["models"]:
        table = pl.read_parquet(made / f"metrics/{name}/predictions.parquet")
        told = read_json(made / f"metrics/{name}/errors.json")
        assert len(told) == min(20, (table["label"] != table["prediction"]).sum())
        assert all(test.filter(id=error["id"])["text"].item()[:500] == error["text"] for error in told)


def test_a_full_disk_leaves_no_split_and_no_ids(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_json(tmp_path / "params.yaml", PARAMS)
    with (
        small_disk(2000),
        pytest.raises(ResourceError, match=r"split\S*/\w+\.parquet: cannot be written: File too large"),
    ):
        split.main(made / "docs.parquet", made / "labels.json", tmp_path / "split", tmp_path / "split.json")
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]
    outputs = tmp_path / "vocab", tmp_path / "encoded/train.safetensors", tmp_path / "vocab.json"
    for in_memory, where in (vocab.IN_MEMORY, r"encoded/train\.safetensors"), (1, "vocab"):
        monkeypatch.setattr(vocab, "IN_MEMORY", in_memory)
        with small_disk(1000), pytest.raises(ResourceError, match=f"{where}: cannot be written"):
            vocab.main("word", made / "split/train.parquet", made / "labels.json", tmp_path / "downloads", *outputs)
    parts = (made / "vocab/tokenizer.json", made / "vocab.json", tmp_path / "encoded")
    with small_disk(1000), pytest.raises(ResourceError, match=r"encoded/validation\.safetensors: cannot be written"):
        encode.main(made / "split", made / "labels.json", *parts, tmp_path / "encode.json")
    assert list((tmp_path / "encoded").iterdir()) == []
    assert not list(tmp_path.glob("*.json")) + list(tmp_path.glob(".*"))


def test_mixed_artifacts_are_refused(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_json(tmp_path / "params.yaml", PARAMS)
    spec = read_json(made / "vocab/tokenizer.json")
    spec["vocabulary"].pop()
    write_json(tmp_path / "other/tokenizer.json", spec)
    text = made / "encoded", tmp_path / "other", made / "vectors.safetensors", made / "split/train_in_test.json"
    parts = (*code_of(made), *text, made / "labels.json", tmp_path / "m", tmp_path / "metrics", *KEPT)
    with pytest.raises(ArtifactError, match="encoded by a different tokenizer"):
        train.main("lstm", *parts)
    with pytest.raises(ArtifactError, match="documents, but"):
        splits = tmp_path / "split"
        splits.mkdir()
        (splits / "test.parquet").symlink_to(made / "split/train.parquet")
        evaluate.main(made / "lstm", made / "encoded", splits, no_columns(tmp_path / "c.parquet"), tmp_path)
    with pytest.raises(ArtifactError, match="of other rows than"):
        (splits / "test.parquet").unlink()
        pl.read_parquet(made / "split/test.parquet").reverse().write_parquet(splits / "test.parquet")
        evaluate.main(made / "lstm", made / "encoded", splits, no_columns(tmp_path / "c.parquet"), tmp_path)
    with pytest.raises(ParamsError, match=r"models\.gru: missing"):
        train.main("gru", *parts)
    write_json(tmp_path / "params.yaml", {**PARAMS, "tokenizers": {"word": {**WORD, "min_freq": 10_000}}})
    with pytest.raises(ParamsError, match="lower min_freq"):
        outputs = tmp_path / "downloads", tmp_path / "t", tmp_path / "t.safetensors", tmp_path / "v.json"
        vocab.main("word", made / "split/train.parquet", made / "labels.json", *outputs)


def command(*words: str, stdin: str | None = None):
    return CliRunner().invoke(app, list(map(str, words)), input=stdin)


def test_predict_from_arguments_stdin_and_a_file(made, tmp_path):
    bundle = made / "lstm"
    given = command("predict", bundle, "a great lovely film", "a dull awful plot")
    assert [line.split("\t")[0] for line in given.stdout.splitlines()] == ["good", "bad"]
    assert command("predict", bundle, stdin="a great lovely film\na dull awful plot\n").stdout == given.stdout
    source = tmp_path / "in.csv"
    source.write_text('\ufeffid,text\n1,"a great, lovely\nfilm"\n2,a dull awful plot\n3,\n', encoding="utf-8")
    assert command("predict", bundle, "--file", source, "--out", tmp_path / "out.csv").exit_code == 0
    labelled = pl.read_csv(tmp_path / "out.csv")
    assert labelled.columns == ["id", "text", "predicted", "p:bad", "p:good", "empty", "unknown"]
    assert labelled["predicted"].to_list()[:2] == ["good", "bad"]
    assert len(labelled) == 3
    source.write_text("id;text\n1;a great film, indeed\n")
    semicolons = command("predict", bundle, "--file", source, "--separator", ";").stdout.splitlines()
    assert semicolons[0] == "id;text;predicted;p:bad;p:good;empty;unknown"
    assert semicolons[1].startswith("1;a great film, indeed;good;")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["predict", "{tmp}/none", "x"], 4, "none: not a model's folder (it has no config.json)"),
        (["predict", "{made}/lstm", "--file", "{tmp}/none.csv"], 4, "none.csv: no such file"),
        (["predict", "{made}/lstm", "--file", "{made}/split.json"], 2, "does not end in .csv, .tsv, .jsonl, .parquet"),
        (["predict", "{made}/lstm", "--file", "{tmp}/twice.csv"], 2, "several columns 'text' among text, text"),
        (["predict", "{made}/lstm", "--file", "{tmp}/long.csv"], 3, "long.csv: line 3: 3 cells, but the header has 2"),
        (["predict", "{made}/lstm", "--file", "{tmp}/done.csv"], 3, "there is already a column 'predicted'; rename it"),
        (["predict", "{made}/lstm", "--file", "{tmp}/done.csv", "--separator", ""], 2, "expected one character"),
        (["predict", "{made}/lstm", "x", "--file", "y"], 2, "not both"),
        (["predict", "{made}/lstm", "x", "--out", "y"], 2, "--out needs --file"),
        (["predict", "{made}/lstm", "--file", "{tmp}/a", "--out", "{tmp}/a"], 2, "is the input"),
        (["info", "{tmp}"], 4, "config.json"),
        (["check", "{tmp}/none.yaml"], 4, "copy one from presets/"),
    ],
)
def test_a_wrong_command_is_one_line(made, tmp_path, words, code, message):
    for name, text in {
        "twice": "text,text\na,b\n",
        "long": "id,text\n1,a\n2,b,c\n",
        "done": "text,predicted\n",
    }.items():
        (tmp_path / f"{name}.csv").write_text(text)
    done = command(*(word.format(made=made, tmp=tmp_path) for word in words))
    assert done.exit_code == code
    assert done.stderr.startswith(f"error: {words[0]}: ")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_info(made):
    shown = command("info", made / "lstm").stdout
    assert "bad, good" in shown
    assert read_json(made / "lstm/config.json")["weights"] in shown


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"models": {"a": {**MODELS["lstm"], "tokenizer": "wrod"}}},
            "models.a.tokenizer: expected one of word, found 'wrod'",
        ),
        ({"trian": {}}, "trian: unknown key; did you mean 'train'?"),
        ({"models": {}}, "models: expected a length of 1 or more"),
        (
            {"tokenizers": {"word": {**WORD, "pattern": "[a{2}"}}},
            "tokenizers.word.pattern: '[a{2}' is not a regular expression (unclosed character class)",
        ),
        ({"threads": "2"}, "threads: expected a valid integer, found '2'"),
        ({"seed": True}, "seed: expected a valid integer, found True"),
        ({"models": {"../up": MODELS["lstm"]}}, "models"),
        ({"seed": -1}, "seed: expected at least 0, found -1"),
        (
            {"tokenizers": {"word": {**WORD, "kind": "words"}}},
            "tokenizers.word.kind: expected one of bpe, char, pretrained, word, found 'words'",
        ),
        ({"train": {**TRAIN, "epochs": "5"}}, "train.epochs: expected a valid integer, found '5'"),
        (
            {
                "compare": {
                    "metric": "accuracy",
                    "bootstrap": 200,
                    "alpha": 0.05,
                    "ensembles": {"x": ["lstm", "linaer"]},
                }
            },
            "compare.ensembles.x: 'linaer' is not a model; did you mean 'linear'?",
        ),
    ],
)
def test_check_sees_the_whole_file(tmp_path, change, message):
    from textmill.config import load_params

    params = load_params(ROOT / "presets/csv.yaml")
    write_json(tmp_path / "params.yaml", {**params, **change})
    done = command("check", tmp_path / "params.yaml")
    assert done.exit_code == 2
    assert message in done.stderr


def stage(folder, *words: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "textmill.stage", "vocab", *words],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
    )


def vocab_words(made) -> list[str]:
    inputs = made / "split/train.parquet", made / "labels.json"
    return [*map(str, inputs), "downloads", "out", "train.safetensors", "vocab.json"]


def test_a_stage_as_dvc_starts_it(made, tmp_path):
    write_json(tmp_path / "params.yaml", PARAMS)
    done = stage(tmp_path, "word", *vocab_words(made))
    assert done.returncode == 0, done.stderr
    assert sha256(tmp_path / "out/tokenizer.json") == sha256(made / "vocab/tokenizer.json")
    expected = "error: vocab: expected 7 arguments (name, train, labels, downloads, out, encoded, metrics), found 1\n"
    assert stage(tmp_path, "word").stderr == expected
    unknown = stage(tmp_path, "char", *vocab_words(made))
    assert (unknown.returncode, unknown.stderr) == (
        2,
        "error: vocab: params.yaml: tokenizers.char: missing; found word\n",
    )


def test_one_of_a_kind_at_a_time(made, tmp_path):
    import fcntl

    write_json(tmp_path / "params.yaml", PARAMS)
    lock = tmp_path / "data/.locks/vocab.lock"
    lock.parent.mkdir(parents=True)
    with open(lock, "w") as held:
        held.write("4711")
        held.flush()
        fcntl.flock(held, fcntl.LOCK_EX)
        done = stage(tmp_path, "word", *vocab_words(made))
    assert (done.returncode, done.stderr) == (5, "error: vocab: held by process 4711; wait for it, or end it\n")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("curves", "name", "asked"),
    [(None, "linear", True), (None, "lstm", False), ([], "linear", False), (["lstm"], "lstm", True)],
)
def test_a_curve_ends_at_the_score_of_the_report(made, tmp_path, monkeypatch, capsys, curves, name, asked):
    monkeypatch.setattr(curve_of, "FEWEST", 5)
    monkeypatch.setattr(curve_of, "SHARES", (4, 2, 1))
    params = PARAMS | {"compare": {"alpha": 0.05, "curves": curves}, "train": TRAIN | {"epochs": 2}}
    write_json(tmp_path / "params.yaml", params)
    read = *code_of(made), made / "encoded", made / "vocab", made / "vectors.safetensors", made / "split"
    out, kept = tmp_path / "curve.json", (tmp_path / "checkpoints", tmp_path / "pretrained")
    curve.main(name, *read, made / "labels.json", out, *kept, tmp_path / "params.yaml")
    found = Curve.read(out)
    if not asked:
        assert (read_json(out), capsys.readouterr().out) == ({}, "")
        return
    train = len(pl.read_parquet(made / "split/train.parquet"))
    assert [(size.rows, len(size.scores)) for size in found.sizes] == [(train // 4, 5), (train // 2, 5), (train, 1)]
    assert f"curve: {name}: " in capsys.readouterr().out
    assert found.by == "group"
    if name == "linear":  # the other has been trained for more epochs
        assert found.now == read_json(made / "metrics/linear/scores.json")["accuracy"]
