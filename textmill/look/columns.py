"""Guesses what each column of a table is for: text, class, group, split, id."""

import re
from collections import Counter, defaultdict
from functools import cached_property
from typing import NamedTuple

from textmill.look.names import ASIDE, GRADE, GROUP, ID, LABEL, TEXT, TITLE, are_a_pair, name_fit
from textmill.rows.near import UNSPACED
from textmill.sources.naming import split_named

NUMBER = re.compile(r"[-+]?\d+([.,]\d+)*([eE][-+]?\d+)?\s*%?")
WHOLE = re.compile(r"[-+]?\d+([.,]0+)?")
DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?|(mon|tue|wed|thu|fri|sat|sun)\w* .*\d{4}.*", re.IGNORECASE)
NEAR = 0.2  # share of the best column's score from which another could be the text as well
TINY = re.compile(r".{0,3}")
CODE = re.compile(r"https?://\S+|www\.\S+|[0-9a-f-]{16,}", re.IGNORECASE)
LETTERS = re.compile(UNSPACED.replace(r"\p{Han}", "㐀-鿿豈-﫿").replace(r"\p{Hiragana}\p{Katakana}", "぀-ヿ")
                     .replace(r"\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}", "฀-໿က-႟ក-៿"))  # fmt: skip


class Column:
    """A column's name and its cells, "" where empty."""

    def __init__(self, name: str, cells: list[str]):
        self.name, self.cells = name, [cell.strip() for cell in cells]

    @cached_property
    def filled(self) -> list[str]:
        """The cells that are not empty."""
        return [cell for cell in self.cells if cell]

    @cached_property
    def counts(self) -> Counter[str]:
        """How often each value occurs."""
        return Counter(self.filled)

    @cached_property
    def words(self) -> float:
        """The mean number of words. In scripts without spaces, two letters count as a word."""
        cells = self.filled[:2000]
        return sum(len(cell.split()) + len(LETTERS.findall(cell)) / 2 for cell in cells) / max(len(cells), 1)

    @cached_property
    def letters(self) -> float:
        """The mean number of characters."""
        cells = self.filled[:2000]
        return sum(map(len, cells)) / max(len(cells), 1)

    def share(self, pattern: re.Pattern[str]) -> float:
        """Returns the share of cells that match the pattern completely."""
        cells = self.filled[:2000]
        return sum(bool(pattern.fullmatch(cell)) for cell in cells) / max(len(cells), 1)

    @cached_property
    def different(self) -> float:
        """Distinct values per filled cell: 1 if no value occurs twice."""
        return len(self.counts) / max(len(self.filled), 1)

    @cached_property
    def coded(self) -> bool:
        """Whether it holds numbers, dates, addresses or keys, and so cannot be the text."""
        return max(self.share(NUMBER), self.share(DATE), self.share(CODE)) > 0.8

    @property
    def constant(self) -> bool:
        """Whether it has the same value everywhere, or none."""
        return len(self.counts) < 2


class Role(NamedTuple):
    """The choice for a key of `dataset`, the reason, and other candidates."""

    value: str | list[str] | None
    reason: str
    others: list[str]


def text_of(columns: list[Column]) -> Role:
    """Returns the text column, or several that belong together, such as a title and a body."""
    scores = {column.name: _as_text(column) for column in columns}
    likely = sorted((column for column in columns if scores[column.name] > 0), key=lambda c: -scores[c.name])
    if not likely:
        return Role(None, "no column has texts", [])
    best, *rest = likely
    others = [column.name for column in rest if scores[column.name] > NEAR * scores[best.name]]
    reason = f"the longest texts: {best.words:.0f} words on average" if best.words >= 2 else "the most varied values"
    for other in rest:
        if _belong(best, other):
            first, second = sorted((best, other), key=columns.index)
            titled = name_fit(TITLE, first.name) or name_fit(TITLE, second.name)
            reason = "a title and its text" if titled else f"two texts: {first.words:.0f} and {second.words:.0f} words"
            return Role([first.name, second.name], f"{reason}, joined by a line break", [best.name, *others])
    return Role(best.name, reason, others)


def _as_text(column: Column) -> float:
    named = max(name_fit(TEXT, column.name), name_fit(TITLE, column.name) / 2)
    if column.coded or column.constant or (column.share(TINY) > 0.9 and not named):
        return 0
    size = min(column.words, 300) + min(column.letters, 50) / 5
    aside = max(name_fit(kind, column.name) for kind in (LABEL, GRADE, GROUP, ID, ASIDE))
    return size * (0.1 + column.different) * (1 + 4 * named) * (0.3 if aside == 1 and not named else 1)


def _belong(best: Column, other: Column) -> bool:
    """Returns whether two columns should be read as one text."""
    if are_a_pair(best.name, other.name):
        return True
    if name_fit(TITLE, other.name) >= 0.9 or (name_fit(TITLE, best.name) >= 0.9 and name_fit(TEXT, other.name) >= 0.9):
        return name_fit(LABEL, other.name) < 1
    aside = max(name_fit(kind, other.name) for kind in (LABEL, GRADE, GROUP, ID, ASIDE))
    long = best.words >= 8 and other.words >= 4 and other.words >= best.words / 8
    often = 2 * len(other.filled) > len(other.cells)
    return long and often and not aside and min(best.different, other.different) > 0.5


def label_of(columns: list[Column], rows: int) -> Role:
    """Returns the class column."""
    scores = {column.name: _as_label(column, rows) for column in columns}
    likely = sorted((column for column in columns if scores[column.name] > -10), key=lambda c: -scores[c.name])
    if not likely:
        return Role(None, "no column has only a few distinct values", [])
    best = likely[0]
    reason = f"{len(best.counts):,} distinct values"
    for column in columns:
        if best.share(NUMBER) > 0.9 and column.share(NUMBER) < 0.1 and _same(best, column):
            best, reason = column, f"the names of the numbers in {best.name!r}"
    others = [column.name for column in likely if column is not best]
    return Role(best.name, reason, others[:5])


def _same(one: Column, other: Column) -> bool:
    """Returns whether the values of two columns correspond one to one."""
    pairs = set(zip(one.cells, other.cells, strict=True))
    return len(pairs) == len(one.counts) == len(other.counts)


def _as_label(column: Column, rows: int) -> float:
    """Returns how likely a column is the class; -10 if it cannot be."""
    values, named = len(column.counts), name_fit(LABEL, column.name)
    if column.constant or column.share(DATE) > 0.8 or column.words > (30 if named == 1 else 6):
        return -10
    if column.different > (0.8 if named else 0.5) and values > 2:
        return -10
    score = 10 * max(named, name_fit(GRADE, column.name) * 0.7) - (values / 40 if values > 20 else values / 100)
    score -= 4 * max(name_fit(kind, column.name) for kind in (ASIDE, GROUP, ID)) * (named < 1)
    if column.share(NUMBER) > 0.9:
        score -= 1 if column.share(WHOLE) > 0.99 and values <= 20 else 6
    return score - 3 * (1 - len(column.filled) / max(rows, 1))


def split_of(columns: list[Column]) -> Role:
    """Returns the column whose values are names of splits."""
    for column in columns:
        if len(column.counts) > 1 and all(split_named(value) for value in column.counts):
            return Role(column.name, f"its values are {', '.join(sorted(column.counts)[:4])}", [])
    return Role(None, "", [])


def group_of(columns: list[Column], label: Column | None) -> Role:
    """Returns the group column, such as an author: recognised by its name, or because it predicts the class."""
    likely = []
    for column in columns:
        values, repeats = len(column.counts), len(column.filled) - len(column.counts)
        if label is None or values < 5 or repeats < 0.2 * len(column.filled) or values <= len(label.counts):
            continue
        named = max(name_fit(GROUP, column.name), 0.5 * name_fit(ID, column.name))
        tells = gain(label.cells, column.cells)
        small = values >= 10 and max(column.counts.values()) < 0.2 * len(column.filled)
        if column.share(DATE) < 0.8 and (named >= 0.6 or (small and tells > 0.2)):
            reason = f"{values:,} distinct values, each several times"
            reason += f", and predicts the class of {100 * tells:.0f} % more rows than a guess" if tells > 0.1 else ""
            likely.append((named + 2 * max(tells, 0), column.name, reason))
    if not likely:
        return Role(None, "", [])
    (_, name, reason), *others = sorted(likely, key=lambda one: -one[0])
    return Role(name, reason, [other for _, other, _ in others])


def gain(labels: list[str], groups: list[str]) -> float:
    """Returns the share of labels that the rest of a row's group predicts beyond always guessing the most common one.

    Counts rows with a label, in groups of two rows or more.
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for label, group in zip(labels, groups, strict=True):
        if label and group:
            counts[group][label] += 1
    total: Counter[str] = Counter()
    predicted = 0
    for own in counts.values():
        if own.total() > 1:
            total += own
            most, second, *_ = [*own.most_common(2), ("", 0)]
            predicted += most[1] if most[1] - 1 > second[1] else 0  # still the most common one without the row itself
    return (predicted - max(total.values())) / total.total() if total else 0.0


def id_of(columns: list[Column], whole: bool) -> Role:
    """Returns the id column. Only if all rows were seen, because an id that occurs twice would stop `clean`."""
    for column in columns:
        unique = whole and len(column.counts) == len(column.cells) > 1
        if unique and column.words <= 1.5 and (name_fit(ID, column.name) >= 0.9 or column.share(CODE) > 0.9):
            return Role(column.name, "a different value in each row", [])
    return Role(None, "", [])
