"""Texts, and the rows of files, labelled by a bundle: what `textmill predict` does."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import polars as pl

from textmill.classifier import Averaged, Classifier
from textmill.console import shares
from textmill.errors import ParamsError, ResourceError
from textmill.files import atomic
from textmill.labelling.answers import Answer, answers
from textmill.labelling.reading import Row, kind_of, read_table
from textmill.labelling.writing import KINDS, Labelled, write_csv, write_jsonl
from textmill.rows.joining import joined

BATCH = 10_000  # rows that are held at a time, at most
NO_ANSWER = "(no answer)"
SIZE = 16 << 20  # characters of text that are; the row that passes it is held too


@dataclass
class Told:
    """What came of a file."""

    rows: int = 0
    answered: int = 0
    empty: int = 0  # of these
    unknown: int = 0  # texts of which the model knows nothing, but empty ones

    def add(self, found: list[Answer]) -> None:
        """Count some more."""
        self.rows += len(found)
        given = [one for one in found if one.label is not None]
        self.answered += len(given)
        self.empty += sum(one.empty for one in given)
        self.unknown += sum(not one.empty and one.unknown == 1 for one in given)

    def __str__(self) -> str:
        doubts = {"empty": self.empty, "without a known word": self.unknown}
        told = ", ".join(f"{count:,} {name}" for name, count in doubts.items() if count)
        return f"{self.rows:,} rows" + (f" ({told}: their labels are guesses)" if told else "")


def spoken(answer: Answer) -> str:
    """An answer for people: the label, the probabilities of the classes, and what they should know."""
    return f"{NO_ANSWER if answer.label is None else answer.label}\t{shares(answer.shares)}" + (
        f"\t{answer.note}" if answer.note else ""
    )


def label_texts(
    classifier: Classifier | Averaged, texts: Iterable[str], as_json: bool, told: Told, above: float | None = None,
    batch: int = BATCH,
) -> Iterator[str]:  # fmt: skip
    """A line for each text, for people or as a record of json; they are counted in `told`.

    above: what the confidence of an answer must be more than. batch: texts that are waited for.
    """
    for some in batches(texts, len, batch):
        found = answers(classifier, some, above)
        told.add(found)
        for text, answer in zip(some, found, strict=True):
            yield json.dumps({"text": text, **answer.cells()}) if as_json else spoken(answer)


def label_file(
    classifier: Classifier | Averaged, source: Path, target: IO[str], kind: str, columns: list[str], separator: str,
    above: float | None = None, end: str = "\r\n",
) -> Told:  # fmt: skip
    """Copy the rows of a file with the columns of `answers.added`; what came of them.

    kind: what is written. columns: those that make a text; none: those that the model was trained on. above: what the
    confidence of an answer must be more than. end: of a line of csv.
    Raises ArtifactError, ParamsError or DataError for what is not as it should be in `source`.
    """
    told = Told()
    names, rows, mark = read_table(source, columns or classifier.columns, separator)

    def labelled() -> Iterator[Labelled]:
        for some in batches(rows, Row.size, BATCH):
            found = answers(classifier, _texts(some), above)
            told.add(found)
            yield list(zip(some, found, strict=True))

    if kind == "jsonl":
        write_jsonl(target, labelled(), classifier.labels, source)
    else:
        mark = "\t" if kind == "tsv" else mark if mark not in (None, "\t") else separator
        write_csv(target, labelled(), names, classifier.labels, source, mark, end)
    return told


def to_file(
    classifier: Classifier | Averaged, source: Path, out: Path, columns: list[str], separator: str,
    above: float | None = None,
) -> Told:  # fmt: skip
    """`label_file` to a new file, which is there when all of it is. Its name says what it is."""
    kind = check_target(out, source)
    with atomic(out) as temporary, open(temporary, "w", encoding="utf-8", errors="backslashreplace", newline="") as to:
        return label_file(classifier, source, to, kind, columns, separator, above)


def check_target(out: Path, source: Path) -> str:
    """What the name of `out` says that it is. Raises ParamsError or ResourceError if it cannot be written."""
    if out.resolve() == source.resolve() or (out.exists() and source.exists() and out.samefile(source)):
        raise ParamsError(f"--out {out} is the input; name another file")
    if out.is_dir():
        raise ParamsError(f"--out {out} is a folder; name a file")
    if not out.parent.is_dir():
        raise ResourceError(f"{out}: cannot be written: there is no folder {out.parent}; make it first")
    if (kind := out.suffix.lower().removeprefix(".")) not in KINDS:
        raise ParamsError(f"{out}: its name does not end in {', '.join(f'.{one}' for one in KINDS)}")
    return kind


def shown_as(source: Path, as_json: bool) -> str:
    """What the rows of a file are in the terminal."""
    return "jsonl" if as_json else "tsv" if kind_of(source) == "tsv" else "csv"


def batches(items: Iterable[Any], size: Callable[[Any], int], most: int) -> Iterator[list[Any]]:
    """Lists of items, as many as `most` at most, and no more of `size` in all than SIZE and one item."""
    batch, held = [], 0
    for item in items:
        batch.append(item)
        held += size(item)
        if len(batch) == most or held >= SIZE:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _texts(rows: list[Row]) -> list[str]:
    """One text a row, as training joins it."""
    names = [str(number) for number in range(len(rows[0].texts))]
    return pl.DataFrame([row.texts for row in rows], names, orient="row").select(joined(names)).to_series().to_list()
