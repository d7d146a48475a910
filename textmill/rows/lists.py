"""Labels that are lists: several classes of one row, which none of the models here can learn."""

import re
from collections import defaultdict
from collections.abc import Iterable

MARKS = ",;|"
BRACKETS = re.compile(r"\[.*(,|['\"]\s+['\"]).*\]", re.DOTALL)  # of json, Python and numpy
DECIMAL = re.compile(r"-?\d+,\d+")


def lists_among(labels: Iterable[str]) -> list[str]:
    """The labels that look like lists, sorted.

    In brackets, or with a mark between parts that each stand alone as a label too, or at other places of other lists.
    'Portland, OR' beside 'Salem, OR' is none: no part stands anywhere else.
    """
    labels = set(labels)
    found = {label for label in labels if BRACKETS.fullmatch(label)}
    for mark in MARKS:
        split = {label: [part.strip() for part in label.split(mark)] for label in labels if mark in label.strip(mark)}
        if all(DECIMAL.fullmatch(label) for label in split):
            continue
        places = defaultdict(set, {label: {-1} for label in labels})  # -1: it stands alone
        for parts in split.values():
            for place, part in enumerate(parts):
                places[part].add(place)
        found |= {
            label
            for label, parts in split.items()
            if all(not part or -1 in places[part] or len(places[part]) > 1 for part in parts)
        }
    return sorted(found)
