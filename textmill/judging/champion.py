"""Which model is shipped: the best on validation. And how narrow that was."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from textmill.records.comparison import DecidedBy


class Candidate(NamedTuple):
    """What decides, in this order; the name decides last."""

    score: float  # on validation, the higher the better
    log_loss: float  # on validation, the lower the better
    parameters: int  # the fewer the better


def ranking(models: Mapping[str, Candidate]) -> list[str]:
    """Names, the best first."""
    return sorted(models, key=lambda name: (-models[name].score, models[name].log_loss, models[name].parameters, name))


def equals(models: Mapping[str, Candidate], names: Sequence[str]) -> tuple[list[str], DecidedBy | None]:
    """The models whose validation score is that of the first of these names, and what put the first before them."""
    champion, *others = names
    first = models[champion]
    level = [name for name in others if models[name].score == first.score]
    if not level:
        return [], None
    second = models[level[0]]
    if second.log_loss != first.log_loss:
        return level, "log_loss"
    return level, "parameters" if second.parameters != first.parameters else "name"
