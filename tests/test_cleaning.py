"""Which rows become documents, with which ids, and what is reported about the others."""

import re
from itertools import pairwise
from typing import Any, NamedTuple

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textmill.errors import DataError
from textmill.records.data import Clean
from textmill.rows import bad
from textmill.rows.cleaning import CleanConfig, Cleaner, arrange, lines
from textmill.rows.columns import SLICE
from textmill.rows.misread import twice_encoded

DROP = CleanConfig(on_bad_row="drop", max_chars=1000)
STOP = CleanConfig(on_bad_row="error", max_chars=1000)
SCHEMA = dict.fromkeys(["text", "label", "group", "split", "id"], pl.String)


def rows(*values: tuple) -> pl.DataFrame:
    """Rows as `read_part` gives them: text, label, and, where given, group, split, id."""
    frame = pl.DataFrame([value + (None,) * (5 - len(value)) for value in values], SCHEMA, orient="row")
    facts = {"file": pl.lit("a.csv", pl.Categorical), "how": pl.lit("utf-8", pl.Categorical)}
    return frame.with_columns(**facts, bad=pl.lit(None, pl.String)).with_row_index("row", offset=2)


class Cleaned(NamedTuple):
    docs: pl.DataFrame
    labels: list[str]
    facts: dict[str, Any]


def clean(rows: pl.DataFrame, labels: list[str] | None, config: CleanConfig, *cuts: int) -> Cleaned:
    """Returns all results for rows, in chunks that end before the rows with these numbers."""
    cleaner = Cleaner(labels, config)
    bounds = [0, *sorted(cuts), len(rows)]
    kept = [cleaner.keep(rows[start:end]) for start, end in pairwise(bounds)]
    return Cleaned(arrange(pl.concat(kept)), *cleaner.finish())


def texts(*values: str | None) -> list[str]:
    """Returns what becomes of texts, with one further document of each class."""
    cleaned = clean(rows(("x", "a"), ("x", "b"), *((value, "c") for value in values)), None, DROP)
    return sorted(cleaned.docs.filter(label="c")["text"])


# --- repairs ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "repaired", "counted"),
    [
        ("don\x92t \x93quote\x94\x85", "don’t “quote”…", "misread cp1252"),
        ("a\x81\x8d\x8f\x90\x9db", "a     b", "misread cp1252"),
        ("a\x00b\x07c\x1b[31m\x7f", "a b c [31m ", "control characters"),
        ("a\r\nb\rc\n\rd", "a\nb\nc\n\nd", "carriage returns"),
        ("\ufeffab\ufeff", "ab", "byte order marks"),
        ("caf\ufffd", "caf\ufffd", "replacement characters"),
        (
            "\tTwo\u2028 lines\n <br /> Ñandú É e\u0301 😀\xa0",
            "\tTwo\u2028 lines\n <br /> Ñandú É e\u0301 😀\xa0",
            None,
        ),
    ],
)
def test_encodings_are_repaired_and_nothing_else(text, repaired, counted):
    cleaned = clean(rows((text, "pos"), ("bad", "neg")), None, DROP)
    assert cleaned.docs.filter(label="pos")["text"].to_list() == [repaired]
    assert cleaned.facts["repaired"] == ({counted: 1} if counted else {})


@given(st.text(min_size=1))
def test_a_repaired_text_needs_no_repair(text):
    text = re.sub("[\ud800-\udfff]", "", text)
    for once in texts(text):
        assert texts(once) == [once]
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff]", once)


@pytest.mark.parametrize(
    ("text", "twice"),
    [
        ("dÃ©jÃ\xa0 vu", True), ("donâ€™t", True), ("Ð¿Ñ€Ð¸Ð²ÐµÑ‚", True), ("ðŸ˜€", True), ("ç¾Žå›½", True),
        ("dÃ\xa9jÃ\xa0 Ã\x89", True), ("déjà vu", False), ("„Spaß“", False), ("groß…", False), ("CAFÉ”", False),
        ("une fois « passé » ici", False), ("plain", False), ("", False), ("Ã", False), ("dÃ©jÃ\xa0 déjà", False),
        (None, False),
    ],
)  # fmt: skip
def test_texts_that_look_twice_encoded_are_counted(text, twice):
    assert clean(rows((text, "pos"), ("bad", "neg"), ("ok", "pos")), None, DROP).facts["twice_encoded"] == twice


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_what_was_utf8_once_looks_so_when_it_is_read_as_latin1(text):
    assert twice_encoded(pl.Series([text.encode().decode("latin-1")])) <= 1
    assert twice_encoded(pl.Series([("é" + text).encode().decode("latin-1")])) == 1


def test_what_a_person_should_know_is_said():
    cleaned = clean(rows(("dÃ©jÃ\xa0", "pos"), ("bad", "neg"), ("", "pos")), None, DROP)
    assert lines(Clean(**cleaned.facts)) == [
        "a.csv read as utf-8",
        "1 text looks twice encoded (UTF-8 that was read as cp1252 or latin-1); see dataset.encodings",
        "2 documents of 3 rows; left out: 1 empty text",
    ]


# --- rows -------------------------------------------------------------------------------------------------------------


def test_rows_are_dropped_under_their_reason():
    cleaned = clean(
        rows(("good", " pos"), ("", "pos"), (" \n\t", "neg"), (None, "neg"), ("bad", ""), ("bad", None),
             ("x" * 1001, "pos"), ("a plot", "plot"), ("", "plot"), ("", ""), ("bad", "neg"), ("x" * 1000, "neg")),
        ["pos", "neg"], DROP,
    )  # fmt: skip
    assert cleaned.labels == ["pos", "neg"]
    assert cleaned.facts == {
        "rows": 12,
        "kept": 3,
        "dropped": {"empty label": 3, "empty text": 3, "label not listed": 2, "text over max_chars": 1},
        "repaired": {},
        "labels": {"pos": 1, "neg": 2},
        "read_as": {"a.csv": "utf-8"},
        "twice_encoded": 0,
    }


def test_bad_rows_can_stop_the_run():
    bad = rows(("good", "pos"), *([("", "neg")] * 7), ("bad", ""), ("bad", "neg"), ("plot", "other"))
    with pytest.raises(DataError, match=r"a\.csv, row 3, 4, 5, 6, 7 \(7 rows\): empty text; .*clean\.on_bad_row"):
        clean(bad, ["pos", "neg"], STOP)
    good = bad.filter((pl.col("text") != "") & (pl.col("label") != ""))  # the row that is not listed is no bad row
    assert len(clean(good, ["pos", "neg"], STOP).docs) == 2


def test_a_row_that_is_broken_is_no_document():
    data = rows(("good", "pos"), ("bad", "neg"), ("x", "neg"), ("y", "pos"))
    broken = data.with_columns(bad=pl.Series([None, None, bad.MORE, bad.MORE]))
    assert clean(broken, None, DROP).facts["dropped"] == {bad.MORE: 2}
    with pytest.raises(
        DataError, match=r"row 4, 5 \(2 rows\): more cells than columns; if a text holds .*on_bad_row: drop"
    ):
        clean(broken, None, STOP)
    with pytest.raises(
        DataError, match=r"no rows are left after cleaning; a\.csv, row 2, 3, 4, 5 \(4 rows\): not json; "
    ):
        clean(data.with_columns(bad=pl.lit(bad.NOT_JSON)), None, DROP)


def test_every_row_of_a_given_test_split_is_kept():
    cleaned = clean(
        rows(("good", "pos", None, "train"), ("bad", "neg", None, "train"), ("", "pos", None, "train"),
             ("", "pos", None, "test"), (None, "neg", None, "test"), (" ", "neg", None, "test")),
        None, DROP,
    )  # fmt: skip
    test = cleaned.docs.filter(split="test")
    assert sorted(test["text"]) == ["", "", " "]
    assert cleaned.facts["dropped"] == {"empty text": 1}


def test_splits_have_several_names():
    names = {"train": ["train", " Train ", "training", "train_set"], "test": ["test", "TEST", "holdout", "Held-out"],
             "validation": ["valid", "val", "dev", "validation", "eval", "Evaluation"],
             "unlabelled": ["unlabelled", "unsupervised", "unlabeled"]}  # fmt: skip
    said = {name: split for split, of in names.items() for name in of}
    cleaned = clean(rows(*((name, label, None, name) for name in said for label in ("pos", "neg"))), None, DROP)
    assert dict(zip(cleaned.docs["text"], cleaned.docs["split"], strict=True)) == said


def test_an_unknown_split_is_named():
    for name in ("later", ""):
        with pytest.raises(DataError, match=rf"a\.csv, row 3: split '{name}'; expected one of train, validation"):
            clean(rows(("a", "pos", None, "train"), ("b", "neg", None, name)), None, DROP)


def test_unlabelled_rows_have_no_label():
    data = rows(("a", "pos"), ("b", "neg"), ("c", "other", None, "unlabelled"), ("d", None, None, "unlabelled"))
    cleaned = clean(data, None, STOP)
    assert cleaned.docs.filter(split="unlabelled")["label"].to_list() == [None, None]
    assert cleaned.labels == ["neg", "pos"]
    assert cleaned.facts["labels"] == {"neg": 1, "pos": 1}


def test_groups_are_stripped_and_an_empty_one_is_none():
    cleaned = clean(rows(("a", "pos", " film "), ("b", "neg", ""), ("c", "neg", " ")), None, DROP)
    assert sorted(cleaned.docs["group"], key=str) == [None, None, "film"]


# --- labels -----------------------------------------------------------------------------------------------------------


def test_class_order_is_that_of_the_params_or_sorted():
    data = rows(("a", "pos"), ("b", "neg"), ("c", "meh"))
    assert clean(data, None, DROP).labels == ["meh", "neg", "pos"]
    assert clean(data, ["pos", "neg"], DROP).labels == ["pos", "neg"]
    assert list(clean(data, ["pos", "neg"], DROP).facts["labels"]) == ["pos", "neg"]


@pytest.mark.parametrize(
    ("data", "labels", "message"),
    [
        ([("a", "Pos"), ("b", "pos"), ("c", "neg")], None, "labels 'Pos' and 'pos' differ only in case"),
        ([("a", "Pos"), ("b", "pos"), ("c", "neg")], ["pos", "neg"], "labels 'Pos' and 'pos' differ only in case"),
        ([("a", "pos"), ("b", "neg")], ["pos", "negative"], "no row has label 'negative'; labels found: neg, pos"),
        ([("a", "pos"), ("b", "pos"), ("", "neg")], ["pos", "neg"], "no row with label 'neg' is left"),
        ([("a", "pos"), ("b", "pos")], None, "at least two classes, found only 'pos'"),
        ([("", "pos"), ("", "neg")], None, "no rows are left"),
        ([("a", None, None, "unlabelled")], None, "no row has a label"),
        (
            [("a", "pos", None, "train"), ("b", "neg"), ("c", "neg", None, "test"), ("d", "odd", None, "test")],
            None,
            "row 5: label 'odd' of split test is not in train",
        ),
        (
            [
                ("a", "pos", None, "train"),
                ("b", "neg", None, "train"),
                ("c", "odd", None, "dev"),
                ("d", "odd", None, "dev"),
            ],
            None,
            r"row 4, 5 \(2 rows\): label 'odd' of split validation is not in train",
        ),
    ],
)
def test_labels_that_make_no_classification(data, labels, message):
    with pytest.raises(DataError, match=message):
        clean(rows(*data), labels, DROP)


# --- ids and order ----------------------------------------------------------------------------------------------------

words = st.sampled_from(["", "good", "bad", "Bad", "a\r\nb", "don\x92t"])
documents = st.lists(
    st.tuples(words, st.sampled_from(["pos", "neg", "", "plot"]), st.sampled_from([None, "x"]),
              st.sampled_from([None, "train", "test", "unlabelled"])), max_size=12,
)  # fmt: skip
BOTH = [("good", "pos"), ("bad", "neg")]


@given(st.data(), documents, st.lists(st.integers(0, 14), max_size=3))
def test_neither_the_sources_order_nor_its_chunks_matter(data, values, cuts):
    values = [*BOTH, *values]
    one = clean(rows(*values), ["pos", "neg"], DROP)
    other = clean(
        rows(*data.draw(st.permutations(values))), ["pos", "neg"], DROP, *(c for c in cuts if c <= len(values))
    )
    assert one.docs.equals(other.docs)
    assert one.facts == other.facts


@given(documents)
def test_every_row_is_kept_or_counted_and_every_id_is_one_rows(values):
    cleaned = clean(rows(*BOTH, *values), ["pos", "neg"], DROP)
    assert cleaned.facts["rows"] == len(values) + 2
    assert cleaned.facts["kept"] == len(cleaned.docs) == cleaned.facts["rows"] - sum(cleaned.facts["dropped"].values())
    assert cleaned.docs["id"].n_unique() == len(cleaned.docs)
    assert cleaned.docs["id"].str.contains("^[0-9a-f]{16}(-[0-9]+)?$").all()
    assert cleaned.docs["id"].str.head(16).is_sorted()
    assert cleaned.docs.columns == ["id", "text", "label", "group", "split"]
    labelled = cleaned.docs.filter(pl.col("label").is_not_null())
    assert cleaned.facts["labels"] == {label: len(labelled.filter(label=label)) for label in ("pos", "neg")}


def test_copies_are_kept_and_an_id_is_not_changed_by_other_rows():
    few = clean(rows(*BOTH, ("good", "pos")), None, DROP).docs
    many = clean(rows(("new", "neg"), *BOTH, ("good", "pos")), None, DROP).docs
    assert len(few) == 3
    assert set(few["id"]) < set(many["id"])
    one, other = few.filter(text="good")["id"]
    assert other == f"{one}-2"


def test_every_part_of_the_content_makes_another_id():
    variants = [("a", "x"), ("b", "x"), ("a", "y"), ("a", "x", "g"), ("a", "x", None, "train"), ("a", "x", "null")]
    assert clean(rows(*variants), None, DROP).docs["id"].n_unique() == len(variants)


def test_ids_are_these():
    """Keys are in every report and prediction, so a change here is a change of format."""
    docs = clean(rows(("good", "pos"), ("Ñandú", "neg", "g", "train")), None, DROP).docs
    assert dict(zip(docs["text"], docs["id"], strict=True)) == {"good": "5a6b1e4b415cbd0c", "Ñandú": "69a7e143a9226a39"}


def test_given_ids_are_kept():
    data = rows(("a", "pos", None, None, "r2"), ("b", "neg", None, None, "r1"))
    assert dict(clean(data, None, DROP).docs.select("text", "id").iter_rows()) == {"a": "r2", "b": "r1"}


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ("r1", r"a\.csv, row 2, 4 \(2 rows\): id 'r1' is not unique; make it so, or set dataset\.id: null"),
        (None, r"a\.csv, row 4: no id; give it one, or set dataset\.id: null"),
    ],
)
def test_ids_that_name_no_row_or_two(other, message):
    data = rows(("a", "pos", None, None, "r1"), ("c", "pos", None, None, "r0"), ("b", "neg", None, None, other))
    with pytest.raises(DataError, match=message):
        clean(data, None, DROP, 1)


def test_a_message_counts_the_rows_of_all_chunks():
    bad = rows(("good", "pos"), ("bad", "neg"), *([("", "neg")] * 7))
    with pytest.raises(DataError, match=r"a\.csv, row 4, 5, 6, 7, 8 \(7 rows\): empty text"):
        clean(bad, None, STOP, 3, 5, 7)


def test_columns_to_slice_by_are_kept_and_order_equal_documents():
    frame = rows(("x", "a"), ("x", "a"), ("y", "b")).with_columns(pl.Series(f"{SLICE}from", ["web", "app", "app"]))
    for order in ([0, 1, 2], [2, 1, 0]):
        docs = clean(frame[order], None, DROP).docs
        assert docs.columns == ["id", "text", "label", "group", "split", f"{SLICE}from"]
        (first, app), (second, web) = docs.filter(text="x").select("id", f"{SLICE}from").iter_rows()
        assert (app, web, second) == ("app", "web", f"{first}-2")
