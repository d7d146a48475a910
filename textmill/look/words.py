"""What users should know about their data, in lines, each with advice."""

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from textmill.console import counted
from textmill.look.facts import Facts
from textmill.look.proposal import listed

ROOM = "\u623f\u95f4"  # a Chinese word of two letters
MANY = 12  # up to this many classes are listed one by one
IMBALANCED = 0.8  # share of the largest class
UNSPACED = 0.3  # share of letters in scripts without spaces
COPIED = 0.05  # share of texts with a near copy that is worth a line
DISAGREE = 0.15  # share of the documents that one of two good models gets right and the other wrong
PLAIN = ("utf-8", "utf-8-sig", "parquet")  # encodings that are not worth a line


def lines(facts: Facts, chosen: Mapping[str, Any] | None = None) -> list[str]:
    """Returns at most a screenful of lines.

    chosen: the params' values, by dotted key, and their `tokenizers`. What they already say is not advised.
    """
    lines, chosen = [*_rows(facts)], chosen or {}
    if facts.kept:
        lines += [*_classes(facts, chosen), *_texts(facts, chosen), *_copies(facts, chosen), *_doubts(facts)]
    return lines + ([f"this stops the pipeline: {facts.problem}"] if facts.problem else [])


def percent(share: float, places: int = 0) -> str:
    """Returns 0.988 as '98.8 %'."""
    return f"{100 * share:.{places}f} %"


def _rows(facts: Facts) -> Iterator[str]:
    for file, how in list(facts.read_as.items())[:4]:
        if how not in PLAIN:
            yield f"{file}: read as {how}"
    dropped = ", ".join(f"{count:,} {reason}" for reason, count in facts.dropped.items())
    yield f"{facts.kept:,} documents of {facts.rows:,} rows" + (f"; left out: {dropped}" if dropped else "")
    if facts.splits:
        yield "splits that the data brings: " + ", ".join(f"{name} {count:,}" for name, count in facts.splits.items())
    if facts.twice_encoded:
        some = counted(facts.twice_encoded, "text looks", "texts look")
        yield (
            f"{some} twice encoded (such as 'dÃ©jÃ ' for 'déjà'): save the file again in "
            "UTF-8, or change dataset.encodings"
        )


def _to_set(wanted: Mapping[str, str], chosen: Mapping[str, Any]) -> str:
    """Returns advice for what params do not say yet ('set compare.metric: f1_macro'), or "" if they say it all."""
    left = [f"{key}: {value}" for key, value in wanted.items() if chosen.get(key) != value]
    return "set " + " and ".join(left) if left else ""


def _classes(facts: Facts, chosen: Mapping[str, Any]) -> Iterator[str]:
    counts = list(facts.labels.items())
    if len(counts) <= MANY:
        yield f"{len(counts)} classes: " + ", ".join(f"{label} {count:,}" for label, count in counts)
    else:
        (most, largest), (least, smallest) = counts[0], counts[-1]
        yield f"{len(counts):,} classes, from {most} ({largest:,} documents) to {least} ({smallest:,})"
    for label, ways in list(facts.spellings.items())[:3]:
        yield f"labels {listed([visible(way) for way in ways], 4)} are read as one class, {label!r}"
    for one in facts.similar[:4]:
        few, many = f"{facts.labels[one.label]:,}", f"{facts.labels[one.meant]:,}"
        yield (
            f"label {one.label!r} ({few}) is probably {one.meant!r} ({many}): "
            f"if so, set dataset.labels: {{{one.label}: {one.meant}}}"
        )
    most, share = facts.commonest
    if share >= IMBALANCED and len(counts) > 1:
        advised = _to_set({"compare.metric": "f1_macro", "train.class_weights": "balanced"}, chosen)
        yield f"answering only {most!r} is right {percent(share, 1)} of the time" + (f": {advised}" if advised else "")


def _texts(facts: Facts, chosen: Mapping[str, Any]) -> Iterator[str]:
    scripts = ", ".join(f"{script} {percent(share)}" for script, share in list(facts.scripts.items())[:4]) or "none"
    emoji = f"; {percent(facts.emoji)} of the texts have emoji" if facts.emoji >= 0.01 else ""
    if facts.unspaced > UNSPACED:
        yield f"texts: median {facts.letters:,} characters; letters: {scripts}{emoji}"
        tokenizers = chosen.get("tokenizers")
        if tokenizers is None or any(map(_parts_at_spaces, tokenizers.values())):
            kinds = "`kind: char`, or `kind: word` with `pattern: any-script`"
            yield f"there are no spaces between words: use a tokenizer of {kinds}"
    else:
        median, most = facts.words["median"], facts.words["p95"]
        yield f"texts: median {median:,} words, 95 % have at most {most:,}; letters: {scripts}{emoji}"


def _parts_at_spaces(tokenizer: Mapping[str, Any]) -> bool:
    pattern = tokenizer.get("pattern", "spaced")  # a name or a regular expression
    if tokenizer.get("kind") != "word" or pattern == "any-script":
        return False
    return pattern == "spaced" or len(pl.Series([ROOM]).str.extract_all(pattern)[0]) < len(ROOM)


def _copies(facts: Facts, chosen: Mapping[str, Any]) -> Iterator[str]:
    for pair, count in facts.overlap.items():
        if count:
            first, second = pair.split("-")
            some = counted(count, f"document of {second} is", f"documents of {second} are")
            yield f"{some} also in {first}: expect lower scores on new texts"
    if facts.doubled and not facts.splits:
        some = counted(facts.doubled, "document repeats", "documents repeat")
        yield f"{some} another's text: equal texts stay in one split"
    if facts.conflicts:
        some = counted(facts.conflicts, "text has", "texts have")
        yield f"{some} more than one label: no model can get all of these right"
    if facts.near >= COPIED * facts.looked_up > 0 and facts.near > 1:
        drawn = facts.looked_up < facts.kept - facts.doubled
        texts = f"{facts.near:,} of {facts.looked_up:,} texts" if drawn else f"{facts.near:,} texts"
        yield (
            f"{texts} nearly equal another (few words differ, if any): across splits, they make scores too good; "
            "remove copies, or split by what they have in common (dataset.group, split.by: group)"
        )
    if facts.groups and facts.group_gain > 0.1:
        advised = _to_set({"split.by": "group"}, chosen)
        yield (
            f"the group predicts the class of {percent(facts.group_gain)} more documents than a constant answer"
            + (f": {advised}, or scores are valid only for known groups" if advised else "")
        )


def _doubts(facts: Facts) -> Iterator[str]:
    seen = 1.96 * (DISAGREE / max(facts.test, 1)) ** 0.5
    if facts.test and seen > 0.02:
        apart = f"models less than {100 * seen:.0f} points apart will look alike"
        yield f"test will have {counted(facts.test, 'document', 'documents')}: {apart}"


def visible(label: str) -> str:
    """Returns a label in quotes, with escapes for invisible characters and combining accents."""
    hidden = any(unicodedata.category(character) in ("Cf", "Cc", "Zs") for character in label.replace(" ", ""))
    return ascii(label) if hidden or not unicodedata.is_normalized("NFC", label) else repr(label)
