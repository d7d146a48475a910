"""The next batch of texts in a thread of its own: most kernels of polars, arrow and numpy let Python go on."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import polars as pl

Item = TypeVar("Item")
Result = TypeVar("Result")


def prefetch(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """`work` of each item, in their order: of the next one while the caller uses the last. Two are in memory.

    Where polars may have one thread (POLARS_MAX_THREADS=1), there is one here, too.
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
