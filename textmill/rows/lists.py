"""Labels that are lists: several classes of one row, which no model here can learn."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

MARKS = ",;|"
SEVERAL = re.compile(r",|['\"]\s+['\"]")  # separates the items of a list in brackets: JSON, Python or numpy
DECIMAL = re.compile(r"-?\d+,\d+")


def lists_among(labels: Iterable[str]) -> list[str]:
    """Returns the labels that look like lists, sorted.

    A list is in brackets, or its separated parts each occur as a label alone or at other positions of other lists.
    'Portland, OR' next to 'Salem, OR' is not a list, because no part occurs elsewhere.
    """
    labels = set(labels)
    found = {label for label in labels if label[:1] + label[-1:] == "[]" and SEVERAL.search(label)}
    for mark in MARKS:
        split = {label: [part.strip() for part in label.split(mark)] for label in labels if mark in label.strip(mark)}
        if all(DECIMAL.fullmatch(label) for label in split):
            continue
        places = defaultdict(set, {label: {-1} for label in labels})  # -1: a label alone
        for parts in split.values():
            for place, part in enumerate(parts):
                places[part].add(place)
        free = {part for part, where in places.items() if -1 in where or len(where) > 1 or not part}
        if any(free.issuperset(parts) for parts in split.values()):  # then parts that occur twice count as well
            uses = Counter(part for parts in split.values() for part in set(parts))
            free |= {part for part, count in uses.items() if count > 1}
            found |= {label for label, parts in split.items() if free.issuperset(parts)}
    return sorted(found)
