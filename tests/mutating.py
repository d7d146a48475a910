"""Mistakes that nobody thought of: seeded changes of values, keys and bytes."""

import random
from collections.abc import Iterator
from typing import Any

VALUES: list[Any] = [
    *(None, True, False, 0, -1, 1, 2, 7, 0.5, -0.5, 1.0, 1e-320, 1e308, float("nan"), float("inf"), -float("inf")),
    *(2**31, 2**32, 2**63, 10**12, 10**400, "", " ", "a", "a b", "../up", "/", ".", "-", "*", "null", "~", "nan"),
    *("0.1", "1e3", "yes", "x" * 300, "a\nb", "a\0b", "\u202e", "\x85", "\ufeff", "[a{2}", "(a+)+$", "{0}", "${seed}"),
    *([], [[]], [None], [1, "a"], ["a", "a"], [[["a"]]], {}, {"a": {}}, {"a": None}, {7: "x"}, {None: 1}, {True: 1}),
    *({"kind": "word"}, {"family": []}, {"source": {}}, {"path": []}, [*range(300)], {str(n): n for n in range(99)}),
]
NAMES = [7, None, True, 1.5, "", "__class__", "a.b", "model_config"]


def copied(value: Any) -> Any:
    """Returns plain data whose maps and lists are new."""
    if isinstance(value, dict):
        return {key: copied(one) for key, one in value.items()}
    return [copied(one) for one in value] if isinstance(value, list) else value


def mistaken(value: Any, draw: random.Random) -> Any:
    """Returns plain data with one mistake: another value, or a key that is gone, new or has another name."""
    if not (found := list(_places(whole := [copied(value)]))):
        return whole[0]
    (holder, key), (other, theirs) = draw.choice(found), draw.choice(found)
    how = draw.choice(["value", "near", "drop", "rename", "add", "move"])
    if how == "value":
        holder[key] = copied(draw.choice(VALUES))
    elif how == "near":
        holder[key] = _near(holder[key], draw)
    elif how == "drop":
        del holder[key]
    elif how == "move":
        holder[key] = copied(other[theirs])
    elif isinstance(holder, dict):
        kept = holder.pop(key) if how == "rename" else holder[key]
        holder[draw.choice([theirs, f"{key}s", str(key)[:-1], *NAMES])] = copied(kept)
    else:
        holder.append(copied(draw.choice(VALUES)))
    return whole[0] if whole else None


def damaged(content: bytes, draw: random.Random, snippets: list[bytes]) -> bytes:
    """Returns bytes with one mistake: other bytes, a snippet, less, or lines twice, gone or moved to the right."""
    lines = content.splitlines(keepends=True) or [b""]
    place, line = draw.randint(0, len(content)), draw.randrange(len(lines))
    above, below = lines[:line], lines[line:]
    how = draw.choice(["snippet", "value", "byte", "flip", "cut", "twice", "gone", "indent"])
    if how == "snippet":
        return content[:place] + draw.choice(snippets) + content[place:]
    if how == "value":
        name, colon, rest = below[0].partition(b": ")
        return b"".join([*above, name, colon, draw.choice(snippets), rest, *below[1:]])
    if how == "byte":
        return content[:place] + bytes([draw.randrange(256)]) + content[place + draw.randint(0, 3) :]
    if how == "flip":
        return bytes(one ^ (1 << draw.randrange(8)) if number == place else one for number, one in enumerate(content))
    if how == "cut":
        return content[:place] if draw.random() < 0.5 else content[place:]
    if how == "twice":
        return b"".join([*above, draw.choice(lines), *below])
    if how == "gone":
        return b"".join([*above, *below[1:]])
    return b"".join([*above, draw.choice([b" ", b"    ", b"\t"]), *below])


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yields each map or list with each of its keys."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])


def _near(value: Any, draw: random.Random) -> Any:
    others = [[value], {"a": value}, str(value), repr(value)]
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300:
        others += [-value, value * 10**6, value + 0.5, value / 3, value - 1]
    if isinstance(value, str):
        others += [value.upper(), value[:-1], value + "x", f" {value}", value * 50]
    return draw.choice(others)
