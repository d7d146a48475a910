"""Which rows are documents. Encodings are repaired here; everything else that changes a text is the tokenizer's."""

import json
from collections.abc import Callable
from hashlib import blake2b
from typing import Any, Literal, NamedTuple

import polars as pl

from textmill.config import Count, Section
from textmill.errors import DataError

UNLISTED = "label not listed"  # the one reason that makes no row a bad one

SPLITS = {name: name for name in ("train", "validation", "test", "unlabelled")}
SPLITS |= {"valid": "validation", "val": "validation", "dev": "validation", "unsupervised": "unlabelled"}

# Bytes 80-9F of Windows texts that were read as latin-1 ("don\x92t"); five of them mean nothing there either.
C1 = {chr(code): bytes([code]).decode("cp1252", "replace").replace("\ufffd", " ") for code in range(0x80, 0xA0)}

CONTROLS = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"

# What is counted: the pattern that finds it, and its repair. Applied in this order.
REPAIRS: dict[str, tuple[str, Callable[[pl.Expr], pl.Expr]]] = {
    "byte order marks": ("\ufeff", lambda text: text.str.replace_all("\ufeff", "", literal=True)),
    "carriage returns": ("\r", lambda text: text.str.replace_all("\r\n?", "\n")),
    "misread cp1252": (r"[\x{80}-\x{9f}]", lambda text: text.str.replace_many(list(C1), list(C1.values()))),
    "control characters": (CONTROLS, lambda text: text.str.replace_all(CONTROLS, " ")),
    "replacement characters": ("\ufffd", lambda text: text),  # lost before, or lone surrogates of json: only counted
}


class CleanConfig(Section):
    """What to do with a row that cannot be used, and the longest text that is believed to be one."""

    on_bad_row: Literal["drop", "error"]
    max_chars: Count


class Cleaned(NamedTuple):
    """docs: id, text, label, group, split, sorted by id. labels: in class order. facts: counts for the metrics."""

    docs: pl.DataFrame
    labels: list[str]
    facts: dict[str, Any]


def clean(rows: pl.DataFrame, labels: list[str] | None, config: CleanConfig) -> Cleaned:
    """Documents of the rows that `tables.read_part` gives. The same rows in another order give the same documents.

    labels: the classes in their order; rows with others are left out. None: all that are found, sorted.
    Raises DataError where no honest classification is left, or, with on_bad_row: error, at the first bad rows.
    """
    rows, repaired = _repair(rows)
    rows = _with_split(rows).with_columns(
        label=pl.when(pl.col("split").ne_missing("unlabelled")).then(_stripped("label")), group=_stripped("group")
    )
    found = sorted(rows["label"].drop_nulls().unique())
    _check_labels(found, labels)
    rows = rows.with_columns(reason=_reason(labels or found, config.max_chars))
    bad = rows.filter(pl.col("reason") != UNLISTED)
    if config.on_bad_row == "error" and len(bad):
        reason = bad["reason"][0]
        raise DataError(f"{_place(bad.filter(reason=reason))}: {reason}; fix the row, or set clean.on_bad_row: drop")
    docs = rows.filter(pl.col("reason").is_null())
    counts = dict(docs["label"].value_counts().iter_rows())
    classes = [label for label in labels or found if label in counts]
    _check_classes(docs, classes, labels)
    facts = {
        "rows": len(rows),
        "kept": len(docs),
        "dropped": dict(rows["reason"].drop_nulls().value_counts().sort("reason").iter_rows()),
        "repaired": repaired,
        "labels": {label: counts[label] for label in classes},
    }
    return Cleaned(_identified(docs), classes, facts)


def _repair(rows: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, int]]:
    """Repair the texts; how many of them needed which repair."""
    repaired = {}
    for name, (pattern, repair) in REPAIRS.items():
        if count := int(rows["text"].str.contains(pattern).sum()):
            repaired[name] = count
            rows = rows.with_columns(repair(pl.col("text")))
    return rows, repaired


def _with_split(rows: pl.DataFrame) -> pl.DataFrame:
    given = pl.col("split").str.strip_chars().str.to_lowercase()
    known = rows.with_columns(known=given.replace_strict(SPLITS, default=None, return_dtype=pl.String))
    unknown = known.filter(pl.col("known").is_null() & pl.col("split").is_not_null())
    if len(unknown):
        raise DataError(f"{_place(unknown)}: split {unknown['split'][0]!r}; expected one of {', '.join(SPLITS)}")
    return known.with_columns(split="known").drop("known")


def _stripped(name: str) -> pl.Expr:
    stripped = pl.col(name).str.strip_chars()
    return pl.when(stripped != "").then(stripped)


def _reason(labels: list[str], max_chars: int) -> pl.Expr:
    """Why a row is no document, null if it is one. Every row of a given test split is scored, an empty one too."""
    empty = pl.col("text").fill_null("").str.strip_chars() == ""
    unlabelled, test = (pl.col("split").eq_missing(name) for name in ("unlabelled", "test"))
    return (
        pl.when(pl.col("label").is_null() & ~unlabelled).then(pl.lit("empty label"))
        .when(~pl.col("label").is_in(labels) & ~unlabelled).then(pl.lit(UNLISTED))
        .when(empty & ~test).then(pl.lit("empty text"))
        .when(pl.col("text").str.len_chars() > max_chars).then(pl.lit("text over max_chars"))
    )  # fmt: skip


def _check_labels(found: list[str], labels: list[str] | None) -> None:
    seen: dict[str, str] = {}
    for label in found:
        other = seen.setdefault(label.casefold(), label)
        if other != label:
            raise DataError(f"labels {other!r} and {label!r} differ only in case; write them alike")
    for label in labels or []:
        if label not in found:
            raise DataError(f"dataset.labels: no row has {label!r}; labels found: {', '.join(found[:20]) or 'none'}")


def _check_classes(docs: pl.DataFrame, classes: list[str], labels: list[str] | None) -> None:
    if docs.is_empty():
        raise DataError("no rows are left after cleaning; see dataset.labels and clean")
    if lost := [label for label in labels or [] if label not in classes]:
        raise DataError(f"no row with label {lost[0]!r} is left after cleaning; take it out of dataset.labels")
    if len(classes) < 2:
        raise DataError(f"expected two classes or more, found {classes[0]!r} only" if classes else "no row has a label")
    judges = pl.col("split").is_in(["validation", "test"])
    new = docs.filter(judges & ~pl.col("label").is_in(docs.filter(~judges.fill_null(False))["label"].implode()))
    if len(new):
        raise DataError(f"{_place(new)}: label {new['label'][0]!r} of split {new['split'][0]} is not in train")


def _identified(docs: pl.DataFrame) -> pl.DataFrame:
    """With an id for every row: the given one, or one of its content, so that the source's order does not matter."""
    docs = docs.with_columns(pl.col("text").fill_null(""))
    if docs["id"].null_count() == len(docs):
        content = ["split", "text", "label", "group"]
        copies = docs.select(*content, copy=pl.int_range(pl.len()).over(content))
        docs = docs.with_columns(id=pl.Series([_hash(row) for row in copies.iter_rows()], dtype=pl.String))
    shared = docs.filter(pl.col("id").is_null() | pl.col("id").is_duplicated())
    if len(shared):
        raise DataError(f"{_place(shared)}: id {shared['id'][0]!r} does not name one row; or set dataset.id: null")
    return docs.sort("id").select("id", "text", "label", "group", "split")


def _hash(content: tuple) -> str:
    return blake2b(json.dumps(content, ensure_ascii=False).encode(), digest_size=8).hexdigest()


def _place(rows: pl.DataFrame) -> str:
    """The first five rows and how many there are: 'data/raw/reviews.csv, row 3, 7 (2 rows)'."""
    first = rows.filter(pl.col("file") == rows["file"][0])["row"].head(5)
    return f"{rows['file'][0]}, row {', '.join(map(str, first))}" + (f" ({len(rows):,} rows)" if len(rows) > 1 else "")
