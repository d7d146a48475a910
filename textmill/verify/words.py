"""A receipt in words."""

from collections import Counter
from collections.abc import Iterator, Sequence

from textmill.console import counted, first
from textmill.verify.receipt import Finding, Receipt

HERE = "dvc.lock digests metrics"
CHOICES = [  # for results whose bytes differ from the committed ones
    f"  keep the committed results: git checkout {HERE}",
    f'  take these: git add {HERE} && git commit -m "New results"',
]


def expected(receipt: Receipt) -> Iterator[str]:
    """Yields what differs from the commit in params and code, which makes other results expected."""
    asked = [f"params.yaml in {first(receipt.params)}"] if receipt.params else []
    asked += [f"the code of {first(receipt.code)}"] if receipt.code else []
    if asked:
        yield f"differs from {receipt.commit.named}: {' and '.join(asked)}; expect other results"


def same(receipt: Receipt) -> Iterator[str]:
    """Yields one line with the stages that have the same bytes. Stages of several models or tokenizers share a name."""
    held = Counter(one.base for one in receipt.findings if one.kind == "same")
    known = Counter(one.base for one in receipt.findings)
    parts = [name if count == known[name] else f"{name} ({count} of {known[name]})" for name, count in held.items()]
    if parts:
        yield f"same bytes: {', '.join(parts)}: {counted(held.total(), 'stage', 'stages')}"


def rows(receipt: Receipt) -> list[list[str]]:
    """Returns rows for what differs: stages and verdict, the committed score, the score here, its interval.

    There is a row for each scored model, for each reason, and for what only follows a stage that is off.
    """
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for one in receipt.findings:
        if one.kind != "same":
            key = (one.after,) if one.after else (one.kind, one.item if one.score else f"@{one.why}")
            groups.setdefault(key, []).append(one)
    ordered = sorted(groups.values(), key=lambda some: bool(some[0].after))
    return [[f"{first([one.stage for one in some])}: {_words(some[0])}", *_figures(some[0])] for some in ordered]


def _words(one: Finding) -> str:
    if one.after:
        return f"off, after {one.after}"
    return f"off: {one.why}" if one.kind == "off" else one.why


def _figures(one: Finding) -> list[str]:
    if one.score is None:
        return ["", "", ""]
    committed, here, low, high, _ = one.score
    shown = ["–" if value is None else f"{100 * value:.2f}" for value in (committed, here)]
    return [*shown, "" if low is None or high is None else f"{100 * low:.1f} – {100 * high:.1f}"]


def verdict(receipt: Receipt) -> tuple[str, bool]:
    """Returns a sentence, and whether nothing counts against the folder."""
    found = receipt.findings

    def of(kind: str) -> list[str]:
        return [one.stage for one in found if one.kind == kind and not one.after]

    other = [what for what, there in (("params.yaml", receipt.params), ("code", receipt.code)) if there]
    more = [f"{' and '.join(other)} also {'differ' if len(other) > 1 else 'differs'}"] if other else []
    if new := of("new"):
        more.append(f"{_are(new)} not in that commit")
    if outdated := of("outdated"):
        more.append(f"{first(outdated)} did not run since; `textmill why` says why")
    if any(one.bad for one in found):
        off, missing = of("off"), of("missing")
        parts = [f"{_are(off)} not as in {receipt.commit.named}"] if off else []
        parts += [f"{_are(missing)} not here"] if missing else []
        return f"verify: off: {'; '.join([*parts, *more])}", False
    if of("within"):
        more.insert(0, f"{len(of('same'))} of {len(found)} stages are the same bytes")
        return f"verify: within the interval of {receipt.commit.named}: {'; '.join(more)}", True
    return f"verify: {'; '.join([f'same bytes as {receipt.commit.named}', *more])}", True


def _are(some: Sequence[str]) -> str:
    return f"{first(some)} {'is' if len(some) == 1 else 'are'}"
