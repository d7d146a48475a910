"""What is shown while models train, in a terminal and without one."""

import io
import sys

import pytest
from conftest import MODELS, TRAIN, toy
from rich.console import Console

from textmill import models
from textmill.console import say
from textmill.reproduce import board as boards
from textmill.reproduce.board import Board, LiveBoard, clock, log_of
from textmill.reproduce.progress import Progress
from textmill.training.seeds import fit_seeds
from textmill.training.task import Task

EPOCH = "epoch {}/8: loss 0.6839, validation loss 0.6803, accuracy 0.7{}00 (2.0 s)"


def at(*lines: str, expected: float = float("inf")) -> Progress:
    """Returns the progress of a model that has printed these lines, one a second."""
    progress = Progress(0.0, expected)
    for second, line in enumerate(lines, 1):
        progress.read(line, float(second))
    return progress


@pytest.mark.parametrize(
    ("lines", "place", "share", "left"),
    [
        ([], "starting", 0.0, None),
        (["train@a begins"], "train", 0.0, None),
        (["train@a begins", EPOCH.format(3, 1)], "epoch 3/8", 3 / 8, 10.0),
        (["train@a begins", EPOCH.format(3, 1), "epoch 4: 1,000 of 2,000"], "epoch 3/8", 3.5 / 8, 9.0),
        (["train@a begins", "seed -7 (2 of 3)", EPOCH.format(4, 1)], "seed 2/3, epoch 4/8", 0.5, 24.0),
        (["train@a begins", EPOCH.format(8, 1), "seed 1 (2 of 2)"], "seed 2/2", 0.5, 15.0),
        (
            ["train@a begins", "pretraining epoch 1/4: loss 0.5 (9.9 s, 1,234 ids/s)"],
            "pretraining epoch 1/4",
            0.25,
            None,
        ),
        (["train@a begins", EPOCH.format(8, 1), "train@a: 9.1 s", "evaluate@a begins"], "evaluate", 1.0, None),
    ],
)
def test_how_far_a_model_is(lines, place, share, left):
    progress = at(*lines)
    assert (progress.at, progress.share) == (place, share)
    assert progress.left(len(lines)) == left


def test_before_the_first_epoch_an_earlier_training_says_what_is_left():
    progress = at("train@a begins", expected=30.0)
    assert [progress.left(now) for now in (1.0, 10.0, 99.0)] == [29.0, 20.0, None]
    assert progress.read(EPOCH.format(1, 1), 12.0) == "epoch"
    assert progress.left(12.0) == 14.0


def test_epochs_too_short_to_be_told_are_timed_here():
    short = EPOCH.replace("2.0 s", "0.0 s")
    progress = at("train@a begins", short.format(2, 1), short.format(4, 1))  # one a second: half a second an epoch
    assert progress.left(3.0) == 2.0


@pytest.mark.parametrize(
    "line", ["a: gpu 1", "error: train@a: no", "resuming after epoch 3", "accuracy 0.5", "epoch", "", "x begins to y"]
)
def test_other_lines_are_for_people(line):
    assert at().read(line, 1.0) == ""


def test_the_lines_are_those_of_the_training(tmp_path, capsys):
    """Otherwise a change of these lines would silence the terminal."""
    model = models.model_entry(MODELS["cnn"], {**TRAIN, "epochs": 3, "seeds": [1, 2]}, "cnn")
    data = toy(40, 30, 2)
    task = Task(30, 2, 1)
    fit_seeds(model.family, model.config, model.settings, data, data, task, lambda seed: tmp_path / str(seed))
    progress = Progress(0.0)
    lines = capsys.readouterr().out.splitlines()
    assert [progress.read(line, 1.0) for line in lines] == ["step", *["epoch"] * 3] * 2
    assert (progress.seed, progress.epoch) == ((2, 2), (3, 3))
    assert 0 <= progress.accuracy <= 1


@pytest.fixture
def now(monkeypatch, tmp_path):
    """A clock that a test sets; logs go to a temporary folder."""
    monkeypatch.chdir(tmp_path)
    time = [0.0]
    monkeypatch.setattr(boards.time, "monotonic", lambda: time[0])
    return time


def play(board: Board, now: list[float]) -> None:
    """Runs two models; one ends, one fails."""
    with board:
        for model in ("a", "b\x1b[2J"):
            board.begin(model)
            board.add_line(model, f"train@{model} begins", error=False)
        for epoch in range(1, 9):
            now[0] += 2.0
            board.add_line("a", EPOCH.format(epoch, epoch), error=False)
        board.add_line("a", "evaluate: a: test accuracy 75.5 %", error=False)
        board.add_line("b\x1b[2J", "error: train@b: no", error=True)
        board.end("a", 0)
        board.end("b\x1b[2J", 3)


def test_plain_lines_where_there_is_no_terminal(now, capsys):
    play(Board(["a", "b\x1b[2J", "c"], {}), now)
    out, error = capsys.readouterr()
    lines = [line.partition(" | ")[2] for line in out.splitlines() if line[0] == "a"]
    epochs = [EPOCH.format(epoch, epoch) for epoch in (3, 6)]  # every five seconds at most
    assert lines == ["begins", *epochs, "test accuracy 75.5 %; 16.0 s; 1 of 3 models"]
    assert error == "b[2J | error: train@b: no\n"
    assert log_of("a").read_text().count("epoch") == 8


@pytest.mark.parametrize("width", [60, 80, 140])
def test_a_line_each_in_a_terminal(now, monkeypatch, width):
    board = LiveBoard(["a", "b" * 40, "c"], {"a": 30.0})
    for model in ("a", "b" * 40):
        board.begin(model)
        for line in (f"train@{model} begins", "seed 42 (2 of 3)", EPOCH.format(4, 1)):
            board.add_line(model, line, error=False)
    console = Console(width=width, file=io.StringIO(), force_terminal=False)
    console.print(board.view())
    first, second, last = console.file.getvalue().splitlines()
    assert all(len(line) <= width for line in (first, second, last))
    assert first.split()[0] == "a"
    if width >= 80:
        for line in (first, second):
            assert "seed 2/3, epoch 4/8" in line
            assert line.rstrip().endswith("71.0 %  ~ 24 s left")
    assert last.startswith("0 of 3 models done, 1 waiting")


@pytest.mark.parametrize("terminal", [True, False])
def test_long_lines_break_between_words_in_a_terminal(monkeypatch, capsys, terminal):
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    words = ["track: 2 runs in the", "store; see", "http://127.0.0.1:5000/#/experiments"]
    say(" ".join(words))
    assert capsys.readouterr().out == ("\n  " if terminal else " ").join(words) + "\n"


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (187, "3:07"), (3723, "1:02:03")])
def test_seconds_as_people_read_them(seconds, text):
    assert clock(seconds) == text
