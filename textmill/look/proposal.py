"""What a person gave on the command line, and what is proposed: a `dataset` section with its reasons."""

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
         "group": "Which column names what must stay on one side, such as an author?"}  # fmt: skip


@dataclass(frozen=True)
class Told:
    """What is not to be found out: columns as the file names them, and how the file is read."""

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
        """Raises ParamsError for what can be no such thing."""
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

    def found_in(self, columns: list[str], where: str) -> "Told":
        """The same with columns as the file writes them: an accent may stand apart there, or a space at the end.

        Raises ParamsError, with the nearest name, for a column that is not there, and for one that is used twice.
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
            raise ParamsError(f"column {twice[0]!r} is named twice; a column has one use, so name another one")
        return replace(self, **{key: names if key == "text" else names[0] for key, names in keys.items()})


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip()


@dataclass(frozen=True)
class Proposal:
    """How a file, or several, can be read. Nothing of it is written anywhere yet."""

    dataset: dict[str, Any]  # the section, without what has its default
    reasons: dict[str, str]  # by key of it
    columns: list[str]  # that the file has
    others: dict[str, list[str]]  # by key: what it could be as well, the likeliest first
    notes: list[str]  # what else a person should know before anything is read
    files: dict[Path, str]  # to bring to the folder of `dataset.path`, and what they are called there
    packed: str | None = None  # a zip file to make of them there, in place of the files

    def told(self) -> list[str]:
        """The proposal in lines: key, value and reason."""
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
    """The proposal as a person wants it: one question for each choice in which others come near.

    prompt(question, default, choices) gives the answer: one of the choices; for the text several, with commas between.
    Raises ParamsError for an answer that is no column.
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
        given = {"label": Told(label=answer), "group": Told(group=answer)}.get(key, Told(text=names))
        given = given.found_in(proposal.columns, "the file")
        dataset[key] = given.text if len(given.text) > 1 else next(iter(given.text), given.label or given.group)
        reasons[key] = "as you said"
    return replace(proposal, dataset=dataset, reasons=reasons)


def listed(names: list[str], most: int = 12) -> str:
    """Names, or the first of many."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(name or "(no name)" for name in names[:most]) + more
