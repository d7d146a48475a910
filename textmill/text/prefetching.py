"""The next batch of texts, prepared in a thread: most kernels of polars, arrow and numpy release Python's lock."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import polars as pl

Item = TypeVar("Item")
Result = TypeVar("Result")


def prefetch(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Yields `work(item)` for each item, in order, and works on the next one while the caller uses the last.

    Two results are in memory at a time. With POLARS_MAX_THREADS=1 no thread is started.
    """
    if pl.thread_pool_size() == 1:
        yield from map(work, items)
        return
    thread = ThreadPoolExecutor(1)
    try:
        coming: Future[Result] | None = None
        for item in items:
            last, coming = coming, thread.submit(work, item)
            if last is not None:
                yield last.result()
        if coming is not None:
            yield coming.result()
    finally:
        thread.shutdown(cancel_futures=True)
