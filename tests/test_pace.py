"""The number of updates in a training."""

import numpy as np
import pytest
from conftest import MODELS, ROOT, TRAIN, toy
from hypothesis import given
from hypothesis import strategies as st

from textmill.config import load_params
from textmill.models import model_entry
from textmill.training.pace import LEAST, batches_by_update, with_enough_updates
from textmill.training.settings import TrainConfig
from textmill.training.task import Task

DEFAULT = {"epochs": 8, "patience": 3, "batch_tokens": 4096}


def plan(rows: int, words: int, **keys) -> tuple[int | None, int, int | None]:
    """Returns batch_documents, epochs and patience for so many documents of so many words."""
    adapted = with_enough_updates(TrainConfig(**DEFAULT | keys), np.full(rows, words))
    return adapted.batch_documents, adapted.epochs, adapted.patience


@pytest.mark.parametrize(
    ("rows", "words", "keys", "expected"),
    [
        (1000, 20, {}, (None, 8, 3)),  # null: unchanged
        (1000, 20, {"updates": 600}, (32, 19, 7)),
        (1000, 20, {"updates": 600, "patience": None}, (32, 19, None)),
        (3000, 20, {"updates": 600}, (40, 8, 3)),  # smaller batches are enough
        (10_000, 20, {"updates": 600}, (133, 8, 3)),
        (20_000, 20, {"updates": 600}, (None, 8, 3)),  # already 98 updates per epoch
        (1000, 400, {"updates": 600}, (None, 8, 3)),  # long texts fill batches
        (50, 20, {"updates": 600}, (32, 300, 112)),
        (1, 20, {"updates": 600}, (32, 600, 225)),
        (1000, 20, {"updates": 600, "batch_documents": 16}, (16, 10, 4)),  # a given value is not increased
        (1000, 20, {"updates": 600, "batch_documents": 500}, (32, 19, 7)),
        (1000, 20, {"updates": 600, "accumulate": 4}, (8, 19, 7)),  # 32 documents per update
        (1000, 20, {"updates": 600, "accumulate": 100}, (1, 60, 22)),
        (1000, 20, {"updates": 600, "epochs": 40}, (66, 40, 3)),
    ],
)
def test_small_data_gets_enough_updates(rows, words, keys, expected):
    assert plan(rows, words, **keys) == expected


@given(
    st.lists(st.integers(1, 400), min_size=1, max_size=300),
    st.integers(1, 900),
    st.integers(1, 12),
    st.integers(1, 5),
    st.one_of(st.none(), st.integers(1, 80)),
    st.integers(0, 3),
)
def test_no_epoch_has_fewer_updates_than_were_planned(lengths, updates, epochs, accumulate, documents, seed):
    lengths = np.array(lengths)
    asked = TrainConfig(
        updates=updates, epochs=epochs, accumulate=accumulate, batch_documents=documents, batch_tokens=1000
    )
    adapted = with_enough_updates(asked, lengths)
    made = len(batches_by_update(lengths, adapted, np.random.default_rng(seed)))
    assert made >= len(batches_by_update(lengths, adapted))
    assert made * adapted.epochs >= updates
    assert with_enough_updates(adapted, lengths) == adapted
    assert adapted.epochs == epochs or (adapted.batch_documents or 0) * accumulate <= max(LEAST, accumulate)


@pytest.mark.parametrize(
    ("preset", "updates", "names"),
    [
        ("csv", "its own", ["rnn", "lstm", "gru", "transformer"]),
        ("imdb", "its own", ["rnn", "lstm", "cnn", "transformer", "gru"]),
        ("imdb", 600, ["rnn", "lstm", "cnn", "transformer", "gru"]),
    ],
)
def test_imdbs_batches_stay_as_they_are(preset, updates, names):
    params = load_params(ROOT / f"presets/{preset}.yaml")
    train = params["train"] | ({} if updates == "its own" else {"updates": updates})
    lengths = np.minimum(np.random.default_rng(0).lognormal(5.2, 0.65, 22_511).astype(int) + 1, 400)  # median 181
    for name in names:
        settings = model_entry(params["models"][name], train, name).settings
        assert with_enough_updates(settings, lengths) is settings


@pytest.mark.parametrize(
    ("entry", "expected"),  # epochs planned, updates made, mean documents per update
    [({}, (9, 36, 25.0)), ({"updates": None}, (2, 4, 50.0)), ({"accumulate": 2}, (9, 36, 12.5))],
)
def test_training_makes_the_planned_updates_and_an_entrys_own_keys_count(entry, expected):
    train = TRAIN | {"updates": 36, "epochs": 2, "batch_tokens": 1450}
    checked = model_entry(MODELS["cnn"] | entry, train, "params.yaml: models.m")
    data, held = toy(100, 30, 2), toy(40, 30, 2, seed=1)
    fitted = checked.family.fit(checked.config, checked.settings, data, held, Task(30, 2, 0))
    adapted = fitted.learning
    assert (adapted.epochs, adapted.updates, adapted.batch_documents) == expected
    assert len(fitted.history) == adapted.epochs
