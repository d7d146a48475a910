"""Which rows become documents. Encoding errors are repaired here; all other changes to a text are the tokenizer's."""

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

ODD_SPLIT = "split '"  # begins the reason that always stops the run

# Bytes 80-9F of Windows texts that were read as latin-1 ("don\x92t"). Five of them are undefined in cp1252 too.
C1 = {chr(code): bytes([code]).decode("cp1252", "replace").replace("\ufffd", " ") for code in range(0x80, 0xA0)}

CONTROLS = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"

# What is counted: the pattern that finds it, and its repair. Applied in this order.
REPAIRS: dict[str, tuple[str, Callable[[pl.Expr], pl.Expr]]] = {
    "byte order marks": ("\ufeff", lambda text: text.str.replace_all("\ufeff", "", literal=True)),
    "carriage returns": ("\r", lambda text: text.str.replace_all("\r\n?", "\n")),
    "misread cp1252": (r"[\x{80}-\x{9f}]", lambda text: text.str.replace_many(list(C1), list(C1.values()))),
    "control characters": (CONTROLS, lambda text: text.str.replace_all(CONTROLS, " ")),
    "replacement characters": ("\ufffd", lambda text: text),  # lost before, or lone surrogates of JSON: only counted
}


class CleanConfig(Section):
    """What to do with a row that cannot be used, and the length that a text may have."""

    on_bad_row: Literal["drop", "error"] = "drop"  # drop and count a row without text or label, or stop with an error
    max_chars: Count = 10_000_000  # a row with a longer text is bad


KINDS = ["file", "split", "label", "reason", "named"]  # what rows are counted by


class Cleaner:
    """Takes the rows of `reading.read_part`, a chunk at a time, and keeps the documents and the counts.

    labels: the classes in their order (rows of other classes are left out), or a new name for each label found in the
    rows (None to leave it out). None: all labels that are found, sorted. Neither the order of the rows nor the chunks
    change a document, a label or a count.
    """

    def __init__(self, labels: list[str] | dict[str, str | None] | None, config: CleanConfig):
        self.naming, self.config = Naming(labels), config
        self._repaired: Counter[str] = Counter()
        self._twice_encoded = 0
        self._read_as: dict[str, str] = {}  # the encoding, by file
        self._census: list[pl.DataFrame] = []  # KINDS, the number of rows of each kind, and the first five of them

    def keep(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Returns the documents among the rows: their columns, and `key`, UInt64, to sort by. A missing id is null."""
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
        """Returns the classes in their order, and the counts for the metrics.

        Raises DataError if what is left cannot be classified honestly or, with on_bad_row: error, if a row was bad.
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


def lines(counts: Clean) -> list[str]:
    """Returns what a user should know about the rows, in lines."""
    lines = [f"{file} read as {how}" for file, how in counts.read_as.items()]
    if counts.twice_encoded:
        some = counted(counts.twice_encoded, "text looks", "texts look")
        lines.append(f"{some} twice encoded (UTF-8 that was read as cp1252 or latin-1); see dataset.encodings")
    dropped = ", ".join(f"{count:,} {reason}" for reason, count in counts.dropped.items())
    left_out = f"; left out: {dropped}" if dropped else ""
    return [*lines, f"{counts.kept:,} documents of {counts.rows:,} rows{left_out}"]


def arrange(docs: pl.DataFrame) -> pl.DataFrame:
    """Returns documents in the order of their keys: id, text, label, group, split, and columns that begin with SLICE.

    docs: all documents that have these keys. A document without an id gets its key as id; further copies, equal in all
    columns, get the suffixes -2, -3 and so on. Raises DataError if a given id occurs twice.
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
    """Raises DataError if a given id occurs twice. Uses the columns file, row and id."""
    if len(shared := docs.filter(pl.col("id").is_duplicated())):
        one = shared.filter(id=shared["id"][0]).group_by("file", "id").agg("row", count=pl.len()).sort("file")
        raise DataError(f"{_place(one)}: id {one['id'][0]!r} is not unique; make it so, or set dataset.id: null")


def _content() -> pl.Expr:
    """Returns what a key is computed from: the id, or the whole document. A repaired text never contains a NUL."""
    rest = pl.struct("label", "group", "split").struct.json_encode()
    return pl.coalesce("id", pl.concat_str("text", rest, separator="\0"))


def _repair(rows: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, int]]:
    """Returns the rows with repaired texts, and how many texts needed each repair."""
    repaired = {}
    for name, (pattern, repair) in REPAIRS.items():
        if count := int(rows["text"].str.contains(pattern).sum()):
            repaired[name] = count
            rows = rows.with_columns(repair(pl.col("text")))
    return rows, repaired


def _with_split(rows: pl.DataFrame) -> pl.DataFrame:
    """Returns the rows with our names of splits. An unknown name becomes null, and begins a reason in `odd`."""
    names = {name: split_named(name) for name in rows["split"].drop_nulls().unique()}
    known = pl.col("split").replace_strict(names, default=None, return_dtype=pl.String)
    return rows.with_columns(split=known, odd=pl.when(known.is_null()).then(ODD_SPLIT + pl.col("split") + "'"))


def _stripped(name: str) -> pl.Expr:
    stripped = pl.col(name).str.strip_chars()
    return pl.when(stripped != "").then(stripped)


def _reason(left_out: pl.Expr, max_chars: int) -> pl.Expr:
    """Returns why a row is not a document, or null. All rows of a given test split are scored, even empty ones."""
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
    """Returns the most common reason for dropping rows, for errors about too few rows."""
    counts = _counts(census, "reason")
    if not counts:
        return ""
    reason = max(counts, key=lambda reason: counts[reason])
    return f"; {_place(census.filter(reason=reason))}: {reason}; {advice(reason)}"


def _check_classes(kept: pl.DataFrame, classes: list[str], labels: list[str] | None, lost: str) -> None:
    if kept.is_empty():
        raise DataError(f"no rows are left after cleaning{lost}")
    if gone := [label for label in labels or [] if label not in classes]:
        raise DataError(f"no row with label {gone[0]!r} is left after cleaning; remove it from dataset.labels")
    if len(classes) < 2:
        found = f"expected at least two classes, found only {classes[0]!r}" if classes else "no row has a label"
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
    """Returns the first five rows and their number: 'data/raw/reviews.csv, row 3, 7 (2 rows)'."""
    file, count = census["file"][0], census["count"].sum()
    first = census.filter(pl.col("file") == file)["row"].explode().sort().head(5)
    return f"{file}, row {', '.join(map(str, first))}" + (f" ({count:,} rows)" if count > 1 else "")
