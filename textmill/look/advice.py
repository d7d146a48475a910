"""Params that should differ from their defaults for this data, and why."""

from typing import Any, NamedTuple

from textmill.look.facts import Facts
from textmill.look.words import IMBALANCED, percent

MOST = 0.5  # share of documents up to which rare classes may be left out; beyond it, they are not
GROUPS = 20  # groups needed for a split by group to have every class on each side


class Advice(NamedTuple):
    """A value for a key of params, and the reason, which becomes the comment next to it."""

    value: Any
    reason: str


def advice(facts: Facts) -> dict[str, Advice]:
    """Returns advice by dotted key, such as compare.metric."""
    found: dict[str, Advice] = {}
    most, share = facts.commonest
    if share >= IMBALANCED and len(facts.labels) > 1:
        reason = f"{percent(share, 1)} of the documents are {most}"
        found["compare.metric"] = Advice("f1_macro", f"{reason}: always answering that would score high on accuracy")
        found["train.class_weights"] = Advice("balanced", reason)
    if renamed := _renamed(facts):
        found["dataset.labels"] = renamed
    if facts.group_gain > 0.1 and facts.groups >= GROUPS:
        found["split.by"] = Advice("group", "the group predicts the class, and new texts will come from new groups")
    return found


def _renamed(facts: Facts) -> Advice | None:
    """Returns a map for classes that would stop the pipeline: rare ones, and duplicates that differ only in case."""
    names: dict[str, str | None] = {one.label: one.meant for one in facts.similar if one.case}
    why = ["they differ only in case"] if names else []
    left = [label for label in facts.labels if label not in names]
    rare = [label for label in left if 0 < facts.uncut.get(label, 0) < facts.needed]
    lost = sum(facts.uncut[label] for label in rare) / max(sum(facts.uncut.values()), 1)
    if rare and len(left) - len(rare) > 1 and lost <= MOST:
        names |= dict.fromkeys(rare)
        why.append(f"null leaves a class out: it has fewer than {facts.needed} documents, one for each split")
        why += [f"{one.label} may be {one.meant}" for one in facts.similar if one.label in rare][:3]
    return Advice(names, "; ".join(why)) if names else None
