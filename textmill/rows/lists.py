"""Labels that are lists: several classes of one row, which none of the models here can learn."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

MARKS = ",;|"
SEVERAL = re.compile(r",|['\"]\s+['\"]")  # between the parts of a list in brackets: of json, Python and numpy
DECIMAL = re.compile(r"-?\d+,\d+")


def lists_among(labels: Iterable[str]) -> list[str]:
    """The labels that look like lists, sorted.

    In brackets, or with a mark between parts that each stand alone as a label too, or at other places of other lists.
    'Portland, OR' beside 'Salem, OR' is none: no part stands anywhere else.
    """
    labels = set(labels)
    found = {label for label in labels if label[:1] + label[-1:] == "[]" and SEVERAL.search(label)}
    for mark in MARKS:
        split = {label: [part.strip() for part in label.split(mark)] for label in labels if mark in label.strip(mark)}
        if all(DECIMAL.fullmatch(label) for label in split):
            continue
        places = defaultdict(set, {label: {-1} for label in labels})  # -1: it stands alone
        for parts in split.values():
            for place, part in enumerate(parts):
                places[part].add(place)
        free = {part for part, where in places.items() if -1 in where or len(where) > 1 or not part}
        if any(free.issuperset(parts) for parts in split.values()):  # then so are those whose parts stand twice
            uses = Counter(part for parts in split.values() for part in set(parts))
            free |= {part for part, count in uses.items() if count > 1}
            found |= {label for label, parts in split.items() if free.issuperset(parts)}
    return sorted(found)
