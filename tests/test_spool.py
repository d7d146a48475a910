"""Rows come back in the order of their keys, however many went to disk."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textmill.errors import ResourceError
from textmill.rows import sorting as module
from textmill.rows.sorting import spool


def rows(count: int, seed: int = 0) -> pl.DataFrame:
    """Random keys, some twice, with texts, nulls and a category."""
    rng = np.random.default_rng(seed)
    key = rng.integers(0, 2**64, count, dtype=np.uint64)
    key[: count // 5] = key[count - count // 5 :]
    text = [None if number % 7 == 0 else f"Ñ{number}" * (number % 50) for number in range(count)]
    return pl.DataFrame({"key": key, "text": pl.Series(text, dtype=pl.String)}).with_columns(
        file=pl.lit("a.csv", pl.Categorical)
    )


@settings(max_examples=20)
@given(st.integers(1, 600), st.sampled_from([2, 10_000, 1 << 30]), st.integers(50, 700))
def test_all_rows_come_back_by_ranges_of_keys(tmp_path_factory, count, run, chunk):
    folder = tmp_path_factory.getbasetemp()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "RUN", run)
        frame = rows(count)
        with spool(folder / "out") as kept:
            for start in range(0, count, chunk):
                kept.add(frame[start : start + chunk])
            parts = list(kept)
    ends = [(part["key"].min(), part["key"].max()) for part in parts if len(part)]
    assert all(before[1] < after[0] for before, after in pairwise(ends))
    order = ["key", "text"]
    assert pl.concat(parts).sort(order).equals(frame.sort(order))
    assert not list(folder.glob(".out*"))


def test_a_part_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "RUN", 100_000)
    frame = rows(50_000)
    with spool(tmp_path / "out") as kept:
        kept.add(frame)
        sizes = [part.estimated_size() for part in kept]
    assert sum(sizes) > 10 * 100_000
    assert max(sizes) < 100_000


def test_what_is_small_never_touches_the_disk(tmp_path):
    with spool(tmp_path / "data/out") as kept:
        kept.add(rows(100))
        assert len(list(kept)) == 1
        assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_cleared(tmp_path):
    (tmp_path / ".out.spool.part").mkdir()
    (tmp_path / ".out.spool.part/0.arrow").write_text("half")
    with spool(tmp_path / "out"):
        assert list(tmp_path.iterdir()) == []


def test_an_error_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "RUN", 2)
    with pytest.raises(RuntimeError), spool(tmp_path / "out") as kept:
        kept.add(rows(100))
        assert list(kept.folder.iterdir())
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match="cannot be written"), spool(tmp_path / "file/out") as kept:
        kept.add(rows(100))
