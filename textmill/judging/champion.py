"""Which model is shipped: the best on validation. And what decides between equals."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from textmill.records.comparison import DecidedBy


class Candidate(NamedTuple):
    """What decides, in this order; last the name."""

    score: float  # on validation, higher is better
    log_loss: float  # on validation, lower is better
    parameters: int  # fewer are better


def ranking(models: Mapping[str, Candidate]) -> list[str]:
    """Returns the names, best first."""
    return sorted(models, key=lambda name: (-models[name].score, models[name].log_loss, models[name].parameters, name))


def ties(models: Mapping[str, Candidate], names: Sequence[str]) -> tuple[list[str], DecidedBy | None]:
    """Returns the models with the first one's validation score, and what put the first before them."""
    champion, *others = names
    first = models[champion]
    level = [name for name in others if models[name].score == first.score]
    if not level:
        return [], None
    second = models[level[0]]
    if second.log_loss != first.log_loss:
        return level, "log_loss"
    return level, "parameters" if second.parameters != first.parameters else "name"
