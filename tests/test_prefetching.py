"""Batches that are prepared one ahead."""

import threading
from tempfile import TemporaryFile

import polars as pl
import pytest
from conftest import HANGS

from textmill.text.prefetching import prefetch
from textmill.tokenizers.word import WordConfig, WordTokenizer


@pytest.fixture(params=[1, 2])
def threads(request, monkeypatch) -> int:
    monkeypatch.setattr(pl, "thread_pool_size", lambda: request.param)
    return request.param


@pytest.mark.parametrize("items", [[], [1], [1, 2], list(range(20))])
def test_results_come_in_the_order_of_the_items(threads, items):
    assert list(prefetch(lambda item: item * item, iter(items))) == [item * item for item in items]


def test_the_next_item_is_worked_on_while_the_last_is_used(monkeypatch):
    monkeypatch.setattr(pl, "thread_pool_size", lambda: 2)
    began = [threading.Event() for _ in range(3)]
    results = prefetch(lambda item: began[item].set() or item, range(3))
    assert next(results) == 0
    assert began[1].wait(HANGS), "the second waits for the first to be used"


def test_an_error_comes_where_its_item_stands_and_nothing_after_it_is_read(threads):
    read = []

    def items():
        for item in range(100):
            read.append(item)
            yield item

    def work(item: int) -> int:
        if item == 3:
            raise ValueError("no 3")
        return item

    results = prefetch(work, items())
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="no 3"):
        next(results)
    assert len(read) <= 5


def test_who_wants_no_more_may_leave(threads):
    before = threading.active_count()
    results = prefetch(str, iter(range(1000)))
    assert next(results) == "0"
    results.close()
    assert next(results, None) is None
    assert threading.active_count() == before


def test_what_waits_is_not_begun_once_the_caller_has_left(monkeypatch):
    monkeypatch.setattr(pl, "thread_pool_size", lambda: 2)
    begun, go_on = [], threading.Event()

    def work(item: int) -> int:
        begun.append(item)
        if item == 1:
            go_on.wait(HANGS)
        return item

    results = prefetch(work, range(5))
    assert next(results) == 0
    threading.Timer(0.1, go_on.set).start()
    results.close()
    assert begun in ([0], [0, 1])


@pytest.mark.parametrize("threads", [1, 2])
def test_a_tokenizer_is_the_same_with_and_without_threads(threads, monkeypatch):
    monkeypatch.setattr(pl, "thread_pool_size", lambda: threads)
    config = WordConfig(kind="word", lowercase=True, markup="keep", pattern=r"\w+", min_freq=1, max_size=100)
    batches = [pl.Series([f"w{text % 3} w{text} both-of-them", ""]) for text in range(7)]
    with TemporaryFile() as spill:
        tokenizer, documents = WordTokenizer.fit(lambda: batches, config, spill, {})
        found = [docs.ids.tolist() for docs in documents]
    assert tokenizer.vocabulary[:6] == ("both", "of", "them", "w0", "w1", "w2")
    assert found == [tokenizer.encode(batch).ids.tolist() for batch in batches]
