import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textmill.errors import DataError
from textmill.rows import splits
from textmill.rows.shares import SLACK, even_out
from textmill.rows.splits import (
    SIDES,
    SPLITS,
    Sizes,
    SplitConfig,
    in_test,
    limit,
    outline,
    piece_numbers,
    quotas,
    split_off,
    text_key,
)

CONFIG = SplitConfig(validation=0.1, test=0.2, by="text", sizes=None)


def docs(rows: list[dict]) -> pl.DataFrame:
    schema = {"id": pl.String, "text": pl.String, "label": pl.String, "group": pl.String, "split": pl.String}
    return pl.DataFrame([{"id": f"{i:04}", "group": None, "split": None, **row} for i, row in enumerate(rows)], schema)


def plain(count: int, **columns) -> pl.DataFrame:
    return docs([{"text": f"text {i}", "label": "ab"[i % 2], **columns} for i in range(count)])


def split(frame: pl.DataFrame, labels: list[str], config: SplitConfig, seed: int) -> dict[str, pl.DataFrame]:
    """The documents of each side."""
    sides = splits.split(outline(frame, labels), labels, config, seed)
    return {name: frame.filter(sides == name) for name in SIDES.categories}


def test_every_row_once_stratified_and_seeded():
    frame = plain(200)
    parts = split(frame, ["a", "b"], CONFIG, seed=1)
    assert {name: len(part) for name, part in parts.items()} == {
        "train": 140,
        "validation": 20,
        "test": 40,
        "unlabelled": 0,
    }
    assert sorted(pl.concat(parts.values())["id"]) == frame["id"].to_list()
    for part in (parts[name] for name in SPLITS):
        assert abs((part["label"] == "a").sum() - len(part) / 2) <= 1
    assert split(frame, ["a", "b"], CONFIG, seed=1)["test"].equals(parts["test"])
    assert not split(frame, ["a", "b"], CONFIG, seed=2)["test"].equals(parts["test"])


@settings(max_examples=60)
@given(
    st.lists(st.integers(6, 60), max_size=5),
    st.floats(0.05, 0.3),
    st.floats(0.05, 0.3),
    st.integers(0, 99),
)
def test_every_document_is_on_one_side_and_each_class_has_its_share(sizes, validation, test, seed):
    """If each document may move alone, each cut is within a document of its share of every class."""
    sizes = [40, *sizes]  # so that no split is empty
    labels = [f"c{number}" for number in range(len(sizes))]
    frame = docs([{"text": f"{label} {i}", "label": label} for label, size in zip(labels, sizes, strict=True)
                  for i in range(size)]).sample(fraction=1, shuffle=True, seed=seed)  # fmt: skip
    parts = split(frame, labels, CONFIG.model_copy(update={"validation": validation, "test": test}), seed)
    assert sorted(pl.concat(parts.values())["id"]) == sorted(frame["id"])
    for label, size in zip(labels, sizes, strict=True):
        of = {name: (parts[name]["label"] == label).sum() for name in SPLITS}
        assert abs(of["test"] - test * size) <= 1
        assert abs(of["validation"] - validation / (1 - test) * (size - of["test"])) <= 1


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 9)), min_size=60, max_size=80), st.integers(0, 5))
def test_equal_texts_and_groups_never_cross(rows, seed):
    frame = docs([{"text": f"Text  {t}", "label": "ab"[i % 2], "group": f"g{g}"} for i, (t, g) in enumerate(rows)])
    frame = pl.concat([frame, plain(60, group="alone").with_columns(id="x" + pl.col("id"), group=pl.col("text"))])
    parts = split(frame, ["a", "b"], CONFIG.model_copy(update={"by": "group"}), seed)
    assert sorted(pl.concat(parts.values())["id"]) == sorted(frame["id"])
    for column in (lambda part: text_key(part["text"]), lambda part: part["group"]):
        seen = [set(column(parts[name])) for name in SPLITS]
        assert not (seen[0] & seen[1] | seen[0] & seen[2] | seen[1] & seen[2])


def test_equality_of_texts_ignores_case_and_spaces():
    frame = docs([{"text": t, "label": "a"} for t in ("Good  film", "good film ", "bad film")])
    pieces = piece_numbers(outline(frame, ["a"]), "text")
    assert pieces[0] == pieces[1] != pieces[2]


def test_groups_chain_through_equal_texts():
    frame = docs(
        [
            {"text": t, "label": "a", "group": g}
            for t, g in (("x", "1"), ("y", "1"), ("y", "2"), ("z", "2"), ("w", None))
        ]
    )
    pieces = piece_numbers(outline(frame, ["a"]), "group")
    assert len(set(pieces[:4])) == 1
    assert pieces[4] not in pieces[:4]
    in_parts = splits.pieces((frame[first : first + 2] for first in (0, 2, 4)), ["a"], "group")
    assert in_parts.tolist() == pieces.tolist()


def test_a_class_with_one_row_left_gives_back_what_is_too_much():
    classes = np.repeat(np.arange(40), 3)
    aside = np.tile([True, True, False], 40)
    assert even_out(aside, np.arange(120), classes, 1 / 3, np.random.default_rng(0)).sum() == 40


def test_given_splits_are_kept_and_missing_ones_cut():
    frame = plain(100).with_columns(
        split=pl.when(pl.int_range(100) < 40).then(pl.lit("test")).otherwise(pl.lit("train"))
    )
    parts = split(frame, ["a", "b"], CONFIG, seed=0)
    assert set(parts["test"]["id"]) == set(frame.filter(split="test")["id"])
    assert len(parts["validation"]) == 6


@given(
    st.lists(st.tuples(st.integers(0, 60), st.sampled_from([None, "train", "validation"])), min_size=90, max_size=120)
)
def test_what_is_cut_shares_no_text_with_what_is_given(rows):
    frame = docs([{"text": f"t{t}", "label": "ab"[i % 2], "split": s} for i, (t, s) in enumerate(rows)])
    frame = pl.concat([frame, plain(60).with_columns(id="x" + pl.col("id"))])
    parts = split(frame, ["a", "b"], CONFIG, seed=0)
    given_ones = frame.drop_nulls("split")
    assert not set(parts["test"]["text"]) & set(given_ones["text"])
    assert not set(parts["test"]["text"]) & set(parts["train"]["text"])
    for name in ("train", "validation"):
        kept = set(given_ones.filter(split=name)["id"])
        assert kept <= set(parts[name]["id"]) or (name == "train" and "validation" not in given_ones["split"])


def test_a_missing_test_split_is_cut_from_train():
    frame = plain(100).with_columns(
        split=pl.when(pl.int_range(100) < 20).then(pl.lit("validation")).otherwise(pl.lit("train"))
    )
    parts = split(frame, ["a", "b"], CONFIG, seed=0)
    assert (len(parts["validation"]), len(parts["test"])) == (20, 16)


def test_shares_must_leave_something():
    with pytest.raises(ValueError, match="leave nothing to train on"):
        SplitConfig(validation=0.5, test=0.5, by="text", sizes=None)


def test_unlabelled_rows_stay_out():
    frame = pl.concat([plain(50), docs([{"text": "who knows", "label": None, "split": "unlabelled"}])])
    parts = split(frame, ["a", "b"], CONFIG, seed=0)
    assert parts["unlabelled"]["text"].to_list() == ["who knows"]
    assert sum(map(len, parts.values())) == 51


def test_an_unlabelled_twin_keeps_no_document_from_being_cut():
    twins = plain(100, label=None, split="unlabelled").with_columns(id="x" + pl.col("id"))
    parts = split(pl.concat([plain(100), twins]), ["a", "b"], CONFIG, seed=0)
    assert [len(parts[name]) for name in SPLITS] == [70, 10, 20]
    assert parts["unlabelled"].equals(twins)


def limited(frame: pl.DataFrame, sizes: dict[str, int], seed: int = 0) -> tuple[pl.Series, pl.Series]:
    """Sides before and after `split.sizes`."""
    docs = outline(frame, ["a", "b"])
    sides = splits.split(docs, ["a", "b"], CONFIG, seed=0)
    return sides, limit(sides, docs, Sizes(**sizes), seed)


def test_sizes_keep_so_many_of_each_class_by_the_seed():
    frame = docs([{"text": f"text {i}", "label": "aab"[i % 3]} for i in range(300)])
    frame = pl.concat([frame, docs([{"text": "who knows", "label": None, "split": "unlabelled"}])])
    sizes = {"train": 100, "validation": 15, "test": 1000}
    before, after = limited(frame, sizes)
    counts = {name: dict(frame.filter(after == name)["label"].value_counts().iter_rows()) for name in SPLITS}
    assert counts == {"train": {"a": 67, "b": 33}, "validation": {"a": 10, "b": 5}, "test": {"a": 40, "b": 20}}
    assert (after == "unlabelled").arg_true().to_list() == [300]
    assert (after == before).all()  # null where a document is left out: nothing changes sides
    assert limited(frame, sizes)[1].equals(after, null_equal=True)
    assert not limited(frame, sizes, seed=1)[1].equals(after, null_equal=True)


def test_sizes_that_would_lose_a_class_are_an_error():
    frame = docs([{"text": f"text {i}", "label": "b" if i % 10 == 0 else "a"} for i in range(300)])
    with pytest.raises(DataError, match=r"split.sizes.test: 2 leaves none of the 6 documents of class 'b'"):
        limited(frame, {"train": 200, "validation": 20, "test": 2})


def test_a_partition_counts_what_it_leaves_out():
    frame = pl.concat([plain(200), plain(200, label=None, split="unlabelled").with_columns(id="x" + pl.col("id"))])
    config = CONFIG.model_copy(update={"sizes": Sizes(train=100, validation=20, test=30)})
    parts = splits.partition(outline(frame, ["a", "b"]), ["a", "b"], config, 1)
    assert [int((parts.sides == name).sum()) for name in SIDES.categories] == [100, 20, 30, 170]
    left_out = {"train": 40, "validation": 0, "test": 10}
    assert parts.counts == {"left_out": left_out, "unlabelled_in_test": 30}  # each document has an unlabelled copy
    assert parts._replace(twins={"train": 1}).counts["twins"] == {"train": 1}


def test_a_partition_names_the_rows_of_train_that_are_also_in_test():
    sides = [("a", "test"), ("x", "train"), ("b", "train"), ("y", "validation"), ("A ", "train"), ("b", "validation")]
    frame = docs([{"text": text, "label": "a", "split": side} for text, side in sides])
    parts = splits.partition(outline(frame, ["a"]), ["a"], CONFIG, 0)
    assert parts.train_in_test == [2]  # of the three rows of train
    assert (parts.sides == frame["split"]).all()


@given(st.lists(st.integers(0, 50), min_size=1).filter(any), st.floats(0.01, 1))
def test_quotas_are_as_near_as_whole_numbers_can_be(counts, share):
    counts = np.array(counts)
    size = max(1, int(share * counts.sum()))
    kept = quotas(counts, size)
    assert kept.sum() == size
    assert (np.abs(kept - counts * size / counts.sum()) < 1).all()
    assert (kept <= counts).all()


def test_texts_of_the_test_split_are_found_elsewhere():
    rows = [
        ("a b", "train"),
        ("A  b ", "test"),
        ("c", "unlabelled"),
        ("a B", "unlabelled"),
        ("d", "train"),
        ("c", None),
    ]
    frame = docs([{"text": text, "label": "a", "split": side} for text, side in rows])
    assert in_test(outline(frame, ["a"]), outline(frame, ["a"])["split"]).tolist() == [
        True,
        True,
        False,
        True,
        False,
        False,
    ]
    assert not in_test(outline(frame[2:5], ["a"]), outline(frame[2:5], ["a"])["split"]).any()  # no test document


@pytest.mark.parametrize(
    ("side", "label", "words"),
    [("train", "a", "train has no document of class 'a'"), ("validation", None, "validation has no document")],
)
def test_leaving_out_twins_may_not_lose_a_class_or_a_split(side, label, words):
    frame = outline(plain(40), ["a", "b"])
    parts = splits.partition(frame, ["a", "b"], CONFIG, 1)
    one = np.zeros(40, bool)
    one[np.flatnonzero(parts.sides == "train")[0]] = True
    assert splits.without_twins(parts, frame, ["a", "b"], one).twins == {"train": 1, "validation": 0, "unlabelled": 0}
    there = (parts.sides == side) & ((frame["label"] == label) if label else True)
    with pytest.raises(DataError, match=words):
        splits.without_twins(parts, frame, ["a", "b"], there.to_numpy())


def test_a_big_piece_goes_where_it_fits():
    pieces = np.array([0] * 70 + list(range(1, 31)))
    aside = split_off(pieces, np.zeros(100, int), 0.2, np.random.default_rng(0))
    assert not aside[:70].any()
    assert aside.sum() == 20


def greedy(pieces: np.ndarray, classes: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Does what `split_off` does, as plainly as possible: one piece after the other, largest first."""
    numbers, kinds = np.unique(pieces), np.unique(classes)
    counts = np.array([[((pieces == p) & (classes == k)).sum() for k in kinds] for p in numbers], float)
    order = rng.permutation(len(numbers))
    order = order[np.argsort(-counts.sum(axis=1)[order], kind="stable")]
    total = np.stack([counts.sum(axis=0) * share, counts.sum(axis=0) * (1 - share)])
    lacking, aside = total.copy(), np.zeros(len(numbers), bool)
    for number in order:
        need = (counts[number] * lacking / total).sum(axis=1)
        aside[number] = need[0] > need[1]
        lacking[0 if aside[number] else 1] -= counts[number]
    return aside[np.searchsorted(numbers, pieces)]


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(-1, 9)), min_size=1, max_size=60),
    st.floats(0.01, 0.6),
    st.integers(0, 99),
)
def test_pieces_of_one_document_take_a_short_way_to_the_same_end(rows, share, seed):
    pieces, classes = np.array(rows).T
    short, plain = (way(pieces, classes, share, np.random.default_rng(seed)) for way in (split_off, greedy))
    assert short.tolist() == plain.tolist()


@given(
    st.lists(st.tuples(st.integers(3, 9), st.integers(1, 3)), min_size=1, max_size=80),
    st.floats(0.05, 0.4),
    st.integers(0, 9),
)
def test_many_classes_keep_the_share_of_all_rows_and_each_is_within_a_row_of_its_own(sizes, share, seed):
    """If each document may move alone; with larger pieces no class gets farther from its share."""
    classes = np.repeat(np.arange(len(sizes)), [rows for rows, _ in sizes])
    alone, rng = np.arange(len(classes)), np.random.default_rng(seed)
    before = split_off(alone, classes, share, rng)
    after = even_out(before, alone, classes, share, rng)
    assert abs(after.sum() - share * len(classes)) <= max(1, SLACK * len(classes))
    assert (np.abs(np.bincount(classes[after], minlength=len(sizes)) - share * np.bincount(classes)) < 1 + 1e-9).all()
    assert (np.bincount(classes[~after]) > 0).all()

    pieces = np.concatenate([np.arange(rows) // size + 100 * c for c, (rows, size) in enumerate(sizes)])
    before = split_off(pieces, classes, share, rng)
    after = even_out(before, pieces, classes, share, rng)
    off, was = (np.abs(np.bincount(classes[part], minlength=len(sizes)) - share * np.bincount(classes))
                for part in (after, before))  # fmt: skip
    assert (off < np.maximum(1, was) + 1e-9).all()
    assert abs(after.sum() - share * len(classes)) <= abs(before.sum() - share * len(classes)) + 1e-9
    assert all(len(set(after[pieces == piece])) == 1 for piece in set(pieces))


@pytest.mark.parametrize("rows", [195, 203, 205])
def test_a_split_that_is_near_its_share_stays_as_it_is(rows):
    classes = np.arange(1000) % 2
    aside = np.arange(1000) < rows
    assert even_out(aside, np.arange(1000), classes, 0.2, np.random.default_rng(0)) is aside


def test_a_split_with_too_few_rows_gets_more_from_each_class():
    classes = np.arange(400) % 100
    aside = even_out(np.zeros(400, bool), np.arange(400), classes, 0.1, np.random.default_rng(0))
    assert aside.sum() == 40
    assert np.bincount(classes[aside]).max() == 1
    classes = np.arange(200) % 100  # one of two rows may go, the other stays
    assert even_out(np.zeros(200, bool), np.arange(200), classes, 0.4, np.random.default_rng(0)).sum() == 80


def test_105_classes_of_three_rows():
    frame = docs([{"text": f"text {i // 2 if i % 3 else i} {i // 3}", "label": f"c{i // 3:03}"} for i in range(315)])
    labels = sorted(set(frame["label"]))
    parts = split(frame, labels, CONFIG, seed=42)
    assert [len(parts[name]) for name in SPLITS] == [220, 32, 63]
    assert set(parts["train"]["label"]) == set(labels)


def rare(*counts: tuple[str, int], **given: str) -> pl.DataFrame:
    rows = [{"text": f"{label} {i}", "label": label} for label, count in counts for i in range(count)]
    return docs([row | ({"split": given[row["label"]]} if row["label"] in given else {}) for row in rows])


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (
            rare(("good", 50), ("bad", 50), ("goood", 1)),
            r"a class needs 3 rows, .* 'goood' has 1 \(is it 'good'\?\); .*dataset\.labels: {goood: good}",
        ),
        (
            rare(("good", 50), ("bad", 50), ("goood", 1), ("zz", 1)),
            r"'goood' has 1 \(is it 'good'\?\), 'zz' has 1; .*dataset\.labels: {goood: good, zz: null}$",
        ),
        (rare(("good", 50), ("bad", 50), ("zz", 2)), r"'zz' has 2; .* leave it out with null, .*{zz: null}"),
        (
            rare(("good", 50), ("bad", 50), ("v", 1), ("x", 1), ("y", 1), ("z", 1)),
            r"'v' has 1, 'x' has 1, 'y' has 1, and 1 more have too few",
        ),
    ],
)
def test_a_class_with_fewer_rows_than_splits_is_refused(frame, message):
    with pytest.raises(DataError, match=message):
        split(frame, sorted(set(frame["label"])), CONFIG, seed=0)


def test_a_given_test_split_may_lack_a_class():
    frame = docs([{"text": f"{i}", "label": "abc"[i % 3], "split": "train"} for i in range(60)]
                 + [{"text": f"t{i}", "label": "a", "split": "test"} for i in range(9)])  # fmt: skip
    parts = split(frame, ["a", "b", "c"], CONFIG, seed=0)
    assert set(parts["test"]["label"]) == {"a"}


def test_an_outline_in_pieces_is_the_whole_outline_and_splits_are_these():
    """The numbers of texts come from their keys: another order would change the split of every dataset."""
    frame = plain(40, group="g")
    whole = outline(frame, ["a", "b"])
    assert pl.concat([outline(frame[:7], ["a", "b"]), outline(frame[7:], ["a", "b"])]).equals(whole)
    assert whole.estimated_size() <= 23 * len(frame)
    sides = splits.split(whole, ["a", "b"], CONFIG, seed=0)
    assert (sides == "test").arg_true().to_list() == [0, 13, 16, 19, 28, 35, 36, 37]


@pytest.mark.parametrize(
    ("frame", "config", "message"),
    [
        (plain(50), {"by": "group"}, "dataset.group is null"),
        (plain(50), {"labels": ["a", "b", "c"]}, "train has no document of class 'c'"),
        (plain(50), {"test": 0.0}, "split.test: 0, but the data brings no test split"),
        (docs([{"text": "same", "label": "ab"[i % 2]} for i in range(20)]), {}, "has no document of class"),
    ],
)
def test_what_cannot_be_cut_is_said(frame, config, message):
    labels = config.pop("labels", ["a", "b"])
    with pytest.raises(DataError, match=message):
        split(frame, labels, CONFIG.model_copy(update=config), seed=0)


def test_a_column_of_texts_for_the_class_is_refused_at_once():
    labels = [f"{number:05}: a text of its own" for number in range(20_000)]
    counts = np.where(np.arange(len(labels)) < 2_000, 5, 1)
    with pytest.raises(DataError, match=r"'02000: a text of its own' has 1.* and 17,997 more have too few"):
        splits.check_rows(counts, labels, [1, 2])
