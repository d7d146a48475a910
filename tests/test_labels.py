"""Which spellings are the same class, what classes are called, and which labels are refused."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textmill.errors import DataError, ParamsError
from textmill.rows.labels import Naming, canonical, nearest
from textmill.rows.lists import lists_among


@pytest.mark.parametrize(
    ("label", "same"),
    [
        (" good\t", "good"), ("good\xa0", "good"), ("\u3000good\u2028", "good"), ("not\xa0 good", "not good"),
        ("go\u200bod", "good"), ("good\ufeff", "good"), ("go\u00adod\u200d", "good"), ("\u200egood\u2060", "good"),
        ("fro\u0308hlich", "fröhlich"), ("Good", "Good"),
        ("0.0", "0"), ("1.00", "1"), ("-0.0", "0"), ("-3.0", "-3"), ("0.5", "0.5"), ("1.0.0", "1.0.0"),
        ("007", "007"), ("00", "00"), ("1e0", "1e0"), ("v1.0", "v1.0"),
        ("TRUE", "true"), ("False", "false"), ("Trueish", "Trueish"), ("NA", "NA"), ("None", "None"),
        ("\u200b", ""), (" \xa0", ""),
    ],
)  # fmt: skip
def test_labels_that_look_alike_are_one(label, same):
    assert canonical(label) == same


@given(st.text())
def test_a_canonical_label_is_its_own(label):
    assert canonical(canonical(label)) == canonical(label)


def named(given, *labels: str | None) -> list[str | None]:
    naming = Naming(given)
    names = naming.name(pl.Series(labels, dtype=pl.String))
    naming.check()
    out = pl.DataFrame({"label": names}).select(naming.left_out().fill_null(False)).to_series()
    return pl.DataFrame({"label": names.set(out, "out")})["label"].to_list()


@pytest.mark.parametrize(
    ("given", "labels", "names"),
    [
        (None, ["a ", "a", None, " ", "b"], ["a", "a", None, None, "b"]),
        (["1.0", "2"], ["1", "1.0", "2.0", "3"], ["1.0", "1.0", "2", "out"]),
        (["False", "True"], ["true", "FALSE"], ["True", "False"]),
        ({"BAD": "bad"}, ["BAD", "bad", "ok"], ["bad", "bad", "ok"]),
        ({"0.0": "bad", "1": "good"}, ["0", "1.0"], ["bad", "good"]),
        ({"a": "b", "b": "a"}, ["a", "b"], ["b", "a"]),
        ({"goood": "good", "spam": None}, ["good", "goood", "spam"], ["good", "good", "out"]),
        ({"Spam": None}, ["spam", "Spam", "ham"], ["spam", "out", "ham"]),
    ],
)
def test_params_name_classes(given, labels, names):
    assert named(given, *labels) == names


@pytest.mark.parametrize(
    ("given", "labels", "message"),
    [
        (None, ["BAD", "bad"], r"labels 'BAD' and 'bad' differ only in case; .*dataset\.labels: {BAD: bad}"),
        (None, ["BAD", "bad", "Good", "good", "ok"], r"'BAD' and 'bad' differ .*{BAD: bad, Good: good}"),
        ({"bad": "Good"}, ["bad", "good"], "'Good' and 'good' differ only in case"),
        (["good", "bad"], ["goood", "bad"], "no row has label 'good'; labels found: bad, goood; did you mean 'goood'?"),
        ({"Neg": "neg"}, ["pos", "neg"], "no row has label 'Neg'; labels found: neg, pos"),
    ],
)
def test_labels_that_params_must_settle(given, labels, message):
    with pytest.raises(DataError, match=message):
        named(given, *labels)


def test_one_label_may_be_named_once():
    with pytest.raises(ParamsError, match=r"dataset\.labels: two of '1', '1\.0' are one label"):
        Naming(["1", "1.0"])
    with pytest.raises(ParamsError, match="'spam' is both left out and a new name of others"):
        Naming({"spam": None, "junk": "spam"})


def test_the_nearest_label():
    assert nearest("goood", ["bad", "good", "goood"]) == "good"
    assert nearest("zzz", ["bad", "good"]) is None
    assert nearest("good", ["bad"]) is None


@pytest.mark.parametrize(
    ("labels", "lists"),
    [
        (["a", "b", "a,b"], ["a,b"]),
        (["price", "service", "price, service", "service;price"], ["price, service", "service;price"]),
        (["a|b|c", "a|c", "b", "b|c"], ["a|b|c", "a|c", "b|c"]),
        (["a;b;", "a", "b"], ["a;b;"]),
        (['["a", "b"]', '["a"]'], ['["a", "b"]']),
        (["['a' 'b']", "['a']", "[PAD]"], ["['a' 'b']"]),
        (["[0, 1]", "[1, 0]"], ["[0, 1]", "[1, 0]"]),
        (["Clothing, Shoes & Jewelry", "Arts, Crafts", "Books"], []),
        (["Portland, OR", "Portland, ME", "Salem, OR"], []),
        (["Agree", "Agree, strongly", "Disagree", "Disagree, strongly"], []),
        (["3,5", "2,0", "3,0", "5"], []),
        (["a", "a,", ",a", ";"], []),
    ],
)
def test_lists_are_told_from_names_with_marks(labels, lists):
    assert lists_among(labels) == lists


def test_lists_are_refused_unless_params_name_them():
    message = r"1 label looks like a list \('a,b'\): multi-label is not supported yet"
    with pytest.raises(DataError, match=message):
        named(None, "a", "b", "a,b")
    assert named(["a", "b"], "a", "b", "a,b") == ["a", "b", "out"]
    assert named({"a,b": "both"}, "a", "b", "a,b") == ["a", "b", "both"]
