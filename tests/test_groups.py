import io
from itertools import pairwise
from statistics import NormalDist

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_scoring import LABELS, table

from textmill.judging import groups
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
    assert groups.negated(pl.Series([text], dtype=pl.String), ENGLISH).to_list() == [expected]


def test_a_word_is_no_pattern_and_has_its_accents_in_any_form():
    texts = pl.Series(["abc", "a.c", "jamás", "JAMA\N{COMBINING ACUTE ACCENT}S", "jamas"])
    assert groups.negated(texts, ["a.c", "jama\N{COMBINING ACUTE ACCENT}s"]).to_list() == [
        False,
        True,
        True,
        True,
        False,
    ]
    assert groups.negated(texts, []).to_list() == [False] * 5


def test_share_of_unknown_tokens():
    docs = Ragged(np.array([5, UNK, UNK, 7, 8, 9, UNK], np.int32), np.array([0, 2, 3, 7]))
    assert docs.unknown.tolist() == [0.5, 1.0, 0.25]


@given(st.integers(1, 80), st.integers(0, 30), st.sampled_from([0.01, 0.05, 0.5]))
def test_each_way_to_group_parts_the_rows(rows, seed, alpha):
    frame = facts(rows, seed)
    right = (frame["label"] == frame["prediction"]).sum()
    found = groups.groups(frame, alpha)
    assert [way for way, _ in found] == ["length", "negation", "unknown"]
    for _, parts in found:
        assert sum(part.rows for part in parts) == rows
        known = [part for part in parts if part.rows]
        assert sum(part.rows * part.accuracy for part in known) == pytest.approx(right, abs=1e-3)
        assert all(0 <= part.low <= part.accuracy <= part.high <= 1 for part in known)
        assert all(part.accuracy is part.low is part.high is None for part in parts if not part.rows)
    assert all(a.longest < b.shortest for a, b in pairwise(found.length))


def test_a_share_on_an_edge_belongs_to_the_lower_group():
    frame = facts(700)
    expected = {"none": frame["unknown"] == 0, "up to 5 %": frame["unknown"].is_between(1e-9, 0.0501)}
    expected |= {"5 to 10 %": frame["unknown"].is_between(0.0501, 0.1001), "more than 10 %": frame["unknown"] > 0.1001}
    rows = {part.group: part.rows for part in groups.groups(frame, 0.05).unknown}
    assert rows == {name: within.sum() for name, within in expected.items()}


def test_equal_lengths_are_one_group():
    frame = facts(8).with_columns(tokens=pl.lit(5, pl.Int32))
    (part,) = groups.groups(frame, 0.05).length
    assert (part.group, part.shortest, part.longest, part.rows) == ("part 1", 5, 5, 8)


@given(st.integers(1, 500), st.floats(0, 1), st.sampled_from([0.01, 0.05, 0.3]))
def test_the_interval_is_wilsons(rows, share, alpha):
    right, z = round(share * rows), NormalDist().inv_cdf(1 - alpha / 2)
    found, scale = right / rows, 1 + z**2 / rows
    centre = (found + z**2 / (2 * rows)) / scale
    reach = z / scale * (found * (1 - found) / rows + (z / (2 * rows)) ** 2) ** 0.5
    expected = max(centre - reach, 0.0), min(centre + reach, 1.0)
    assert groups.wilson(right, rows, alpha) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("rows", [15, 150])
def test_chance_marks_a_group_that_is_like_the_rest_in_one_of_twenty_cases_at_most(rows):
    rng = np.random.default_rng(0)
    draws = [(rng.binomial(rows, 0.8), rows, rng.binomial(600, 0.8), 600) for _ in range(600)]
    marked = [groups.unlike(*draw) < 0.05 for draw in draws]
    assert np.mean(marked) < 0.05 + 2 * (0.05 * 0.95 / 600) ** 0.5
    assert groups.unlike(90, 150, 480, 600) < 1e-4


def test_errors_for_a_spreadsheet():
    frame = facts(50)
    texts = pl.DataFrame({"id": frame["id"], "text": ["=1+1", 'a "quoted",\ntext', "plain"] * 16 + ["-", "@x"]})
    texts = texts.sample(fraction=1, shuffle=True, seed=1)
    found = groups.wrong(frame, texts)
    assert found.columns == [*frame.columns, "text"]
    wrong = frame.filter(pl.col("label") != pl.col("prediction"))["id"]
    assert found["id"].to_list() == [i for i in texts["id"] if i in set(wrong)]
    assert not found["text"].str.contains(r"^[=+\-@]").any()
    assert set(found["text"]) == {"'=1+1", 'a "quoted",\ntext', "plain"} | (set(found["text"]) & {"'-", "'@x"})
    assert pl.read_csv(io.BytesIO(found.write_csv().encode()), infer_schema=False)["text"].equals(found["text"])
    assert set(found["label"]) <= set(LABELS)
