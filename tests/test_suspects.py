"""Suspicious labels: those changed on purpose come first, and documents without a verdict are counted."""

import csv

import numpy as np
import polars as pl
import pytest
from conftest import toy

from stages import suspects as stage
from textmill.annotation import suspects
from textmill.annotation.folds import folds
from textmill.files import write_json
from textmill.parquet import append_parquet
from textmill.records.suspects import Suspects
from textmill.report.labels import suspects_line
from textmill.rows.splits import pieces
from textmill.text.encoding import Encoded
from textmill.text.subset import subset


@pytest.fixture
def run(tmp_path):
    """Runs the stage on documents (id, text, label, group), a third in each split; returns its table and record."""

    def run(docs: pl.DataFrame, labels: list[str], by: str = "text") -> tuple[list[dict[str, str]], Suspects]:
        for number, split in enumerate(("train", "validation", "test")):
            with append_parquet(tmp_path / f"split/{split}.parquet") as append:
                append(docs.gather_every(3, number))
        write_json(tmp_path / "labels.json", labels)
        write_json(tmp_path / "params.yaml", {"seed": 3, "split": {"by": by}})
        found = tmp_path / "suspects.csv", tmp_path / "suspects.json"
        stage.main(tmp_path / "split", tmp_path / "labels.json", *found, tmp_path / "params.yaml")
        with open(found[0], newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file)), Suspects.read(found[1])

    return run


def labelled(reviews: pl.DataFrame) -> pl.DataFrame:
    ids = pl.format("{}", pl.int_range(pl.len())).str.zfill(4).alias("id")
    return reviews.select(ids, "text", "label", pl.col("film").alias("group"))


@pytest.mark.parametrize("by", ["text", "group"])
def test_wrong_labels_come_first(reviews, run, capsys, by):
    wrong = [f"{number:04}" for number in range(0, 240, 30)]
    flipped = pl.when(pl.col("id").is_in(wrong)).then(pl.lit("good")).otherwise("label")  # all of them are bad
    docs = labelled(reviews).with_columns(label=flipped)
    docs = docs.with_columns(text=pl.when(pl.col("id") == wrong[0]).then("=" + pl.col("text")).otherwise("text"))
    table, facts = run(docs, ["bad", "good"], by)
    first = table[: len(wrong)]
    assert sorted(row["id"] for row in first) == wrong
    assert {(row["label"], row["would_be"]) for row in first} == {("good", "bad")}
    assert [row["rank"] for row in table] == [str(rank) for rank in range(1, len(table) + 1)]
    assert {row["split"] for row in first} <= {"train", "validation", "test"}
    assert next(row["text"] for row in table if row["id"] == wrong[0]).startswith("'=")
    assert (facts.documents, facts.judged, facts.listed, facts.drawn) == (240, 240, len(table), False)
    assert [one.id for one in facts.top] == [row["id"] for row in table[: suspects.TOP]]
    assert f"suspects.csv lists the {len(table)} most suspicious" in capsys.readouterr().out


def test_the_same_bytes_again(reviews, run, tmp_path):
    run(labelled(reviews), ["bad", "good"])
    first = (tmp_path / "suspects.csv").read_bytes()
    run(labelled(reviews), ["bad", "good"])
    assert (tmp_path / "suspects.csv").read_bytes() == first


@pytest.mark.parametrize("text", ["", "...", "one group"], ids=["few rows", "no words", "one group"])
def test_what_cannot_be_told_is_one_line(reviews, run, capsys, text):
    docs = labelled(reviews).with_columns(group=pl.lit("one"))
    docs = docs[:20] if not text else docs if text == "one group" else docs.with_columns(text=pl.lit(text))
    table, facts = run(docs, ["bad", "good"], "group" if text == "one group" else "text")
    assert (table, facts.judged, facts.top) == ([], 0, [])
    line = f"suspects: cannot say which labels look wrong: the {len(docs)} documents are too few, "
    assert capsys.readouterr().out.startswith(line)


def test_many_classes_and_a_rare_one():
    data = toy(600, 200, 30)
    labels = data.labels.copy()
    labels[7] = 30  # the only one of its class
    labels[8] = 9
    found = suspects.judge(Encoded(data.docs, labels), np.arange(600), 200, 31, 0)
    assert np.flatnonzero(~found.judged).tolist() == [7]
    assert found.predicted[8] == 8
    assert np.nanargmin(suspects.suspicion(found)) == 8
    assert (found.predicted == labels)[found.judged].mean() > 0.9


def test_of_many_documents_some_are_drawn_and_all_are_judged(monkeypatch):
    monkeypatch.setattr(suspects, "FITTED", 100)
    data = toy(300, 60, 2)
    found = suspects.judge(data, np.arange(300), 60, 2, 0)
    assert (found.fitted, found.drawn, found.judged.all()) == (100, True, True)


def test_no_document_is_judged_by_what_saw_it(monkeypatch):
    data, seen = toy(200, 60, 2), []
    tied = np.arange(200) // 4
    monkeypatch.setattr(suspects, "subset", lambda data, rows: seen.append(rows) or subset(data, rows))
    suspects.judge(data, tied, 60, 2, 0)
    for fitted, *held in (seen[start : start + 2] for start in range(0, len(seen), 2)):
        assert not set(tied[fitted]) & set(tied[np.concatenate(held)])
    assert sorted(np.concatenate(seen[1::2])) == list(range(200))


def test_folds_are_whole_pieces_of_even_classes():
    rng = np.random.default_rng(0)
    tied, classes = np.arange(500) // 2, rng.integers(0, 3, 500)
    fold = folds(tied, classes, 5, rng)
    assert all(len(set(fold[tied == piece])) == 1 for piece in range(250))
    for number in range(3):
        counts = np.bincount(fold[classes == number], minlength=5)
        assert counts.max() - counts.min() <= 4
    assert set(folds(np.zeros(9, int), np.zeros(9, int), 5, rng)) <= set(range(5))


def test_pieces_are_equal_texts_and_groups():
    docs = pl.DataFrame({"text": ["a", "A ", "b", "c"], "label": ["x", "x", "y", "y"], "group": ["1", "2", "2", "3"]})
    by = {way: pieces([docs[:2], docs[2:]], ["x", "y"], way).tolist() for way in ("text", "group")}
    assert by["text"][0] == by["text"][1] != by["text"][2]
    assert len(set(by["group"][:3])) == 1 != len(set(by["group"]))


def test_a_subset_is_its_documents_in_order():
    data = toy(20, 50, 2)
    rows = np.array([3, 17, 4])
    part = subset(data, rows)
    assert [one.tolist() for one in map(part.docs.__getitem__, range(3))] == [data.docs[row].tolist() for row in rows]
    assert part.labels.tolist() == data.labels[rows].tolist()


def test_a_list_without_an_entry_says_so():
    facts = Suspects(documents=200, judged=190, fitted=160, drawn=False, listed=0, top=[])
    assert suspects_line(facts, None) == "none of 190 labels looks wrong"
