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


def sign(right, held, units) -> int:
    """The verdict on one slice alone."""
    return slices.holm({"way": [slices.contrast(right, held, units)]}, 0.05)["way"][0]


@given(st.integers(1, 80), st.integers(0, 30), st.sampled_from([0.01, 0.05, 0.5]))
def test_each_way_to_slice_parts_the_rows(rows, seed, alpha):
    frame = facts(rows, seed)
    right = (frame["label"] == frame["prediction"]).sum()
    found = slices.slices(frame, alpha)
    assert [way for way, _ in found] == ["length", "negation", "unknown", "columns"]
    for _, parts in list(found)[:3]:
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
        signs.append(sign(rng.random(600) < chance, rng.random(600) < share, own))
    assert np.mean(np.abs(signs)) < 0.05 + 2 * (0.05 * 0.95 / 400) ** 0.5
    worse = np.arange(600) % 5 == 0
    assert sign(rng.random(600) < np.where(worse, 0.5, 0.9), worse, own) == -1


def test_slices_of_whole_groups_are_judged_by_groups():
    """All documents of a group are right, or none is: what looks significant by documents is not by groups."""
    group = np.arange(400) // 40
    right, held = np.isin(group, [0, 1, 2, 3, 4, 6, 8]), group < 4
    assert (sign(right, held, units_of(group)), sign(right, held, units_of(np.arange(400)))) == (0, 1)
    assert slices.contrast(right, group == 0, units_of(group)) is None  # one group says nothing about others


def apart(*chances: float | None) -> list[slices.Contrast | None]:
    return [None if p is None else slices.Contrast(-0.1 if number % 2 else 0.1, p) for number, p in enumerate(chances)]


@pytest.mark.parametrize(
    ("judged", "expected"),
    [
        ({"a": apart(0.04)}, {"a": [1]}),
        ({"a": apart(0.04, 0.04)}, {"a": [1, -1]}),  # each other's rest: one question
        ({"a": apart(0.04, 0.04), "b": apart(0.3, None, 0.9, 0.8)}, {"a": [0, 0], "b": [0, 0, 0, 0]}),
        ({"a": apart(0.01, 0.9, 0.04), "b": apart(0.02)}, {"a": [1, 0, 0], "b": [0]}),
        ({"a": apart(0.01, 0.9, 0.02), "b": apart(0.011)}, {"a": [1, 0, 1], "b": [1]}),  # of 4, 3, 2 questions left
        ({}, {}),
    ],
)
def test_all_signs_hold_together(judged, expected):
    assert slices.holm(judged, 0.05) == expected


def test_signs_of_a_model_that_is_as_good_everywhere_are_rare_all_together():
    rng, marked, own = np.random.default_rng(1), 0, units_of(np.arange(400))
    for _ in range(200):
        right = rng.random(400) < 0.8
        ways = {key: [slices.contrast(right, rng.random(400) < 0.2, own) for _ in range(5)] for key in "abc"}
        marked += any(any(signs) for signs in slices.holm(ways, 0.05).values())
    assert marked / 200 < 0.05 + 2 * (0.05 * 0.95 / 200) ** 0.5


def test_columns_of_the_data_are_ways_to_slice():
    frame = facts(400)
    right = (frame["label"] == frame["prediction"]).to_list()
    country = pl.Series("country", ["fr" if ok else "es" for ok in right])  # wrong on all of es
    values = pl.Series("many", [f"v{number % 50:02}" for number in range(400)])
    blank = pl.Series("blank", [" de ", None, "", "x" * 99] * 100)
    found = slices.slices(frame, 0.05, columns=pl.DataFrame([country, values, blank])).columns
    assert sorted((part.slice, part.accuracy, part.sign) for part in found["country"]) == [("es", 0, -1), ("fr", 1, 1)]
    assert [part.slice for part in found["many"]] == [*(f"v{number:02}" for number in range(15)), "35 others"]
    assert sum(part.rows for part in found["many"]) == 400
    assert {part.slice: part.rows for part in found["blank"]} == {"(empty)": 200, "de": 100, "x" * 40: 100}


@pytest.mark.parametrize("first", [*"=+-@\t\r\n", *"\uff1d\uff0b\uff0d\uff20"])
def test_no_cell_for_a_spreadsheet_is_a_formula(first):
    frame = facts(50)
    found = slices.wrong(frame, pl.DataFrame({"id": frame["id"], "text": [f"{first}cmd|' /C calc'!A0"] * 50}))
    assert set(found["text"]) == {f"'{first}cmd|' /C calc'!A0"}
    plain = slices.wrong(frame, pl.DataFrame({"id": frame["id"], "text": [f"a{first}b\n{first}c"] * 50}))
    assert set(plain["text"]) == {f"a{first}b\n{first}c"}


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
