"""Runs under torchrun, as a user starts them: two processes give the same result as one."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
import polars as pl
import pytest
from conftest import HANGS, MODELS, ROOT, TRAIN, toy

from stages import train
from textmill import tokenizers, vectors
from textmill.arrays import read_arrays
from textmill.files import read_json, sha256, write_json
from textmill.records.history import read_history
from textmill.rows import profile
from textmill.text import encoding
from textmill.text.ragged import Ragged
from textmill.tokenizers.word import WordConfig, WordTokenizer
from textmill.vectors import WordVectors

pytestmark = pytest.mark.slow

# No dropout: each rank has its own masks. No Adam: where a gradient is 0 (that of the keys' biases), it turns rounding
# errors into steps. Batches are so small that one has a single document, which leaves a rank none.
SETTINGS = {**TRAIN, "epochs": 3, "batch_tokens": 100, "max_len": 60, "optimizer": "sgd", "class_weights": "balanced"}
READING = {"epochs": 2, "lr": 0.1, "window": 14, "negatives": 20}
RECIPES = {"dropout": 0.0, "bigrams": 30, "max_norm": 0.9, "head": [6], "batch_documents": 3, "accumulate": 3}
RECIPES |= {"label_smoothing": 0.1, "adversarial": 0.2, "ema": 0.9, "updates": 24}  # so that there is a fourth epoch
PLAIN = {"dropout": 0.0, "pretrain": READING}
SEEDS = {"lstm": [3, 4], "transformer": [3], "recipes": [3]}
PARAMS = {
    "seed": 3,
    "threads": 1,
    "dataset": {"text": "text"},
    "train": SETTINGS,
    "models": {
        **{
            name: {**MODELS[name], "dropout": 0.0, "pretrain": READING, "seeds": SEEDS[name]}
            for name in ("lstm", "transformer")
        },
        "recipes": {**MODELS["gru"], **RECIPES, "seeds": SEEDS["recipes"]},
    },
}
LONG = {**MODELS["gru"], "epochs": 5}  # long enough to be killed
WORD = {"kind": "word", "lowercase": True, "markup": "strip", "pattern": "[a-z0-9]+", "min_freq": 1, "max_size": 50}
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("distributed")
    for side in ("one", "two"):
        write_json(root / side / "params.yaml", {**PARAMS, "models": {**PARAMS["models"], "long": LONG}})
    write_json(root / "labels.json", ["a", "b", "c"])
    words = pl.Series([f"w{number}" for number in range(40)])
    with TemporaryFile() as spill:
        tokenizer, _ = WordTokenizer.fit(lambda: [words], WordConfig(**WORD), spill, {})
    tokenizers.save(root / "vocab/tokenizer.json", tokenizer)
    write_json(root / "train_in_test.json", [])
    ids = {"tokens": 0, "unknown": 0.0, "lengths": profile.lengths(np.empty(0))}
    write_json(root / "vocab.json", {"vocabulary": tokenizer.size, "train": ids})
    (root / "code.txt").write_text("0123 textmill\n")
    none = WordVectors(np.empty(0, np.int64), np.empty((0, 0), np.float32))
    vectors.save(root / "vectors.safetensors", none, sha256(root / "vocab/tokenizer.json"))
    data = toy(50, 40, 3)
    ids = np.concatenate(
        [data.docs.ids, np.full(60, 7, np.int32)]
    )  # the last is longer than half a batch, so it is alone in one
    data = encoding.Encoded(Ragged(ids, np.append(data.docs.offsets, len(ids))), np.append(data.labels, 0))
    for split in ("train", "validation", "unlabelled"):
        made_by = sha256(root / "vocab/tokenizer.json")
        encoding.save(root / f"encoded/{split}.safetensors", [data], len(data.docs), made_by)
    return root


def words(root: Path, name: str, out: str) -> list[str]:
    """Returns the arguments of `stages.train`."""
    text = ["code.txt", "vocab.json", "encoded", "vocab", "vectors.safetensors", "train_in_test.json", "labels.json"]
    made = [f"{out}/{name}/model", f"{out}/{name}", "data/checkpoints", "data/pretrained"]
    return [name, *(str(root / path) for path in text), *made]


def torchrun(root: Path, *told: str) -> tuple[int, str]:
    """Returns its exit code and output, once all its processes have ended."""
    env = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1"}
    command = {"args": [*TORCHRUN, *told], "cwd": root / "two", "env": env}
    with subprocess.Popen(**command, stdout=subprocess.PIPE, text=True) as run:
        said, _ = run.communicate(timeout=HANGS)
    return run.returncode, said


@pytest.fixture(scope="module")
def said(root) -> dict[str, str]:
    """Returns the output of two processes in each training, under one torchrun, which is killed in the last."""
    names = [*PARAMS["models"], "long"]
    trainings = [words(root, name, "whole") for name in names] + [words(root, "long", "killed")]
    code, out = torchrun(root, str(ROOT / "tests/ranks.py"), json.dumps(trainings))
    assert code == -signal.SIGKILL
    return dict(zip([*names, "killed"], re.split("-- end of .*\n", out), strict=True))


@pytest.mark.parametrize("name", PARAMS["models"])
def test_two_processes_give_what_one_gives(root, said, name, monkeypatch):
    monkeypatch.chdir(root / "one")
    name, *paths = words(root, name, "whole")
    train.main(name, *map(Path, paths))
    assert len(re.findall("(?m)^epoch 1/", said[name])) == len(SEEDS[name])  # only rank 0 prints and writes
    one, two = (root / side / "whole" / name for side in ("one", "two"))
    weights = [path.relative_to(one) for path in sorted(one.glob("model/**/*.safetensors"))]
    assert len(weights) == len(SEEDS[name])
    for path in weights:
        found = read_arrays(two / path)[0]
        for key, weight in read_arrays(one / path)[0].items():
            np.testing.assert_allclose(found[key], weight, atol=1e-5, err_msg=key)
    for a, b in zip(*(read_history(side / "history.csv") for side in (one, two)), strict=True):
        assert b.model_dump() == pytest.approx(a.model_dump(), abs=1e-5)
    told = [read_json(side / "fit.json") for side in (one, two)]
    assert [fit["processes"] for fit in told] == [1, 2]
    assert len({fit["learning"]["updates"] for fit in told}) == 1
    assert {fit["learning"]["epochs"] for fit in told} == {4 if name == "recipes" else 3}


def test_a_killed_run_goes_on_with_all_its_processes(root, said):
    assert "epoch 3/5" in said["killed"]
    assert "epoch 4/5" not in said["killed"]  # the children died with torchrun
    code, out = torchrun(root, "-m", "textmill.stage", "train", *words(root, "long", "killed"))
    assert code == 0
    assert "resuming after epoch 3" in out
    assert "resuming" not in said["long"]
    one, other = (sha256(root / f"two/{side}/long/model/model.safetensors") for side in ("killed", "whole"))
    assert one == other
