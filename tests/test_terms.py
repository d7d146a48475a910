"""The n-grams with the largest weights add to the model's log-odds what they should."""

import numpy as np
import pytest
from conftest import ROOT

from textmill import tokenizers
from textmill.explain.terms import strongest, tokens
from textmill.files import read_json
from textmill.models.linear import LinearConfig, fit
from textmill.text.encoding import Encoded
from textmill.text.ragged import SPECIALS, Ragged
from textmill.training.task import Task

WORDS = ["<pad>", "<unk>", "good", "bad", "film", "not"]


def learnt(classes: int, weighting: str):
    documents = [[2, 4], [3, 4], [5, 2, 4], [2, 2], [3, 3, 4], [5, 3]] * 4
    labels = np.array([0, 1, classes - 1, 0, 1, 0] * 4)
    ids = np.array([one for document in documents for one in document], np.int32)
    docs = Ragged(ids, np.cumsum([0, *map(len, documents)]))
    data = Encoded(docs, labels)
    config = LinearConfig(family="linear", tokenizer="word", ngrams=2, weighting=weighting)
    return fit(config, data, data, Task(len(WORDS), classes, 1)).model


@pytest.mark.parametrize("classes", [2, 3])
def test_a_term_moves_the_log_odds_by_its_weight(classes):
    model, labels = learnt(classes, "nb"), ["up", "down", "other"][:classes]
    found = strongest(model, 2.0, WORDS.__getitem__, labels).root
    assert list(found) == labels
    rows = np.concatenate([-model.weights, model.weights]) if classes == 2 else model.weights
    for label, row in zip(labels, rows, strict=True):
        weights = [term.weight for term in found[label]]
        assert weights == sorted(weights, reverse=True)
        assert weights[0] == pytest.approx(row.max() / 2.0, abs=1e-4)
        assert len(weights) == (row > 0).sum()
    assert found["up"][0].text in ("good", "not bad", "good good", "good film")
    assert found["down"][0].text in ("bad", "bad film", "bad bad")


def test_most_of_them_are_left_out():
    found = strongest(learnt(2, "tfidf"), 1.0, WORDS.__getitem__, ["up", "down"], most=2).root
    assert [len(terms) for terms in found.values()] == [2, 2]


@pytest.mark.parametrize("kind", ["word", "char", "bpe", "pretrained"])
def test_ids_have_the_names_that_their_tokenizer_gives(kind):
    path = ROOT / f"tests/formats/tokenizer-2/{kind}.json"
    own = tokenizers.load(path)
    found = tokens(read_json(path))
    assert {number: own.token(number) for number in range(SPECIALS, own.size)} == {
        number: token for number, token in found.items() if number >= SPECIALS
    }
