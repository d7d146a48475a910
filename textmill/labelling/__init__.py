"""Labels texts and the rows of files: what `textmill predict` does."""

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

BATCH = 10_000  # rows in memory at a time, at most
NO_ANSWER = "(no answer)"
SIZE = 16 << 20  # characters of text in memory at a time; the row that exceeds it is still read


@dataclass
class Counts:
    """Counts of a file's rows."""

    rows: int = 0
    answered: int = 0
    empty: int = 0  # of the answered
    unknown: int = 0  # answered texts that are not empty, but of which the model knows nothing

    def add(self, found: list[Answer]) -> None:
        """Counts more answers."""
        self.rows += len(found)
        given = [one for one in found if one.label is not None]
        self.answered += len(given)
        self.empty += sum(one.empty for one in given)
        self.unknown += sum(not one.empty and one.unknown == 1 for one in given)

    def __str__(self) -> str:
        doubts = {"empty": self.empty, "without a known word": self.unknown}
        guesses = ", ".join(f"{count:,} {name}" for name, count in doubts.items() if count)
        return f"{self.rows:,} rows" + (f" ({guesses}: their labels are guesses)" if guesses else "")


def as_line(answer: Answer) -> str:
    """Returns an answer as a line of text: the label, the classes' probabilities, and a warning if there is one."""
    return f"{NO_ANSWER if answer.label is None else answer.label}\t{shares(answer.shares)}" + (
        f"\t{answer.note}" if answer.note else ""
    )


def label_texts(
    classifier: Classifier | Averaged, texts: Iterable[str], as_json: bool, counts: Counts, above: float | None = None,
    batch: int = BATCH,
) -> Iterator[str]:  # fmt: skip
    """Yields a line for each text, for people or as a JSON record. Counts them in `counts`.

    above: the confidence that an answer must exceed. batch: texts that are collected before they are labelled.
    """
    for some in batches(texts, len, batch):
        found = answers(classifier, some, above)
        counts.add(found)
        for text, answer in zip(some, found, strict=True):
            yield json.dumps({"text": text, **answer.cells()}) if as_json else as_line(answer)


def label_file(
    classifier: Classifier | Averaged, source: Path, target: IO[str], kind: str, columns: list[str], separator: str,
    above: float | None = None, end: str = "\r\n",
) -> Counts:  # fmt: skip
    """Copies the rows of a file, adding `answers.column_names`. Returns the counts.

    kind: the format that is written. columns: those that are joined into a text; if empty, those that the model was
    trained on. above: the confidence that an answer must exceed. end: the line ending of csv. Raises ArtifactError,
    ParamsError or DataError for errors in `source`.
    """
    counts = Counts()
    names, rows, mark = read_table(source, columns or classifier.columns, separator)

    def labelled() -> Iterator[Labelled]:
        for some in batches(rows, Row.size, BATCH):
            found = answers(classifier, _texts(some), above)
            counts.add(found)
            yield list(zip(some, found, strict=True))

    if kind == "jsonl":
        write_jsonl(target, labelled(), classifier.labels, source)
    else:
        mark = "\t" if kind == "tsv" else mark if mark not in (None, "\t") else separator
        write_csv(target, labelled(), names, classifier.labels, source, mark, end)
    return counts


def to_file(
    classifier: Classifier | Averaged, source: Path, out: Path, columns: list[str], separator: str,
    above: float | None = None,
) -> Counts:  # fmt: skip
    """Like `label_file`, but writes a file, whole or not at all. The format follows from its name."""
    kind = check_target(out, source)
    with atomic(out) as temporary, open(temporary, "w", encoding="utf-8", errors="backslashreplace", newline="") as to:
        return label_file(classifier, source, to, kind, columns, separator, above)


def check_target(out: Path, source: Path) -> str:
    """Returns the format that `out` is named after. Raises ParamsError or ResourceError if it cannot be written."""
    if out.resolve() == source.resolve() or (out.exists() and source.exists() and out.samefile(source)):
        raise ParamsError(f"--out {out} is the input; name another file")
    if out.is_dir():
        raise ParamsError(f"--out {out} is a folder; name a file")
    if not out.parent.is_dir():
        raise ResourceError(f"{out}: cannot be written: there is no folder {out.parent}; create it first")
    if (kind := out.suffix.lower().removeprefix(".")) not in KINDS:
        raise ParamsError(f"{out}: its name does not end in {', '.join(f'.{one}' for one in KINDS)}")
    return kind


def terminal_format(source: Path, as_json: bool) -> str:
    """Returns the format in which a file's rows are printed."""
    return "jsonl" if as_json else "tsv" if kind_of(source) == "tsv" else "csv"


def batches(items: Iterable[Any], size: Callable[[Any], int], most: int) -> Iterator[list[Any]]:
    """Yields lists of at most `most` items. Their total size is at most SIZE plus one item."""
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
    """Returns one text per row, joined as in training."""
    names = [str(number) for number in range(len(rows[0].texts))]
    return pl.DataFrame([row.texts for row in rows], names, orient="row").select(joined(names)).to_series().to_list()
