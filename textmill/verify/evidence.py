"""Facts about models in a commit and in this folder: scores, champion, and where they were trained."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from textmill.errors import TextmillError
from textmill.lockfile import Stage
from textmill.records.comparison import Comparison
from textmill.timings import Timing
from textmill.verify.commit import Commit, contents

SUMMARY = "summary.json"


class Score(NamedTuple):
    """A model's test score in the commit and here, with its interval here. `why`: why it is off, else empty."""

    committed: float | None = None
    here: float | None = None
    low: float | None = None
    high: float | None = None
    why: str = ""


class Evidence(NamedTuple):
    """Summaries and timings by model, in the commit and here, and the comparison here."""

    comparison: Comparison | None
    summaries: dict[str, tuple[dict[str, Any], dict[str, Any]]]
    timings: dict[str, tuple[Timing, Timing]]

    def score(self, model: str) -> Score:
        """Returns a model's score in the commit and here; for several seeds, the mean."""
        known = self.comparison.models if self.comparison else []
        entry = next((one for one in known if one.name == model), None)
        if self.comparison is None or entry is None:
            return Score(why="compare has not run with it here, so there is no interval to judge by")
        metric = self.comparison.metric
        then, now = (_mean(summary, metric) for summary in self.summaries.get(model, ({}, {})))
        if then is None:
            return Score(None, now, why=f"no test {metric} of the model in the commit's {SUMMARY}")
        if now is None or now != entry.scores.get(metric):
            return Score(then, now, why="compare has not run here since it was evaluated")
        if entry.low is None or entry.high is None:
            return Score(then, now, why="no interval here to judge by")
        off = "" if entry.low <= then <= entry.high else "the committed score is outside of the interval here"
        return Score(then, now, entry.low, entry.high, off)

    def champion(self) -> tuple[bool, str]:
        """Returns whether the champion here is the committed one or ties with it, and a sentence about it."""
        if self.comparison is None:
            return False, "no champion to compare, here or in the commit"
        here, key = self.comparison.champion, f"validation_{self.comparison.metric}"
        then = {model: summary for model, (summary, _) in self.summaries.items() if summary.get(key) is not None}
        if not then or any(map(_several, then.values())):  # with several seeds the mean decides, which summaries lack
            return True, f"all models are; the champion is {here}, the commit does not name its own"
        best = max(summary[key] for summary in then.values())
        were = {model for model, summary in then.items() if summary[key] == best}
        if here in were:
            return True, f"the same champion, {here}"
        tie = bool(were & {*self.comparison.standing["ties"]})
        return tie, f"the champion is {here} and was {' or '.join(sorted(were))}{': they tie' if tie else ''}"


def gather(stages: Iterable[tuple[str, Stage]], commit: Commit, folder: Path) -> Evidence:
    """Returns the evidence. stages: of the commit, then of this folder, by name; their outputs locate the files."""
    outs = [(name.partition("@")[2], Path(path)) for name, stage in stages for path in stage.outs]
    folders = {model: path.parent for model, path in outs if path.name == SUMMARY}
    held = contents(commit, [at / file for at in folders.values() for file in (SUMMARY, Timing.FILE)], folder)

    def both(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
        return _json(held.get(path)), _json((folder / path).read_bytes() if (folder / path).is_file() else None)

    summaries = {model: both(at / SUMMARY) for model, at in folders.items()}
    places = {model: both(at / Timing.FILE) for model, at in folders.items()}
    timings = {model: (_timing(then), _timing(now)) for model, (then, now) in places.items()}
    compared = next((path for _, path in reversed(outs) if path.name == Comparison.FILE), Path(Comparison.FILE))
    try:
        return Evidence(Comparison.read(folder / compared), summaries, timings)
    except TextmillError:  # compare did not run here
        return Evidence(None, summaries, timings)


def _several(summary: dict[str, Any]) -> bool:
    return any(key.endswith("_mean") for key in summary)


def _mean(summary: dict[str, Any], metric: str) -> float | None:
    return summary.get(f"test_{metric}_mean" if _several(summary) else f"test_{metric}")


def _json(text: bytes | None) -> dict[str, Any]:
    try:
        found: Any = json.loads(text or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _timing(facts: dict[str, Any]) -> Timing:
    try:
        return Timing.model_validate(facts)
    except ValidationError:
        return Timing()
