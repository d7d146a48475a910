"""n-grams with numpy: the same counts as in Python, and scores equal to scipy's bit for bit."""

import numpy as np
import pytest
from conftest import MODELS, toy
from scipy.sparse import csr_array

from textmill.models.linear import FAMILY, LinearConfig
from textmill.text.ngrams import Counts, count, grams, weigh
from textmill.text.ragged import UNK, Ragged
from textmill.training.task import Task

DATA = toy(60, 12, 3, seed=3)


def dense(counts: Counts) -> np.ndarray:
    table = np.zeros(counts.shape)
    np.add.at(table, (counts.rows, counts.columns), counts.data)
    return table


@pytest.mark.parametrize("order", [1, 2, 3])
def test_ngrams_are_counted_within_documents(order):
    docs = Ragged(np.array([2, 3, 1, 2, 3, 4, 2], np.int32), np.array([0, 5, 7]))  # 1: unknown
    keys, table = grams(docs, order, 10)
    expected = {1: ([2, 3, 4], [[2, 2, 0], [1, 0, 1]]), 2: ([23, 42], [[2, 0], [0, 1]]), 3: ([], [[], []])}
    assert (keys.tolist(), dense(table).astype(int).tolist()) == expected[order]
    counts = count(docs, [np.array([2, 4, 5])], 10)
    assert dense(counts).tolist() == [[2, 0, 0], [1, 1, 0]]


def test_ngrams_whose_key_and_document_exceed_64_bits():
    ids = np.random.default_rng(0).integers(2, 6, 400).astype(np.int32)
    docs = Ragged(ids, np.arange(0, 401, 4))
    small, table = grams(docs, 3, 6)
    large, same = grams(docs, 3, 2_000_000)
    assert table.shape == same.shape
    assert all(np.array_equal(ours, theirs) for ours, theirs in zip(table[:3], same[:3], strict=True))
    digits = [(key // 36, key // 6 % 6, key % 6) for key in small.tolist()]
    assert large.tolist() == [(a * 2_000_000 + b) * 2_000_000 + c for a, b, c in digits]


def test_an_order_of_which_nothing_is_known_adds_no_column():
    counts = count(DATA.docs, [np.array([3]), np.zeros(0, np.int64), np.array([3 * 12 + 4])], 12)
    assert counts.shape == (60, 2)
    assert dense(counts)[:, 0].tolist() == [np.count_nonzero(DATA.docs[row] == 3) for row in range(60)]


def test_tfidf_is_scikit_learns():
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = [" ".join(f"w{i}" for i in DATA.docs[row]) for row in range(len(DATA.docs))]
    theirs = TfidfVectorizer(token_pattern=r"\S+", ngram_range=(1, 2))
    keys = [grams(DATA.docs, order, 12)[0] for order in (1, 2)]
    counts = count(DATA.docs, keys, 12)
    ours = weigh(counts, 1 + np.log((1 + len(texts)) / (1 + counts.per_column())), "tfidf")
    expected = theirs.fit_transform(texts)
    assert ours.shape == expected.shape
    np.testing.assert_allclose(np.sort(dense(ours), 1), np.sort(expected.toarray(), 1), atol=1e-9)


VOCABULARY = 3000


def documents(number: int, seed: int) -> Ragged:
    """Returns documents like real ones: a few ids are frequent, most rare, some unknown, and lengths differ."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 120, number)
    ids = np.minimum(rng.zipf(1.3, lengths.sum()), VOCABULARY - 1).astype(np.int32)
    return Ragged(ids, np.concatenate([[0], np.cumsum(lengths)]))


def by_scipy(docs: Ragged, keys: list[np.ndarray]) -> csr_array:
    """Counts with Python and scipy."""
    place, rows, columns = {}, [], []
    for order, known in enumerate(keys, 1):
        place |= {(order, key): len(place) + number for number, key in enumerate(known.tolist())}
    for row in range(len(docs)):
        ids = docs[row].tolist()
        for order in range(1, len(keys) + 1):
            for gram in zip(*(ids[shift:] for shift in range(order)), strict=False):
                key = sum(number * VOCABULARY**power for power, number in enumerate(reversed(gram)))
                if UNK not in gram and (order, key) in place:
                    rows.append(row)
                    columns.append(place[order, key])
    return csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(docs), len(place)))


def scored_by_scipy(counts: csr_array, tensors: dict[str, np.ndarray], classes: int, weighting: str) -> np.ndarray:
    """Returns probabilities as computed when linear models used scipy's matrices."""
    if weighting == "nb":
        features = csr_array((np.ones(len(counts.data)), counts.indices, counts.indptr), shape=counts.shape)
    else:
        data = counts.data * tensors["scale"][counts.indices]
        row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
        data /= np.sqrt(np.bincount(row, data**2, minlength=counts.shape[0]))[row]
        features = csr_array((data, counts.indices, counts.indptr), shape=counts.shape)
    logits = features @ tensors["weights"].T.astype(np.float64) + tensors["bias"]
    if classes == 2:
        second = 1 / (1 + np.exp(-logits[:, 0]))
        return np.stack([1 - second, second], 1).astype(np.float32)
    odds = 1 / (1 + np.exp(-logits)) if weighting == "nb" else np.exp(logits - logits.max(1, keepdims=True))
    return (odds / odds.sum(1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("weighting", ["nb", "tfidf"])
@pytest.mark.parametrize("classes", [2, 3, 7])
def test_scores_are_scipys_to_the_bit(classes, weighting):
    seen, docs, rng = documents(1500, 0), documents(1500, 1), np.random.default_rng(2)
    config = LinearConfig(**{**MODELS["linear"], "ngrams": 3, "weighting": weighting})
    tensors = {f"keys_{order}": grams(seen, order, VOCABULARY)[0] for order in (1, 2, 3)}
    keys = list(tensors.values())
    features, rows = sum(map(len, keys)), 1 if classes == 2 else classes
    tensors["scale"] = rng.uniform(1, 9, features).astype(np.float32)
    tensors["weights"] = rng.normal(size=(rows, features)).astype(np.float32)
    tensors["bias"] = rng.normal(size=rows).astype(np.float32)
    model = FAMILY.load(config, None, tensors, Task(VOCABULARY, classes, 0))
    counts = by_scipy(docs, keys)
    assert counts.nnz > 50_000
    assert np.array_equal(model.predict_proba(docs), scored_by_scipy(counts, tensors, classes, weighting))
