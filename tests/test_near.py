"""Near copies across splits: found where a person would see them, and nowhere else."""

import numpy as np
import polars as pl
import pytest

from textmill.rows import near
from textmill.rows.near import near_copies, twins, words
from textmill.rows.splits import SIDES

TEXT = "the kettle works well and its colour is ugly on Monday morning"


def across(train, test, validation=(), seed=1):
    splits = {"train": train, "validation": validation, "test": test}
    series = {name: [pl.Series(texts, dtype=pl.String)] for name, texts in splits.items()}
    return near_copies(series, {name: len(texts) for name, texts in splits.items()}, seed)


@pytest.mark.parametrize(
    ("other", "found"),
    [
        (f"RT @someone: {TEXT}...", 1),
        (TEXT.upper() + "!!! https://t.example/ab12", 1),
        (TEXT.replace("ugly", "pretty"), 1),
        (f"{TEXT} in May", 1),
        (TEXT.upper(), 0),  # an equal text: `overlap` counts it
        (TEXT.replace("kettle works well", "lamp broke"), 0),
        ("the film is well made and its end is moving", 0),
        ("", 0),
    ],
)
def test_a_near_copy_is_one_that_a_person_would_call_one(other, found):
    assert across([TEXT, "something else"], [other]).near["train-test"] == found


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ("good film", "good film!", 1),
        ("good film", "good plot", 0),
        ("not a good film", "a good film", 0),
        ("房间很脏价格太贵早餐也不好吃下次不来了", "房间很脏价格太贵早餐也不好吃下次还来了", 1),
        ("房间很脏价格太贵", "服务热情位置方便", 0),
        ("ห้องสะอาดมากพนักงานใจดีอาหารอร่อย", "ห้องสะอาดมากพนักงานใจดีอาหารอร่อย!!", 1),
        ("😀 👍", "😀 👎", 0),
        ("...", "!!!", 0),
    ],
)
def test_short_texts_and_scripts_without_spaces(one, other, found):
    assert across([one], [other]).near["train-test"] == found


def test_pairs_of_splits_and_equal_results_in_any_batch():
    test = [TEXT + " too"]
    assert across([], test, [TEXT]).near == {"train-validation": 0, "train-test": 0, "validation-test": 1}
    assert across([TEXT], test, [TEXT]).near == {"train-validation": 0, "train-test": 1, "validation-test": 1}
    series = {"train": [pl.Series([f"no {n}"]) for n in range(3)] + [pl.Series([TEXT])], "validation": []}
    whole = near_copies(series | {"test": [pl.Series(test)]}, {"train": 4, "validation": 0, "test": 1}, 1)
    assert whole.near["train-test"] == 1
    late = {"test": [pl.Series(["something else"]), pl.Series(test)]}
    assert near_copies(series | late, {"train": 4, "validation": 0, "test": 2}, 1).near["train-test"] == 1


def test_few_are_missed_and_none_is_made_up():
    """One word of seven changed shares exactly SHARED of the words, where the hash misses most; two share too few."""
    rng = np.random.default_rng(0)
    texts = [[f"w{n}" for n in rng.choice(50_000, 7, replace=False)] for _ in range(2000)]
    train = [" ".join(text) for text in texts]
    one = [" ".join([*text[:-1], "other"]) for text in texts]
    two = [" ".join([*text[:-2], "two", "others"]) for text in texts]
    assert across(train, one).near["train-test"] >= 1960
    assert across(train, two).near["train-test"] == 0


def test_many_documents_are_drawn_by_the_seed(monkeypatch):
    monkeypatch.setattr(near, "JUDGED", 10)
    test = [f"{TEXT} {number}" for number in range(40)]
    found = across([TEXT], test)
    assert found.near["train-test"] == 10
    assert found.near_drawn == {"test": 10}
    half = [*test[:20], *(f"number {number} is another thing altogether, with no kettle" for number in range(20))]
    assert across([TEXT], half, seed=3) == across([TEXT], half, seed=3)


def test_the_time_is_bounded_where_all_texts_are_alike(monkeypatch):
    """Every pair meets in many bands, and none is near enough: comparing all of them would take minutes."""
    monkeypatch.setattr(near, "PAIRS", 50_000)
    compared = []
    monkeypatch.setattr(near, "_near", lambda one, other: compared.append(1))
    frame = "a b c d e f g h i j k l m n "
    across([f"{frame} {n} x{n} y{n}" for n in range(1000)], [f"{frame} {n}z x{n}z y{n}z" for n in range(1000)])
    assert 0 < len(compared) <= 50_000


def test_words(monkeypatch):
    texts = pl.Series(["RT @you: It's GOOD, good!", "很好的 film 2024 👍", ""])
    found = [sorted(some) for some in words(texts)]
    assert found == [["good", "it", "s"], ["2024", "film", "好的", "很好", "的", "👍"], []]
    monkeypatch.setattr(near, "WORDS", 2)
    assert words(texts).to_list() == [["good", "it"], ["2024", "film"], []]


def test_twins_of_test_documents_are_all_found_and_no_others():
    texts = [TEXT, TEXT.replace("ugly", "fine"), "no such thing", TEXT.upper(), f"{TEXT} indeed", "", "another thing"]
    test = [False, True, False, False, False, False, True]
    sides = pl.Series([{True: "test", False: "train"}[one] for one in test[:-1]] + [None], dtype=SIDES)
    for size in (1, 3, 7):  # in any batches
        found = twins(lambda size=size: [pl.Series(texts)[i : i + size] for i in range(0, 7, size)], sides, 1)
        assert found.tolist() == [True, False, False, True, True, False, False]


def test_of_a_contrast_set_every_original_and_every_copy_of_it_is_found():
    originals = [" ".join(f"word{n}x{i}" for i in range(40)) + " good" for n in range(300)]
    contrast = [text.replace("good", "bad") for text in originals[:100]]
    texts = [*originals, *[f"{text} indeed" for text in originals[:50]], *contrast]
    sides = pl.Series(["train"] * 350 + ["test"] * 100, dtype=SIDES)
    found = twins(lambda: [pl.Series(texts)], sides, 1)
    assert found[:100].sum() >= 98  # the hash may miss one in a hundred
    assert found[300:350].sum() >= 48
    assert not found[100:300].any()
    assert not found[350:].any()
