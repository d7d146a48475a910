"""A receipt in words."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import get_args

from textmill.console import counted
from textmill.verify.commit import Commit
from textmill.verify.receipt import Finding, Kind, Receipt

SHOWN = 3  # names in a list; of more, how many others there are
HERE = "dvc.lock digests metrics"


def expected(receipt: Receipt, commit: Commit) -> Iterator[str]:
    """What was asked otherwise than in the commit, if anything: then other results are no fault."""
    asked = [f"params.yaml in {names(receipt.params)}"] if receipt.params else []
    asked += [f"the code of {names(receipt.code)}"] if receipt.code else []
    if asked:
        yield f"not as at {commit.named}: {' and '.join(asked)}; other results are to be expected"


def same(receipt: Receipt) -> Iterator[str]:
    """The stages of the same bytes in one line, those of several models or tokenizers by one name."""
    held = [one.stage for one in receipt.findings if one.kind == "same"]
    known = Counter(base(one.stage) for one in receipt.findings)
    parts = [
        name if count == known[name] else f"{name} ({count} of {known[name]})"
        for name, count in Counter(map(base, held)).items()
    ]
    if held:
        yield f"same bytes: {', '.join(parts)}: {counted(len(held), 'stage', 'stages')}"


def rows(receipt: Receipt, commit: Commit) -> list[list[str]]:
    """A row for each kind of what is not the same: stages and verdict, the committed score, the one here, its interval.

    What only follows a stage that is off stands in one row.
    """
    told = [one for one in receipt.findings if one.kind != "same"]
    first = [one for one in told if not one.after]
    found = []
    for _, group in groupby(first, key=lambda one: one[1:]):
        some = list(group)
        found.append([f"{names([one.stage for one in some])}: {_words(some[0], commit)}", *_numbers(some[0])])
    for cause in dict.fromkeys(one.after for one in told if one.after):
        some = [one for one in told if one.after == cause]
        found.append([f"{names([one.stage for one in some])}: off, after {cause}", "", "", ""])
    return found


def verdict(receipt: Receipt, commit: Commit) -> tuple[str, bool]:
    """One sentence, and whether nothing speaks against the folder."""
    found = receipt.findings
    kinds = {kind: [one.stage for one in found if one.kind == kind and not one.after] for kind in get_args(Kind)}
    other = [what for what, there in (("params.yaml", receipt.params), ("code", receipt.code)) if there]
    more = [f"{' and '.join(other)} {'differ' if len(other) > 1 else 'differs'}, too"] if other else []
    if kinds["new"]:
        more.append(f"{names(kinds['new'])} {_is(kinds['new'])} not in that commit")
    if kinds["late"]:
        more.append(f"{names(kinds['late'])} did not run since; `textmill why` says why")
    if any(one.bad for one in found):
        parts = [f"{names(kinds['off'])} {_is(kinds['off'])} not as in {commit.named}"] if kinds["off"] else []
        parts += [f"{names(kinds['missing'])} {_is(kinds['missing'])} not here"] if kinds["missing"] else []
        return f"verify: off: {'; '.join([*parts, *more])}", False
    if kinds["within"]:
        more.insert(0, f"{len(kinds['same'])} of {len(found)} stages are the same bytes")
        return f"verify: within the interval of {commit.named}: {'; '.join(more)}", True
    return f"verify: {'; '.join([f'same bytes as {commit.named}', *more])}", True


def _is(some: Sequence[str]) -> str:
    return "is" if len(some) == 1 else "are"


def choices() -> list[str]:
    """What to do about other bytes than the committed ones."""
    return [
        f"  keep the committed results: git checkout {HERE}",
        f'  take these: git add {HERE} && git commit -m "New results"',
    ]


def names(some: Iterable[str]) -> str:
    """The first of the names, and how many others there are."""
    known = list(some)
    shown = known if len(known) == SHOWN + 1 else known[:SHOWN]
    return ", ".join(shown) + (f" and {len(known) - len(shown)} others" if len(known) > len(shown) else "")


def base(stage: str) -> str:
    """The stage without its item."""
    return stage.split("@")[0]


def _words(one: Finding, commit: Commit) -> str:
    if one.kind == "new":
        return f"not in {commit.named}"
    return f"off: {one.why}" if one.kind == "off" else one.why


def _numbers(one: Finding) -> list[str]:
    if one.score is None:
        return ["", "", ""]
    committed, here, low, high, _ = one.score
    shown = ["–" if value is None else f"{100 * value:.2f}" for value in (committed, here)]
    return [*shown, "" if low is None or high is None else f"{100 * low:.1f} – {100 * high:.1f}"]
