import io
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from test_scoring import LABELS, table

from textmill.judging import slices
from textmill.judging.units import units_of
from textmill.text.ragged import UNK, Ragged

ENGLISH = ["not", "no", "Never", "n't"]


def facts(rows: int, seed: int = 0) -> pl.DataFrame:
    """Predictions with made-up facts: half of the documents negate, a third knows every token."""
    rng = np.random.default_rng(seed)
    shares = rng.choice([0.0, 0.02, 0.05, 0.07, 0.1, 0.5, 1.0], rows).astype(np.float32)
    return table(rows, seed=seed).with_columns(negation=pl.Series(rng.random(rows) < 0.5), unknown=pl.Series(shares))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I do not know", True),
        ("NOT!", True),
        ("don't", True),
        ("DON\N{RIGHT SINGLE QUOTATION MARK}T", True),
        ("never-ending", True),
        ("a knot, a note, nobody", False),
        ("n'table", False),
        ("ant", False),
        ("", False),
        (None, False),
    ],
)
def test_negation_is_a_whole_word_or_the_end_of_one(text, expected):
    assert slices.negated(pl.Series([text], dtype=pl.String), ENGLISH).to_list() == [expected]


def test_a_word_is_no_pattern_and_has_its_accents_in_any_form():
    texts = pl.Series(["abc", "a.c", "jamás", "JAMA\N{COMBINING ACUTE ACCENT}S", "jamas"])
    assert slices.negated(texts, ["a.c", "jama\N{COMBINING ACUTE ACCENT}s"]).to_list() == [
        False,
        True,
        True,
        True,
        False,
    ]
    assert slices.negated(texts, []).to_list() == [False] * 5


def test_share_of_unknown_tokens():
    docs = Ragged(np.array([5, UNK, UNK, 7, 8, 9, UNK], np.int32), np.array([0, 2, 3, 7]))
    assert docs.unknown.tolist() == [0.5, 1.0, 0.25]


@given(st.integers(1, 80), st.integers(0, 30), st.sampled_from([0.01, 0.05, 0.5]))
def test_each_way_to_slice_parts_the_rows(rows, seed, alpha):
    frame = facts(rows, seed)
    right = (frame["label"] == frame["prediction"]).sum()
    found = slices.slices(frame, alpha)
    assert [way for way, _ in found] == ["length", "negation", "unknown"]
    for _, parts in found:
        assert sum(part.rows for part in parts) == rows
        known = [part for part in parts if part.rows]
        assert sum(part.rows * part.accuracy for part in known) == pytest.approx(right, abs=1e-3)
        assert all(0 <= part.low <= part.accuracy <= part.high <= 1 for part in known if part.rows > 1)
        assert all(part.low is part.high is None for part in parts if part.rows < 2)
    assert all(a.longest < b.shortest for a, b in pairwise(found.length))


def test_a_share_on_an_edge_belongs_to_the_lower_slice():
    frame = facts(700)
    expected = {"none": frame["unknown"] == 0, "up to 5 %": frame["unknown"].is_between(1e-9, 0.0501)}
    expected |= {"5 to 10 %": frame["unknown"].is_between(0.0501, 0.1001), "more than 10 %": frame["unknown"] > 0.1001}
    rows = {part.slice: part.rows for part in slices.slices(frame, 0.05).unknown}
    assert rows == {name: within.sum() for name, within in expected.items()}


def test_equal_lengths_are_one_slice():
    frame = facts(8).with_columns(tokens=pl.lit(5, pl.Int32))
    (part,) = slices.slices(frame, 0.05).length
    assert (part.slice, part.shortest, part.longest, part.rows) == ("part 1", 5, 5, 8)


@pytest.mark.parametrize(("rows", "right"), [(40, 30), (40, 40), (500, 300)])
def test_an_interval_of_documents_is_near_wilsons(rows, right):
    said = pl.when(pl.int_range(rows) < right).then(pl.lit("pos")).otherwise(pl.lit("neg"))
    frame = facts(rows).with_columns(negation=True, label=pl.lit("pos"), prediction=said)
    (_, part) = slices.slices(frame, 0.05).negation
    expected = binomtest(right, rows).proportion_ci(method="wilson")
    assert (part.low, part.high) == pytest.approx((expected.low, expected.high), abs=0.05)


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("share", [0.04, 0.2])
def test_chance_gives_a_slice_that_is_like_the_rest_a_sign_in_one_of_twenty_cases(share, grouped):
    rng, signs = np.random.default_rng(0), []
    own = units_of(np.arange(600) // 10) if grouped else units_of(np.arange(600))
    for _ in range(400):
        chance = np.repeat(rng.normal(0.8, 0.15, 60), 10) if grouped else 0.8
        signs.append(slices.apart(rng.random(600) < chance, rng.random(600) < share, 0.05, own))
    assert np.mean(np.abs(signs)) < 0.05 + 2 * (0.05 * 0.95 / 400) ** 0.5
    worse = np.arange(600) % 5 == 0
    assert slices.apart(rng.random(600) < np.where(worse, 0.5, 0.9), worse, 0.05, own) == -1


def test_slices_of_whole_groups_are_judged_by_groups():
    """All documents of a group are right, or none is: what looks sure by documents is not by groups."""
    group = np.arange(400) // 40
    right, held = np.isin(group, [0, 1, 2, 3, 4, 6, 8]), group < 4
    assert (
        slices.apart(right, held, 0.05, units_of(group)),
        slices.apart(right, held, 0.05, units_of(np.arange(400))),
    ) == (0, 1)
    assert slices.apart(right, group == 0, 0.05, units_of(group)) == 0  # one group tells nothing of others


def test_errors_for_a_spreadsheet():
    frame = facts(50)
    texts = pl.DataFrame({"id": frame["id"], "text": ["=1+1", 'a "quoted",\ntext', "plain"] * 16 + ["-", "@x"]})
    texts = texts.sample(fraction=1, shuffle=True, seed=1)
    found = slices.wrong(frame, texts)
    assert found.columns == [*frame.columns, "text"]
    wrong = frame.filter(pl.col("label") != pl.col("prediction"))["id"]
    assert found["id"].to_list() == [i for i in texts["id"] if i in set(wrong)]
    assert not found["text"].str.contains(r"^[=+\-@]").any()
    assert set(found["text"]) == {"'=1+1", 'a "quoted",\ntext', "plain"} | (set(found["text"]) & {"'-", "'@x"})
    assert pl.read_csv(io.BytesIO(found.write_csv().encode()), infer_schema=False)["text"].equals(found["text"])
    assert set(found["label"]) <= set(LABELS)
