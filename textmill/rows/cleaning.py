"""Which rows are documents. Encodings are repaired here; everything else that changes a text is the tokenizer's."""

from collections import Counter
from collections.abc import Callable
from typing import Any, Literal

import polars as pl

from textmill.config import Count, Section
from textmill.console import counted
from textmill.errors import DataError
from textmill.records.data import Clean
from textmill.rows.bad import NO_LABEL, NO_TEXT, TOO_LONG, UNLISTED, advice
from textmill.rows.columns import SLICE
from textmill.rows.hashing import hexadecimal, keys
from textmill.rows.labels import Naming
from textmill.rows.misread import twice_encoded
from textmill.sources.naming import SPLITS, split_named

ODD_SPLIT = "split '"  # begins the reason that stops every run

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

    on_bad_row: Literal["drop", "error"] = "drop"  # drop and count a row without a text or a label, or stop and name it
    max_chars: Count = 10_000_000  # a longer text is a bad row


KINDS = ["file", "split", "label", "reason", "named"]  # what rows are counted by


class Cleaner:
    """Takes the rows that `tables.read_part` gives, a chunk at a time, and tells at the end what they were.

    labels: the classes in their order, rows with others are left out; or new names for what the rows say, None for
    what is left out. None: all that are found, sorted.
    Neither the order of the rows nor their chunks change a document, a label or a count.
    """

    def __init__(self, labels: list[str] | dict[str, str | None] | None, config: CleanConfig):
        self.naming, self.config = Naming(labels), config
        self._repaired: Counter[str] = Counter()
        self._twice_encoded = 0
        self._read_as: dict[str, str] = {}  # by file
        self._census: list[pl.DataFrame] = []  # KINDS, how many rows are of the kind, and the first five of them

    def keep(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The documents among the rows: their columns and `key`, UInt64, which sorts them. No given id: null."""
        self._twice_encoded += twice_encoded(rows["text"])
        self._read_as |= dict(rows.head(1).select(pl.col("file", "how").cast(pl.String)).drop_nulls().rows())
        rows, repaired = _repair(rows)
        self._repaired.update(repaired)
        rows = _with_split(rows).with_columns(
            label=pl.when(pl.col("split").ne_missing("unlabelled")).then("label"), group=_stripped("group")
        )
        rows = rows.with_columns(self.naming.name(rows["label"]))
        reason = _reason(self.naming.left_out(), self.config.max_chars)
        rows = rows.with_columns(reason=reason, named=pl.col("id").is_not_null())
        self._census.append(rows.group_by(KINDS, maintain_order=True).agg(pl.col("row").head(5), count=pl.len()))
        docs = rows.filter(pl.col("reason").is_null()).drop("how", "bad", "odd", "reason", "named")
        docs = docs.with_columns(pl.col("text").fill_null(""))
        return docs.with_columns(key=keys(docs.select(_content()).to_series()))

    def finish(self) -> tuple[list[str], dict[str, Any]]:
        """The classes in their order, and the counts for the metrics.

        Raises DataError where no honest classification is left, or, with on_bad_row: error, if a row was bad.
        """
        census = pl.concat(self._census)
        if len(odd := census.filter(pl.col("reason").str.starts_with(ODD_SPLIT))):
            raise DataError(f"{_place(odd)}: {odd['reason'][0]}; expected one of {', '.join(SPLITS)}")
        listed = self.naming.listed
        self.naming.check()
        bad = census.filter(pl.col("reason") != UNLISTED)
        if self.config.on_bad_row == "error" and len(bad):
            reason = bad["reason"][0]
            place = _place(bad.filter(reason=reason))
            raise DataError(f"{place}: {reason}; {advice(reason)}, or set clean.on_bad_row: drop")
        kept = census.filter(pl.col("reason").is_null())
        counts = _counts(kept, "label")
        classes = [label for label in listed or sorted(counts) if label in counts]
        _check_classes(kept, classes, listed, lost=_lost(census))
        if kept["named"].n_unique() > 1:
            raise DataError(f"{_place(kept.filter(named=False))}: no id; give it one, or set dataset.id: null")
        return classes, {
            "rows": census["count"].sum(),
            "kept": kept["count"].sum(),
            "dropped": _counts(census, "reason"),
            "repaired": {name: self._repaired[name] for name in REPAIRS if name in self._repaired},
            "labels": {label: counts[label] for label in classes},
            "read_as": self._read_as,
            "twice_encoded": self._twice_encoded,
        }


def told(counts: Clean) -> list[str]:
    """What a person should know of the rows, in lines."""
    lines = [f"{file} read as {how}" for file, how in counts.read_as.items()]
    if counts.twice_encoded:
        some = counted(counts.twice_encoded, "text looks", "texts look")
        lines.append(f"{some} twice encoded (UTF-8 that was read as cp1252 or latin-1); see dataset.encodings")
    dropped = "".join(f", {count:,} {reason}" for reason, count in counts.dropped.items())
    return [*lines, f"{counts.kept:,} documents of {counts.rows:,} rows{dropped}"]


def arrange(docs: pl.DataFrame) -> pl.DataFrame:
    """Documents with all that have the same keys, in their order: id, text, label, group, split, and what begins with
    SLICE.

    A document without an id gets its key for one; a copy, equal in all columns, adds -2, -3 and so on.
    Raises DataError if a given id stands twice.
    """
    sliced = [name for name in docs.columns if name.startswith(SLICE)]
    docs = docs.sort("key", "id", "text", "label", "group", "split", *sliced)
    if docs["id"].null_count():
        copy = pl.int_range(1, pl.len() + 1).over("key")
        suffix = pl.when(copy > 1).then(pl.format("-{}", copy)).otherwise(pl.lit(""))
        docs = docs.with_columns(id=hexadecimal(docs["key"]) + docs.select(suffix).to_series())
    else:
        check_ids(docs)
    return docs.select("id", "text", "label", "group", "split", *sliced)


def check_ids(docs: pl.DataFrame) -> None:
    """Raise DataError if a given id stands twice among documents, of which file, row and id are looked at."""
    if len(shared := docs.filter(pl.col("id").is_duplicated())):
        one = shared.filter(id=shared["id"][0]).group_by("file", "id").agg("row", count=pl.len()).sort("file")
        raise DataError(f"{_place(one)}: id {one['id'][0]!r} does not name one row; or set dataset.id: null")


def _content() -> pl.Expr:
    """What a key is made of: the id, or else all that makes a document. No repaired text holds a NUL."""
    rest = pl.struct("label", "group", "split").struct.json_encode()
    return pl.coalesce("id", pl.concat_str("text", rest, separator="\0"))


def _repair(rows: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, int]]:
    """Repair the texts; how many of them needed which repair."""
    repaired = {}
    for name, (pattern, repair) in REPAIRS.items():
        if count := int(rows["text"].str.contains(pattern).sum()):
            repaired[name] = count
            rows = rows.with_columns(repair(pl.col("text")))
    return rows, repaired


def _with_split(rows: pl.DataFrame) -> pl.DataFrame:
    """With our names for splits, null for those that are none, whose name is the start of a reason."""
    names = {name: split_named(name) for name in rows["split"].drop_nulls().unique()}
    known = pl.col("split").replace_strict(names, default=None, return_dtype=pl.String)
    return rows.with_columns(split=known, odd=pl.when(known.is_null()).then(ODD_SPLIT + pl.col("split") + "'"))


def _stripped(name: str) -> pl.Expr:
    stripped = pl.col(name).str.strip_chars()
    return pl.when(stripped != "").then(stripped)


def _reason(left_out: pl.Expr, max_chars: int) -> pl.Expr:
    """Why a row is no document, null if it is one. Every row of a given test split is scored, an empty one too."""
    empty = pl.col("text").fill_null("").str.strip_chars() == ""
    unlabelled, test = (pl.col("split").eq_missing(name) for name in ("unlabelled", "test"))
    return (
        pl.when(pl.col("bad").is_not_null()).then("bad")
        .when(pl.col("odd").is_not_null()).then("odd")
        .when(pl.col("label").is_null() & ~unlabelled).then(pl.lit(NO_LABEL))
        .when(left_out & ~unlabelled).then(pl.lit(UNLISTED))
        .when(empty & ~test).then(pl.lit(NO_TEXT))
        .when(pl.col("text").str.len_chars() > max_chars).then(pl.lit(TOO_LONG))
    )  # fmt: skip


def _lost(census: pl.DataFrame) -> str:
    """The most common reason why rows were dropped, for an error about too few."""
    counts = _counts(census, "reason")
    if not counts:
        return ""
    reason = max(counts, key=lambda reason: counts[reason])
    return f"; {_place(census.filter(reason=reason))}: {reason}; {advice(reason)}"


def _check_classes(kept: pl.DataFrame, classes: list[str], labels: list[str] | None, lost: str) -> None:
    if kept.is_empty():
        raise DataError(f"no rows are left after cleaning{lost}")
    if gone := [label for label in labels or [] if label not in classes]:
        raise DataError(f"no row with label {gone[0]!r} is left after cleaning; take it out of dataset.labels")
    if len(classes) < 2:
        found = f"expected two classes or more, found {classes[0]!r} only" if classes else "no row has a label"
        raise DataError(found + lost)
    judges = pl.col("split").is_in(["validation", "test"])
    new = kept.filter(judges & ~pl.col("label").is_in(kept.filter(~judges.fill_null(False))["label"].implode()))
    if len(new):
        label, split = new["label"][0], new["split"][0]
        advice = f"give train some, or leave it out: dataset.labels: {{{label}: null}}"
        raise DataError(f"{_place(new)}: label {label!r} of split {split} is not in train; {advice}")


def _counts(census: pl.DataFrame, kind: str) -> dict[str, int]:
    return dict(census.drop_nulls(kind).group_by(kind).agg(pl.col("count").sum()).sort(kind).iter_rows())


def _place(census: pl.DataFrame) -> str:
    """The first five rows and how many there are: 'data/raw/reviews.csv, row 3, 7 (2 rows)'."""
    file, count = census["file"][0], census["count"].sum()
    first = census.filter(pl.col("file") == file)["row"].explode().sort().head(5)
    return f"{file}, row {', '.join(map(str, first))}" + (f" ({count:,} rows)" if count > 1 else "")
