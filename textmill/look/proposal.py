"""What the user gave on the command line, and what is proposed: a `dataset` section with reasons."""

import codecs
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from textmill.errors import ParamsError
from textmill.fetch.archives import FORMATS

NOTHING = "none"  # the answer that leaves a key null
ASKED = {"text": "Which column holds the text?", "label": "Which column holds the class?",
         "group": "Which column groups rows that must stay in one split, such as an author?"}  # fmt: skip


@dataclass(frozen=True)
class Given:
    """What the user said: columns, as the file names them, and how to read the file."""

    text: list[str] = field(default_factory=list)  # several are joined
    label: str | None = None
    group: str | None = None
    split: str | None = None
    id: str | None = None
    name: str | None = None
    format: str | None = None
    encoding: str | None = None
    separator: str | None = None
    quotes: str | None = None
    header: list[str] | None = None

    def __post_init__(self) -> None:
        """Raises ParamsError for invalid values."""
        if self.format and self.format not in FORMATS:
            raise ParamsError(f"--format {self.format}: expected one of {', '.join(FORMATS)}")
        if self.separator is not None and len(self.separator) != 1:
            raise ParamsError(f"--separator: expected one character, found {self.separator!r}")
        if self.quotes not in (None, "double", "none"):
            raise ParamsError(f"--quotes {self.quotes}: expected double or none")
        try:
            codecs.lookup(self.encoding or "utf-8")
        except LookupError:
            raise ParamsError(f"--encoding {self.encoding}: unknown; for example utf-8, utf-16, cp1252") from None

    def found_in(self, columns: list[str], where: str) -> "Given":
        """Returns the same with columns as the file spells them, which may differ in Unicode form or outer spaces.

        Raises ParamsError, with the nearest name, for a column that does not exist, and for one that is used twice.
        """
        known = {_plain(name): name for name in columns} | {name: name for name in columns}
        keys: dict[str, Any] = {"text": self.text}
        keys |= {key: [name] for key in ("label", "group", "split", "id") if (name := getattr(self, key)) is not None}
        for key, names in keys.items():
            for name in names:
                if name not in known and _plain(name) not in known:
                    near = get_close_matches(name, columns, 1, 0.5)
                    hint = f"did you mean {near[0]!r}? " if near else ""
                    raise ParamsError(f"--{key} {name}: {where} has no such column; {hint}found: {listed(columns)}")
            keys[key] = [known.get(name) or known[_plain(name)] for name in names]
        given = [name for names in keys.values() for name in names]
        if twice := [name for name in given if given.count(name) > 1]:
            raise ParamsError(f"column {twice[0]!r} is named twice; a column has only one use, so name another")
        return replace(self, **{key: names if key == "text" else names[0] for key, names in keys.items()})


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip()


@dataclass(frozen=True)
class Proposal:
    """How one or more files can be read. Nothing is written yet."""

    dataset: dict[str, Any]  # the section, without defaults
    reasons: dict[str, str]  # by key
    columns: list[str]  # of the file
    others: dict[str, list[str]]  # by key: other candidates, likeliest first
    notes: list[str]  # what else the user should know before anything is read
    files: dict[Path, str]  # to bring to the folder of `dataset.path`, and their names there
    packed: str | None = None  # a zip file to make of them there instead

    def lines(self) -> list[str]:
        """Returns the proposal in lines: key, value and reason."""
        lines = []
        for key, value in self.dataset.items():
            if key not in ("name", "source") and value is not None:
                lines.append(f"{key}: {_shown(value)}" + (f" ({self.reasons[key]})" if key in self.reasons else ""))
        return lines + self.notes


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return listed([f"{key} {_shown(each)}" for key, each in value.items() if each is not None], 6)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return repr(value) if str(value).isspace() else str(value)


def ask(proposal: Proposal, prompt: Callable[[str, str, list[str]], str]) -> Proposal:
    """Returns the proposal as the user wants it. Asks a question for each key with other candidates.

    prompt(question, default, choices) returns one of the choices; for the text, it may return several, separated by
    commas. Raises ParamsError for an answer that is not a column.
    """
    dataset, reasons = dict(proposal.dataset), dict(proposal.reasons)
    for key, question in ASKED.items():
        if not proposal.others.get(key):
            continue
        now = dataset.get(key) or NOTHING
        default = ", ".join(now) if isinstance(now, list) else now
        answer = prompt(question, default, proposal.columns + [NOTHING] * (key == "group"))
        if answer == default:
            continue
        names = [name.strip() for name in answer.split(",")] if answer not in proposal.columns else [answer]
        if key == "group" and answer == NOTHING:
            dataset.pop(key, None)
            continue
        given = {"label": Given(label=answer), "group": Given(group=answer)}.get(key, Given(text=names))
        given = given.found_in(proposal.columns, "the file")
        dataset[key] = given.text if len(given.text) > 1 else next(iter(given.text), given.label or given.group)
        reasons[key] = "as you said"
    return replace(proposal, dataset=dataset, reasons=reasons)


def listed(names: list[str], most: int = 12) -> str:
    """Returns the names, separated by commas, or the first of many."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(name or "(no name)" for name in names[:most]) + more
