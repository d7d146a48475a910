"""Labels: which spellings are the same class, and what the classes are called."""

import re
import unicodedata
from difflib import get_close_matches

import polars as pl

from textmill.console import few
from textmill.errors import DataError, ParamsError
from textmill.rows.lists import lists_among

WHOLE = re.compile(r"(-?\d+)\.0+")  # a whole number written as a float
NEAR = 0.75  # of difflib's ratio: good and goood have 0.89, good and bad 0.29


def canonical(label: str) -> str:
    """Returns the form that labels are compared by, which is also their name if params give none.

    NFC, without format characters such as zero-width spaces, with single spaces between words. A whole number loses the
    ".0" that json and parquet add; true and false become lower case.
    """
    composed = unicodedata.normalize("NFC", label)
    seen = "".join(character for character in composed if unicodedata.category(character) != "Cf")
    words = " ".join(seen.split())
    if whole := WHOLE.fullmatch(words):
        return "0" if whole[1] == "-0" else whole[1]
    return words.lower() if words.lower() in ("true", "false") else words


def nearest(label: str, others: list[str]) -> str | None:
    """Returns the most similar other label, or None if none is similar."""
    return next(iter(get_close_matches(label, [other for other in others if other != label], 1, NEAR)), None)


class Naming:
    """Turns a file's labels into the names of classes, as `dataset.labels` says."""

    def __init__(self, given: list[str] | dict[str, str | None] | None):
        named = {name: name for name in given} if isinstance(given, list) else given or {}
        self.names = {canonical(said): name for said, name in named.items()}
        self.listed = given if isinstance(given, list) else None  # the classes in their order
        if len(self.names) < len(named):
            raise ParamsError(f"dataset.labels: two of {few([*named], 10)} are one label, like 1 and 1.0; keep one")
        left_out = {form for form, name in self.names.items() if name is None}
        if both := left_out.intersection(self.names.values()):
            raise ParamsError(f"dataset.labels: {min(both)!r} is both left out and a new name of others; choose one")
        self.said = {canonical(said): said for said in named}  # as written in params
        self.seen: set[str] = set()

    def name(self, labels: pl.Series) -> pl.Series:
        """Returns the names of labels; null for an empty one. A label that is left out keeps its own name."""
        forms = {label: canonical(label) for label in labels.drop_nulls().unique()}
        self.seen.update(forms.values())
        names = {label: self.names.get(form) or form or None for label, form in forms.items()}
        return labels.replace_strict(names, default=None, return_dtype=pl.String)

    def left_out(self) -> pl.Expr:
        """Returns whether a row's class, by its name, is left out."""
        if self.listed is not None:
            return ~pl.col("label").is_in(self.listed)
        return pl.col("label").is_in([form for form, name in self.names.items() if name is None])

    def check(self) -> None:
        """Raises DataError if params name a label that no row has, labels are lists, or two differ only in case."""
        for form, said in self.said.items():
            if form not in self.seen:
                known = sorted(self.seen - {""})
                close = f"; did you mean {near!r}?" if (near := nearest(form, known)) else ""
                shown = ", ".join(known[:20]) or "none"
                raise DataError(f"dataset.labels: no row has label {said!r}; labels found: {shown}{close}")
        found = {self.names.get(form, form) or "" for form in self.seen} - {""}
        lists = [label for label in lists_among(found) if label not in self.names.values()]
        if lists and self.listed is None:
            some, look = ("label", "looks like a list") if len(lists) == 1 else ("labels", "look like lists")
            raise DataError(
                f"{len(lists)} {some} {look} ({few(lists)}): multi-label is not supported yet; "
                "give each row one label, or name the classes in dataset.labels"
            )
        alike: dict[str, str] = {}
        clashes = {
            name: alike[name.casefold()] for name in sorted(found) if alike.setdefault(name.casefold(), name) != name
        }
        if clashes:
            name, other = next(iter(clashes.items()))
            names = ", ".join(f"{other}: {name}" for name, other in [*clashes.items()][:5])
            raise DataError(
                f"labels {other!r} and {name!r} differ only in case; make them equal, or rename one: dataset.labels: "
                f"{{{names}}}"
            )
