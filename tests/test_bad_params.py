"""Params with mistakes, in numbered rows: `textmill check` refuses each in one line that names the key.

The numbers are those of the table in docs/reference/tested.md. test_params.py tries every key's range.
"""

import copy
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

from textmill.config import as_yaml, load_params

PARAMS = load_params(ROOT / "params.yaml")
TEXT = (ROOT / "params.yaml").read_text()
TRAINED = {"source": "trained", "method": "word2vec", "size": 8}
OWN = {"name": "own", "source": "path", "path": "data/input/a.csv", "text": "text", "label": "label", "group": "who"}


def changed(changes: dict[str, Any]) -> dict[str, Any]:
    """Returns params with other values at some dotted keys."""
    params = copy.deepcopy(PARAMS)
    for key, value in changes.items():
        *above, last = key.split(".")
        at = params
        for name in above:
            at = at[name]
        at[last] = value
    return params


def row(number: int, changes: dict[str, Any], *words: str) -> Any:
    return pytest.param(changes, words, id=f"{number}")


WRONG = [
    row(37, {"tokenizers.word.max_size": 2}, "tokenizers.word.max_size: expected greater than 2, found 2"),
    row(44, {"models.lstm.drouput": 0.1}, "models.lstm.drouput: unknown key; did you mean 'dropout'?"),
    row(44, {"dataset.lables": []}, "dataset.lables: unknown key; did you mean 'labels'?"),
    row(44, {"trian": {}}, "trian: unknown key; did you mean 'train'?"),
    row(45, {"threads": True}, "threads: expected a valid integer, found True"),
    row(45, {"train.epochs": 2.0}, "train.epochs: expected a valid integer, found 2.0"),
    row(46, {"models.lstm.hidden": -1}, "models.lstm.hidden: expected at least 1, found -1"),
    row(46, {"models.lstm.hidden": 10**400}, "models.lstm.hidden: expected at most 16384, found 1000"),
    row(46, {"train.lr": float("nan")}, "train.lr: expected a finite number, found nan"),
    row(46, {"train.lr": float("inf")}, "train.lr: expected a finite number, found inf"),
    row(47, {"models.lstm.dropout": 1.0}, "models.lstm.dropout: expected less than 1, found 1.0"),
    row(47, {"train.lr": 0}, "train.lr: expected greater than 0, found 0"),
    row(47, {"train.epochs": 0}, "train.epochs: expected at least 1, found 0"),
    row(48, {"models.transformer.heads": 3}, "width: 64 is not a multiple of heads: 3"),
    row(48, {"models.transformer.width": 63, "models.transformer.heads": 1}, "width: 63 is odd", "sinusoidal"),
    row(49, {"train.max_len": None, "models.transformer.positions": "learned"}, "positions: learned needs a max_len"),
    row(49, {"train.max_len": 1, "train.cut": "head+tail"}, "max_len: 1 leaves no room for cut: head+tail"),
    row(49, {"train.max_len": 0}, "train.max_len: expected at least 1, found 0"),
    row(50, {"models.transformer.bidirectional": True}, "models.transformer.bidirectional: unknown key"),
    row(50, {"models.lstm.vectors": "frozen"}, "models.lstm.vectors: frozen, but tokenizers.word.vectors is null"),
    row(50, {"models.lstm.vectors": "tuned", "tokenizers.word.vectors": TRAINED},
        "models.lstm.embedding: 64, but tokenizers.word.vectors.size is 8"),
    row(50, {"split.validation": 0}, "split.validation: 0, but the data brings no validation split"),
    row(50, {"dataset.group": None}, "split.by: group, but dataset.group is null"),
    row(51, {"split.validation": 0.5, "split.test": 0.5}, "validation: 0.5 and test: 0.5 leave nothing to train"),
    row(51, {"split.test": 0.0, "dataset": OWN}, "split.test: 0, but the data brings no test split"),
    row(53, {"seed": -1}, "seed: expected at least 0, found -1"),
    row(53, {"seed": 2**32}, "seed: expected less than 4294967296, found 4294967296"),
    row(53, {"seed": "42"}, "seed: expected a valid integer, found '42'"),
    row(53, {"train.seeds": [42, 42]}, "train.seeds: a seed occurs twice"),
    row(53, {"train.seeds": []}, "train.seeds: expected a length of 1 or more"),
    row(54, {"train.device": "gpu"}, "train.device: expected auto, cpu, cuda or cuda:N, found 'gpu'"),
    row(61, {"train.label_smoothing": 1.0}, "train.label_smoothing: expected less than 1, found 1.0"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "words"), WRONG)
def test_a_value_that_cannot_be_meant(doors, changes, words):
    Path("params.yaml").write_text(as_yaml(changed(changes)))
    doors.command("check").refused(2, "error: check: params.yaml: ", *words)


@pytest.mark.parametrize(
    "changes",
    [{"split.validation": 0, "dataset": OWN | {"split": "part"}},
     {"split.test": 0, "dataset": OWN | {"path": {"train": "a.csv", "test": "b.csv"}}},
     {"split.test": 0, "dataset": OWN | {"path": "data/input/a.zip"}},
     {"train.batch_tokens": 10**7}],
)  # fmt: skip
def test_a_value_that_may_be_meant(doors, changes):
    Path("params.yaml").write_text(as_yaml(changed(changes)))
    assert doors.command("check")[:2] == (0, "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TEXT + "seed: 1\n", "line 55: found duplicate key"),
        (TEXT.replace("  text: text", "\ttext: text"), "line 13: found character '\\t'"),
        ("", "expected sections such as 'dataset:', found nothing"),
        (TEXT + "#" * 1_000_000, "more than 1,000,000 bytes"),
        ("a0: &a0 [x, x]\n" + "".join(f"a{n + 1}: &a{n + 1} [*a{n}, *a{n}]\n" for n in range(16)), "more than 20,000"),
    ],
)  # fmt: skip
def test_52_what_is_hardly_yaml(doors, text, words):
    """More of it: test_config.py and test_mutated_params.py."""
    Path("params.yaml").write_text(text)
    doors.command("check").refused(2, "error: check: params.yaml", words)
