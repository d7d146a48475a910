"""Made-up reviews, small models of every family, and the doors that users have: stages and the command."""

import importlib
import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import settings
from torch import nn
from typer.testing import CliRunner

from textmill import stage
from textmill.cli import app
from textmill.errors import ParamsError
from textmill.text.encoding import Encoded
from textmill.text.ragged import Ragged
from textmill.training import checkpoint
from textmill.training.devices import no_bfloat16
from textmill.training.task import Model
from textmill.training.updates import Updates

pytest.register_assert_rewrite("stores")
settings.register_profile("here", deadline=None, derandomize=True)  # a red test stays red when it is run again
settings.load_profile("here")
torch.set_num_threads(1)  # tiny models: a second thread only waits
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # hundreds of processes would compile the same modules each

ROOT = Path(__file__).parents[1]
HANGS = 600  # seconds after which what a test waits for will not come: no result depends on them

GOOD = ["great", "lovely", "superb", "moving", "funny", "sharp", "warm", "brilliant"]
BAD = ["dull", "awful", "boring", "weak", "clumsy", "flat", "cold", "pointless"]
FILLER = ["the", "film", "plot", "was", "an", "actor", "and", "its", "end", "of", "story", "very"]

TRAIN: dict[str, Any] = {
    "seeds": [42],
    "epochs": 14,
    "batch_tokens": 256,
    "batch_documents": None,
    "accumulate": 1,
    "max_len": 40,
    "cut": "tail",
    "loss": "cross_entropy",
    "class_weights": "none",
    "label_smoothing": 0.0,
    "adversarial": None,
    "ema": None,
    "optimizer": "adamw",
    "lr": 0.01,
    "weight_decay": 0.01,
    "schedule": "constant",
    "warmup": 0.0,
    "clip": 1.0,
    "monitor": "accuracy",
    "patience": None,
    "precision": "float32",
    "device": "cpu",
}
ENDS = {"vectors": "none", "max_norm": None, "bigrams": 0, "locked": True, "head": [], "pretrain": None}
RECURRENT = {"tokenizer": "word", "embedding": 8, "hidden": 8, "layers": 2, "bidirectional": True, "dropout": 0.1}
RECURRENT |= {"start": "orthogonal", **ENDS}
MODELS: dict[str, dict[str, Any]] = {
    "linear": {"family": "linear", "tokenizer": "word", "ngrams": 2, "min_count": 1, "weighting": "nb", "c": 1.0},
    "rnn": {"family": "rnn", **RECURRENT, "pooling": "max+mean"},
    "gru": {"family": "gru", **RECURRENT, "pooling": "attention"},
    "lstm": {"family": "lstm", **RECURRENT, "pooling": "last", "forget_bias": 1.0},
    "cnn": {"family": "cnn", "tokenizer": "word", "embedding": 8, "widths": [1, 2, 3], "filters": 8, "dropout": 0.1},
    "transformer": {
        "family": "transformer",
        "tokenizer": "word",
        "width": 8,
        "layers": 2,
        "heads": 2,
        "feedforward": 16,
        "positions": "sinusoidal",
        "pooling": "cls+mean",
        "dropout": 0.1,
        **ENDS,
    },
}


CELLS = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


def has_bfloat16(family: str, training: bool = True) -> bool:
    """Whether the processor computes networks of a family in bfloat16."""
    return no_bfloat16(CELLS.get(family, nn.Linear)(1, 1), training) is None


def refused_without_bfloat16(family: str, training: bool = True) -> AbstractContextManager:
    """A block that runs where the processor has bfloat16, and raises its ParamsError elsewhere."""
    expected = "precision: bfloat16, but this processor .*; set float32"
    return nullcontext() if has_bfloat16(family, training) else pytest.raises(ParamsError, match=expected)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks trainings with every option as slow, and starts the files that have slow tests first."""
    for item in items:
        if "by recipes" in item.name:
            item.add_marker(pytest.mark.slow)
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@contextmanager
def killed_after(epoch: int) -> Iterator[None]:
    """A training that is killed as soon as it has kept that epoch."""
    save = checkpoint.save

    def kill(folder: Path, facts: dict[str, Any], *rest: Any) -> None:
        save(folder, facts, *rest)
        if facts["epoch"] == epoch:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(checkpoint, "save", kill)
        yield


@contextmanager
def ended_at(step: int, how: Callable[[], object]) -> Iterator[None]:
    """A training that is ended inside of its update number `step`, counted from 1 over all epochs."""
    plain, done = Updates.step, count(1)

    def ended(self: Updates, *given: Any) -> float:
        if next(done) == step:
            how()
        return plain(self, *given)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Updates, "step", ended)
        yield


def interrupted() -> None:
    raise KeyboardInterrupt


@contextmanager
def small_disk(limit: int) -> Iterator[None]:
    """No file may grow beyond `limit` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(scope="session")
def reviews() -> pl.DataFrame:
    return made_up()


def made_up() -> pl.DataFrame:
    """Returns 240 made-up reviews in two classes, of 60 films; no text twice."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(240):
        label = ("bad", "good")[number % 2]
        words = list(rng.choice(FILLER, rng.integers(3, 12))) + list(rng.choice((BAD, GOOD)[number % 2], 2))
        rng.shuffle(words)
        rows.append({"text": " ".join(words) + f" n{number}", "label": label, "film": f"film {number % 60}"})
    return pl.DataFrame(rows)


def no_columns(path: Path) -> Path:
    """What clean writes where no column of the data is asked for."""
    pl.DataFrame(schema={"id": pl.String}).write_parquet(path)
    return path


def reads_what_it_says(model: Model, vocabulary: int, limit: int | None) -> None:
    """Asserts that a model reads the ids at its `positions`, `limit` at most, and no others."""
    rng = np.random.default_rng(4)

    def scores(ids: np.ndarray) -> np.ndarray:
        return model.predict_proba(Ragged(ids, np.array([0, len(ids)])))

    for length in (1, 8, 9, 10, 31):
        read = model.positions(length)
        assert len(read) == min(length, limit or length)
        ids, other = rng.integers(2, vocabulary, (2, length)).astype(np.int32)
        other[read] = ids[read]
        for same in (other, ids[read]):
            np.testing.assert_allclose(scores(same), scores(ids), atol=1e-6)
    for place in read:
        changed = ids.copy()
        changed[place] = 2 + (ids[place] - 1) % (vocabulary - 2)
        assert not np.array_equal(scores(changed), scores(ids)), place


def toy(documents: int, vocabulary: int, classes: int, seed: int = 0) -> Encoded:
    """Returns random documents; each contains its class as one of the first ids."""
    rng = np.random.default_rng(seed)
    labels = np.arange(documents) % classes
    lengths = rng.integers(1, 30, documents)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    ids = rng.integers(2 + classes, vocabulary, offsets[-1]).astype(np.int32)
    ids[offsets[:-1] + rng.integers(0, lengths)] = 2 + labels
    return Encoded(Ragged(ids, offsets), labels)


class Ended(NamedTuple):
    """How a run ended. told: what it wrote to stderr; out: to stdout; changed: files that it wrote or deleted."""

    code: int
    told: str
    out: str
    changed: list[str]

    def refused(self, code: int, *words: str) -> None:
        """Fails unless it ended with this exit code and one line with these words, and wrote nothing."""
        assert self.code == code, self
        assert self.told.startswith("error: ")
        assert self.told.count("\n") == 1
        assert len(self.told) < 700
        for word in words:
            assert word in self.told
        assert self.changed == []


class Doors:
    """Runs stages and the command in the current folder, each as its own process would, but in this one."""

    def __init__(self, capsys: pytest.CaptureFixture[str]):
        self.capsys = capsys

    def stage(self, name: str, *words: object) -> Ended:
        """Runs a stage as DVC does. words: what dvc.yaml has after its name."""
        before, code = _files(), 0
        with pytest.MonkeyPatch.context() as patch:
            for setting in ("end_with_parent", "interrupt_once"):  # they change the process
                patch.setattr(stage, setting, lambda **_: None)
            try:
                stage.run(name, lambda: importlib.import_module(f"stages.{name}").main, [*map(str, words)])
            except SystemExit as error:
                code = int(str(error.code))
        out, told = self.capsys.readouterr()
        return Ended(code, told, out, _changes(before))

    def command(self, *words: object, stdin: str | None = None) -> Ended:
        """Runs `textmill` with these words."""
        before = _files()
        done = CliRunner().invoke(app, [*map(str, words)], input=stdin)
        assert isinstance(done.exception, SystemExit | None), done.exception
        return Ended(done.exit_code, done.stderr, done.stdout, _changes(before))


def _files() -> dict[str, bytes]:
    """The files below the current folder, without those that say who has locked it."""
    found = (path for path in Path().rglob("*") if path.is_file() and path.parent.name != ".locks")
    return {path.as_posix(): path.read_bytes() for path in found}


def _changes(before: dict[str, bytes]) -> list[str]:
    after = _files()
    return [path for path in {**before, **after} if before.get(path) != after.get(path)]


@pytest.fixture
def doors(tmp_path, monkeypatch, capsys) -> Doors:
    """In an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TEXTMILL_HUB_MIRROR", raising=False)
    return Doors(capsys)


@contextmanager
def no_hang(seconds: int = 20) -> Iterator[None]:
    """A block that fails instead of computing without end. seconds: of the processor."""
    before = signal.signal(signal.SIGPROF, lambda *_: pytest.fail("it computes without end"))
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
