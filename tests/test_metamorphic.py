"""What must not matter: how classes are numbered, and case, spaces and line breaks of a text."""

from tempfile import TemporaryFile

import numpy as np
import polars as pl
import pytest
from conftest import BAD, FILLER, GOOD, MODELS, TRAIN, toy

from textmill import tokenizers
from textmill.models import model_entry
from textmill.text.encoding import Encoded
from textmill.text.ragged import Ragged
from textmill.training.task import Fitted, Task

VOCABULARY, ROWS = 40, 1000
STOP = {"the", "was", "an", "and", "its", "of", "very"}


def fit(name: str, train: Encoded, validation: Encoded, vocabulary: int, epochs: int = 14, classes: int = 2) -> Fitted:
    entry = MODELS[name] | ({} if name == "linear" else {"epochs": epochs})
    checked = model_entry(entry, TRAIN, f"params.yaml: models.{name}")
    task = Task(vocabulary, classes, 7, None)
    return checked.family.fit(checked.config, checked.settings, train, validation, task, None)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_classes_numbered_the_other_way_give_the_same_predictions(name):
    data, new = toy(200, VOCABULARY, 2), toy(ROWS, VOCABULARY, 2, seed=1)
    swapped = Encoded(data.docs, 1 - data.labels)
    plain, other = (fit(name, one, one, VOCABULARY).model.predict_proba(new.docs) for one in (data, swapped))
    if name == "linear":
        np.testing.assert_allclose(plain, other[:, ::-1], atol=1e-4)
    else:  # the first weights of a class are drawn by its number, so the models differ, but not in what they can do
        right = [(plain.argmax(1) == new.labels).mean(), (other.argmax(1) == 1 - new.labels).mean()]
        assert min(right) > 0.8
        assert abs(right[0] - right[1]) < 3 * (2 * 0.25 / ROWS) ** 0.5, right


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_random_labels_give_chance_accuracy(name):
    """Otherwise something about the held-out documents would leak into training."""
    rng = np.random.default_rng(3)
    train, new = toy(300, VOCABULARY, 2), toy(ROWS, VOCABULARY, 2, seed=1)
    train = Encoded(train.docs, rng.integers(0, 2, 300))
    drawn = rng.integers(0, 2, ROWS)
    predicted = fit(name, train, train, VOCABULARY, epochs=3).model.predict_proba(new.docs).argmax(1)
    assert abs((predicted == drawn).mean() - 0.5) < 3 * 0.5 / ROWS**0.5


def reviews_of(rng: np.random.Generator, number: int) -> str:
    words = [*rng.choice(FILLER, rng.integers(3, 12)), *rng.choice((BAD, GOOD)[number % 2], 2)]
    rng.shuffle(words)
    return " ".join(words)


READ = {
    "word": {"kind": "word", "min_freq": 1},
    "char": {"kind": "char", "min_freq": 1, "spaces": "collapse"},
    "bpe": {"kind": "bpe", "min_freq": 2, "max_size": 400, "spaces": "collapse"},
}


def test_every_kind_that_learns_is_tested():
    assert set(READ) | {"pretrained"} == set(tokenizers.KINDS)  # what that one reads, its file decides


@pytest.fixture(scope="module", params=READ)
def read(request):
    """A tokenizer that lower-cases and strips markup, and its training documents."""
    rng = np.random.default_rng(0)
    texts = pl.Series([reviews_of(rng, number) for number in range(300)])
    with TemporaryFile() as spill:
        config = tokenizers.tokenizer_config(READ[request.param], "params.yaml: tokenizers.t")
        tokenizer, documents = tokenizers.fit(lambda: [texts], config, spill, {})
        list(documents)
    return tokenizer, Encoded(tokenizer.encode(texts), np.arange(300) % 2)


CHANGES = {
    "case of stop words": lambda text: " ".join(w.upper() if w in STOP else w for w in text.split()),
    "doubled spaces": lambda text: text.replace(" ", "  "),
    "line breaks": lambda text: text.replace(" ", "<br />", 1),
    "lines": lambda text: text.replace(" ", "\n", 1),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_case_spaces_and_breaks_leave_the_label(read, name):
    tokenizer, train = read
    rng = np.random.default_rng(1)
    texts = [reviews_of(rng, number) for number in range(ROWS)]
    model = fit(name, train, train, tokenizer.size, epochs=2).model

    def labels(of: list[str]) -> np.ndarray:
        docs: Ragged = tokenizer.encode(pl.Series(of))
        return model.predict_proba(docs).argmax(1)

    before = labels(texts)
    for what, change in CHANGES.items():
        assert (labels([change(text) for text in texts]) == before).mean() >= 0.99, what
