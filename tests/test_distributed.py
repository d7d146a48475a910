"""A run under torchrun, as a user starts it: two processes on this machine give what one gives."""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
import polars as pl
import pytest
from conftest import MODELS, ROOT, TRAIN, toy

from stages import train
from textmill import tokenizers, vectors
from textmill.files import read_arrays, read_json, sha256, write_json
from textmill.results import read_history
from textmill.text import encoding
from textmill.text.ragged import Ragged
from textmill.tokenizers.word import WordConfig, WordTokenizer
from textmill.vectors import WordVectors

# No dropout: each rank draws masks of its own. No Adam: it makes steps of the rounding where a gradient is 0 (that of
# the keys' biases). Batches are so small that one of a single document leaves a rank none.
SETTINGS = {**TRAIN, "epochs": 3, "batch_tokens": 100, "max_len": 60, "optimizer": "sgd", "class_weights": "balanced"}
READING = {"epochs": 2, "lr": 0.1, "window": 14, "negatives": 20}
RECIPES = {"dropout": 0.0, "bigrams": 30, "max_norm": 0.9, "head": [6], "batch_documents": 3, "accumulate": 3}
RECIPES |= {"label_smoothing": 0.1, "adversarial": 0.2, "ema": 0.9}
PLAIN = {"dropout": 0.0, "pretrain": READING}
SEEDS = {"lstm": [3, 4], "transformer": [3], "recipes": [3]}
PARAMS = {
    "seed": 3,
    "threads": 1,
    "train": SETTINGS,
    "models": {
        **{
            name: {**MODELS[name], "dropout": 0.0, "pretrain": READING, "seeds": SEEDS[name]}
            for name in ("lstm", "transformer")
        },
        "recipes": {**MODELS["gru"], **RECIPES, "seeds": SEEDS["recipes"]},
    },
}
SLOW = {**MODELS["gru"], "epochs": 20}  # long enough to be killed on its way
WORD = {"kind": "word", "lowercase": True, "markup": "strip", "pattern": "[a-z0-9]+", "min_freq": 1, "max_size": 50}
TORCHRUN = [
    sys.executable,
    "-m",
    "torch.distributed.run",
    "--standalone",
    "--nproc-per-node",
    "2",
    "-m",
    "stages.train",
]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("distributed")
    write_json(root / "params.yaml", {**PARAMS, "models": {**PARAMS["models"], "slow": SLOW}})
    write_json(root / "labels.json", ["a", "b", "c"])
    words = pl.Series([f"w{number}" for number in range(40)])
    with TemporaryFile() as spill:
        tokenizer, _ = WordTokenizer.fit(lambda: [words], WordConfig(**WORD), spill)
    tokenizers.save(root / "vocab/tokenizer.json", tokenizer)
    write_json(root / "train_in_test.json", [])
    none = WordVectors(np.empty(0, np.int64), np.empty((0, 0), np.float32))
    vectors.save(root / "vectors.safetensors", none, sha256(root / "vocab/tokenizer.json"))
    data = toy(50, 40, 3)
    ids = np.concatenate([data.docs.ids, np.full(60, 7, np.int32)])  # the last is longer than half a batch: alone in it
    data = encoding.Encoded(Ragged(ids, np.append(data.docs.offsets, len(ids))), np.append(data.labels, 0))
    for split in ("train", "validation", "unlabelled"):
        made_by = sha256(root / "vocab/tokenizer.json")
        encoding.save(root / f"encoded/{split}.safetensors", [data], len(data.docs), made_by)
    return root


def paths(out: str) -> list[str]:
    text = ["encoded", "vocab", "vectors.safetensors", "train_in_test.json", "labels.json"]
    return [*text, f"{out}/model", out, "data/checkpoints", "data/pretrained", "data/timings"]


def torchrun(root, name: str, out: str) -> subprocess.Popen:
    env = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([*TORCHRUN, name, *paths(out)], cwd=root, env=env, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("name", PARAMS["models"])
def test_two_processes_give_what_one_gives(root, name, monkeypatch):
    monkeypatch.chdir(root)
    train.main(name, *map(Path, paths("one")))
    said, _ = torchrun(root, name, "two").communicate(timeout=120)
    assert said.count("epoch 1/3") == len(SEEDS[name])  # rank 0 alone prints, and writes
    weights = [path.relative_to(root / "one") for path in sorted((root / "one").glob("model/**/*.safetensors"))]
    assert len(weights) == len(SEEDS[name])
    for path in weights:
        one, two = (read_arrays(root / side / path)[0] for side in ("one", "two"))
        for key, weight in one.items():
            np.testing.assert_allclose(two[key], weight, atol=1e-5, err_msg=key)
    for a, b in zip(*(read_history(root / side / "history.csv") for side in ("one", "two")), strict=True):
        assert b.model_dump() == pytest.approx(a.model_dump(), abs=1e-5)
    assert [read_json(root / side / "fit.json")["processes"] for side in ("one", "two")] == [1, 2]


def test_a_killed_run_goes_on_with_all_its_processes(root):
    run = torchrun(root, "slow", "three")
    for line in run.stdout:
        if line.startswith("epoch 3/"):
            break
    run.kill()  # its children die with it
    run.communicate(timeout=60)
    resumed = torchrun(root, "slow", "three")
    assert "going on after epoch" in resumed.communicate(timeout=120)[0]
    assert resumed.returncode == 0
    assert torchrun(root, "slow", "four").communicate(timeout=120)[0].count("going on") == 0
    assert sha256(root / "three/model/model.safetensors") == sha256(root / "four/model/model.safetensors")
