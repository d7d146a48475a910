"""Files that a user may edit, and files of earlier stages, with any damage: their readers raise errors of one line.

Nothing here relies on the md5s in dvc.lock, by which a stage refuses such files before it reads them.
"""

import json
import os
from collections.abc import Callable
from contextlib import chdir, suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import stagewise
from conftest import no_hang
from hypothesis import given, settings
from hypothesis import strategies as st
from mutating import damaged, mistaken

from textmill import bundle, dag, intact, lockfile, outputs, pin, tokenizers, vectors
from textmill.annotation.score_cache import ScoreCache
from textmill.config import load_params
from textmill.dag import load_pipeline, stage_names
from textmill.errors import TextmillError
from textmill.files import read_json, sha256
from textmill.parquet import read_batches, read_parquet
from textmill.records.comparison import Comparison
from textmill.records.curve import Curve
from textmill.records.data import Classes, Clean, Split, Tokenized, TrainInTest, Vectors, Vocabulary
from textmill.records.fit import Fit
from textmill.records.history import read_history
from textmill.records.mistakes import Mistakes
from textmill.records.scores import Scores
from textmill.records.slices import Slices
from textmill.records.suspects import Suspects
from textmill.records.terms import Terms
from textmill.reproduce import order
from textmill.review import changes
from textmill.sources.parts import read_manifest
from textmill.text import encoding
from textmill.timings import Timing
from textmill.tracking.snapshot import read_results
from textmill.verify import sides

EXAMPLES = int(os.environ.get("EXAMPLES", "3"))  # of each file and kind of damage
LSTM, METRICS = Path("data/models/lstm"), Path("metrics/models/lstm")
TOKENIZER = Path("data/vocab/word/tokenizer.json")


class File(NamedTuple):
    """A file, and all that reads it."""

    path: str
    read: Callable[[Path], object]


def of_pipeline(path: Path) -> None:
    """All that Textmill asks of dvc.yaml."""
    params = load_params(Path("params.yaml"))
    pipeline = load_pipeline(path)
    for name in stage_names(pipeline, params, []):
        dag.outputs(name, pipeline, params)
        dag.dependencies(name, pipeline, params)
    with suppress(TextmillError):
        outputs.check_user_files({"dataset": params["dataset"]}, "params.yaml", path)
    intact.check_inputs("train@lstm", pipeline, params)


def of_lock(path: Path) -> None:
    """All that reads dvc.lock."""
    failed, pipeline, params = [], load_pipeline(Path("dvc.yaml")), load_params(Path("params.yaml"))
    for read in (partial(intact.check_inputs, "train@lstm", pipeline, params),
                 partial(intact.check_inputs, "compare", pipeline, params),
                 partial(sides.of_folder, Path()), partial(read_results, path, ["linear", "lstm"]),
                 partial(order.wanted_order, ["train@lstm"])):  # fmt: skip
        try:
            read()
        except TextmillError as error:
            failed.append(error)
    if failed:
        raise failed[0]


def of_documents(path: Path) -> None:
    for some in read_batches(path, ["id", "text", "label"]):
        encoding.classes(some["label"], ["bad", "good"])
    read_parquet(path, columns=["id"])


def made_by() -> str:
    return sha256(TOKENIZER)


def of_bundle(path: Path) -> None:
    bundle.read(path.parent)
    bundle.read_config(path.parent)


FILES = [
    File("dvc.yaml", of_pipeline),
    File("dvc.lock", of_lock),
    File("pyproject.toml", lambda path: pin.pinned(path.parent)),
    File("data/.order.json", lambda _: order.wanted_order(["a"])),
    File("data/raw/manifest.json", lambda path: read_manifest(path.parent)),
    File("data/clean/labels.json", Classes.read),
    File("data/split/train.parquet", of_documents),
    File("data/split/train_in_test.json", lambda path: TrainInTest.read(path).rows(144)),
    File("data/vocab/word/tokenizer.json", tokenizers.load),
    File("data/encoded/word/test.safetensors",
         lambda path: encoding.check_ids(path, encoding.load(path, made_by()).docs, 99)),
    File("data/vectors/word.safetensors", lambda path: vectors.load(path, made_by())),
    File("data/models/lstm/config.json", of_bundle),
    File("data/models/lstm/model.safetensors", of_bundle),
    File("data/models/lstm/tokenizer.json", lambda path: tokenizers.load(path)),
    File("data/checkpoints/lstm-curve-97b5b33d75edbcd7.json", lambda path: ScoreCache(path.parent, "lstm", [1])),
    File("metrics/clean.json", Clean.read),
    File("metrics/split.json", Split.read),
    File("metrics/suspects.json", Suspects.read),
    File("metrics/tokenizers/vocab-word.json", Vocabulary.read),
    File("metrics/tokenizers/encode-word.json", Tokenized.read),
    File("metrics/tokenizers/vectors-word.json", Vectors.read),
    File("metrics/models/lstm/fit.json", Fit.read),
    File("metrics/models/lstm/history.csv", read_history),
    File("metrics/models/lstm/timing.json", Timing.read),
    File("metrics/models/lstm/scores.json", Scores.read),
    File("metrics/models/lstm/summary.json", lambda path: changes.summary(path.read_bytes(), path)),
    File("metrics/models/lstm/errors.json", Mistakes.read),
    File("metrics/models/lstm/analysis.json", Slices.read),
    File("metrics/models/lstm/terms.json", Terms.read),
    File("metrics/models/lstm/curve.json", Curve.read),
    File("report/comparison.json", Comparison.read),
]  # fmt: skip
SNIPPETS = [
    b"\0",
    b"\xff",
    b'"',
    b"'",
    b",",
    b":",
    b"\n",
    b"{",
    b"}",
    b"[",
    b"]" * 3,
    b"[" * 5000,
    b"-",
    b"1e999",
    b"NaN",
]
SNIPPETS += [b"null", b"7: x\n", b"\\ud800", b"9" * 5000, b"  - a\n", b"*a", b"&a ", b"!!int x", b"\t", b"x" * 70_000]
PINNED = '[project]\nname = "a"\n\n[tool.textmill]\nversion = "1"\nsource = "a.whl"\ncode = "0123"\n'


@pytest.fixture(scope="module", autouse=True)
def project(tmp_path_factory):
    """A project whose stages all ran, as the current folder, with the other files that it may have."""
    folder = stagewise.finish(tmp_path_factory.mktemp("mutated") / "project")
    with chdir(folder):
        Path("pyproject.toml").write_text(PINNED)
        Path("data/.order.json").write_text('["train@linear", "train@lstm"]')
        Path("data/checkpoints").mkdir(exist_ok=True)
        Path("data/checkpoints/lstm-curve-97b5b33d75edbcd7.json").write_text('{"a": {"accuracy": 0.5}}')
        stagewise.lock()
        yield folder


def reads(file: File, content: bytes) -> None:
    """Reads a file with other content, and puts the right one back."""
    path = Path(file.path)
    sound = path.read_bytes()
    path.write_bytes(content)
    try:
        with no_hang(), suppress(TextmillError):
            file.read(path)
    finally:
        path.write_bytes(sound)


@pytest.mark.parametrize("file", FILES, ids=[file.path for file in FILES])
def test_a_sound_file_is_read(file):
    file.read(Path(file.path))


@pytest.mark.parametrize("file", FILES, ids=[file.path for file in FILES])
@settings(max_examples=EXAMPLES)
@given(times=st.integers(1, 3), draw=st.randoms(use_true_random=False))
def test_damaged_bytes(file, times, draw):
    content = Path(file.path).read_bytes()
    for _ in range(times):
        content = damaged(content, draw, SNIPPETS)
    reads(file, content)


JSON = [file for file in FILES if file.path.endswith(".json")]


@pytest.mark.parametrize("file", JSON, ids=[file.path for file in JSON])
@settings(max_examples=EXAMPLES)
@given(times=st.integers(1, 3), draw=st.randoms(use_true_random=False))
def test_json_with_wrong_values_and_keys(file, times, draw):
    value: Any = read_json(Path(file.path))
    for _ in range(times):
        value = mistaken(value, draw)
    reads(file, json.dumps(value, skipkeys=True).encode())


@settings(max_examples=EXAMPLES * 4)
@given(times=st.integers(1, 3), draw=st.randoms(use_true_random=False))
def test_a_pipeline_with_wrong_values_and_keys(times, draw):
    pipeline: Any = load_params(Path("dvc.yaml"))
    for _ in range(times):
        pipeline = mistaken(pipeline, draw)
    reads(FILES[0], json.dumps(pipeline, skipkeys=True).encode())  # json is YAML


@settings(max_examples=EXAMPLES * 4)
@given(times=st.integers(1, 3), draw=st.randoms(use_true_random=False))
def test_an_entry_of_dvc_lock_with_wrong_values_and_keys(times, draw):
    whole = lockfile.text_of(Path("dvc.lock"))
    (name, entry) = draw.choice(list(lockfile.entries(whole).items()))
    value: Any = lockfile.parsed(entry, "dvc.lock")
    for _ in range(times):
        value = mistaken(value, draw)
    reads(FILES[1], whole.replace(entry, f"  {name}:\n    {json.dumps(value, skipkeys=True)}\n").encode())
