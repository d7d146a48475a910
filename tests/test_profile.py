"""Counts of the splits, compared with the same counts by hand."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textmill.records.data import Ids, Split
from textmill.rows.profile import encoded, lengths, lines, profile, unread
from textmill.rows.splits import SIDES, outline


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", " A", "b b", "c", "d  d d", ""]),
            st.sampled_from(["x", "y"]),
            st.sampled_from(SIDES.categories.to_list()),
        ),
        min_size=1,
    )
)
def test_counts_are_those_of_the_texts(rows):
    rows = [(text, None if side == "unlabelled" else label, side) for text, label, side in rows]
    frame = pl.DataFrame(rows, {"text": pl.String, "label": pl.String, "split": pl.String}, orient="row")
    docs = outline(frame.with_columns(group=pl.lit(None, pl.String)), ["x", "y"])
    found = profile(docs, docs["split"], ["x", "y"])
    texts = {name: [" ".join(t.lower().split()) for t, _, side in rows if side == name] for name in SIDES.categories}
    for name, part in found["splits"].items():
        labels = [label for _, label, side in rows if side == name]
        assert part["rows"] == len(labels)
        assert part["labels"] == {label: labels.count(label) for label in ("x", "y")}
        assert part["duplicates"] == len(texts[name]) - len(set(texts[name]))
        assert sum(part["words"]["histogram"]["counts"]) == len(labels)
    for pair, count in found["overlap"].items():
        a, b = pair.split("-")
        assert count == sum(text in texts[a] for text in texts[b])
    labelled = {(" ".join(text.lower().split()), label) for text, label, _ in rows if label}
    assert found["conflicts"] == sum({(text, "x"), (text, "y")} <= labelled for text, _ in labelled) / 2


def test_conflicts_and_classes_that_a_split_lacks_are_reported():
    rows = [
        ("x", "a", "train"),
        ("x", "b", "train"),
        ("y", "b", "test"),
        ("z", "a", "validation"),
        ("z", "b", "validation"),
    ]
    frame = pl.DataFrame(rows, ["text", "label", "split"], orient="row").with_columns(group=pl.lit(None, pl.String))
    docs = outline(frame, ["a", "b"])
    counts = profile(docs, docs["split"], ["a", "b"])
    found = lines(Split(seed=0, by="text", left_out={}, unlabelled_in_test=0, **counts))
    assert found == [
        "train 2, validation 2, test 1, unlabelled 0",
        "2 texts have more than one label: no model can get all of these right",
        "test has no document of 'a': its macro averages cover only the classes it has",
    ]


def test_lengths():
    found = lengths(np.array([1] * 50 + [3] * 49 + [1000]))
    assert found["mean"] == 12.0
    assert found["percentiles"] == {"5": 1, "25": 1, "50": 1, "75": 3, "90": 3, "95": 3, "99": 3, "100": 1000}
    assert found["histogram"]["counts"][-1] == 1
    assert sum(found["histogram"]["counts"]) == 100
    assert lengths(np.array([], int))["histogram"]["counts"] == []


@pytest.mark.parametrize(
    ("kind", "unknown", "expected"),
    [
        ("word", 30, None),
        ("word", 31, "31% of validation's tokens are unknown to mine; if their language has no spaces, set tokenizers"),
        ("char", 50, "raise tokenizers.mine.max_size, or lower its min_freq"),
        ("pretrained", 50, "is tokenizers.mine made for this language?"),
    ],
)
def test_texts_that_a_tokenizer_does_not_know_are_reported(kind, unknown, expected):
    lines = unread("mine", kind, Ids(**encoded(np.array([40, 60]), unknown)))
    assert [expected in line for line in lines] == [True] * (expected is not None)


def test_groups_that_train_has_too_are_counted_and_reported():
    rows = {"text": list("abcdef"), "label": ["x", "y"] * 3, "group": ["g", "g", "h", None, "g", None]}
    sides = ["train", "test", "test", "test", "validation", "train"]
    docs = outline(pl.DataFrame(rows | {"split": sides}), ["x", "y"])
    found = profile(docs, docs["split"], ["x", "y"])
    assert found["shared_groups"] == {"train-validation": 1, "train-test": 1, "validation-test": 1}
    facts = Split(seed=1, by="text", left_out={}, unlabelled_in_test=0, **found)
    assert "1 of 3 documents of test are in a group that train also has; split.by: group keeps" in " ".join(
        lines(facts)
    )
