"""Compares what is here with what was committed, stage by stage.

There are three kinds. *Same*: the same bytes. *Within*: other bytes, but the committed test score is within the
interval of the score here, as happens if another kind of processor rounds differently. *Off*: anything else. Texts and
ids are not rounded: from the same inputs they have the same bytes, or they are off.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Literal, NamedTuple

from textmill.console import first
from textmill.lockfile import Stage, changed_params, differing
from textmill.verify.commit import Commit
from textmill.verify.evidence import Evidence, Score
from textmill.verify.sides import Side

CODE = "code"  # the stage that writes digests of the code, which are inputs of the others
SCORED = ("train", "evaluate")  # stages with a model's scores
VECTORS, COMPARE, TRACK = "vectors", "compare", "track"
CURVE = "curve"  # of a model, trained on parts of the training split
DIGESTS = "digests"

Kind = Literal["same", "within", "off", "missing", "outdated", "new"]


class Finding(NamedTuple):
    """A stage's kind, and why. `after`: the stage that is off and that this one depends on."""

    stage: str
    kind: Kind
    why: str = ""
    score: Score | None = None
    after: str = ""

    @property
    def base(self) -> str:
        """The stage without its item."""
        return self.stage.partition("@")[0]

    @property
    def item(self) -> str:
        """The stage's model or tokenizer, if any."""
        return self.stage.partition("@")[2]

    @property
    def bad(self) -> bool:
        """Whether it counts against the folder: a result that is off, missing or out of date.

        What `track` has not recorded yet is not a result.
        """
        return self.kind in ("off", "missing") or (self.kind == "outdated" and self.base != TRACK)


@dataclass
class Receipt:
    """All findings, in the order of the stages.

    wrong: stages whose files differ from dvc.lock, and why. outdated: stages that did not run since something changed,
    and what did.
    """

    commit: Commit
    then: Side
    now: Side
    evidence: Evidence
    wrong: Mapping[str, str]
    outdated: Mapping[str, str]

    def __post_init__(self) -> None:
        then, now = self.then.stages, self.now.stages
        self._known = dict[str, Finding]()
        self._both = {name: (then[name], now[name]) for name in then if name in now}
        self._same = [name for name, (one, other) in self._both.items() if one.outs == other.outs]
        self._made = [
            (path, name) for some in (then, now) for name in some if name not in self._same for path in some[name].outs
        ]

    @cached_property
    def findings(self) -> list[Finding]:
        """A finding for each stage."""
        found = [self._find(name) for name in dict.fromkeys([*self.now.wanted, *self.then.wanted])]
        off = [one.stage for one in found if one.kind == "off"]
        for number, one in enumerate(found):  # trained vectors are judged by the models that use them
            if one.base == VECTORS and one.kind == "within":
                outs = self.now.stages[one.stage].outs.keys()
                if bad := [name for name in off if outs & self.now.stages[name].deps.keys()]:
                    found[number] = one._replace(kind="off", why=f"trained, and {bad[0]} is off")
        return found

    @property
    def params(self) -> list[str]:
        """Full keys of params that differ from the commit's for some stage."""
        return list(dict.fromkeys(key for then, now in self._both.values() for key in changed_params(then, now)))

    @property
    def code(self) -> list[str]:
        """Names of digests that differ from the commit's for some stage."""
        paths = dict.fromkeys(path for then, now in self._both.values() for path in differing(then.deps, now.deps))
        return [PurePosixPath(path).stem for path in paths if path.startswith(f"{DIGESTS}/")]

    def _find(self, name: str) -> Finding:
        if name not in self._known:
            self._known[name] = self._judge(name)
        return self._known[name]

    def _judge(self, name: str) -> Finding:
        if name not in self.now.stages:
            return Finding(name, "missing", "did not run here" if name in self.now.wanted else "not asked for here")
        if name in self.wrong:
            return Finding(name, "off", self.wrong[name])
        if name in self.outdated:
            return Finding(name, "outdated", f"did not run since {self.outdated[name]} changed")
        if name not in self.then.stages:
            return Finding(name, "new", f"not in {self.commit.named}")
        if name in self._same or name == CODE:
            return Finding(name, "same")
        return self._other_bytes(Finding(name, "off", "other bytes from the same inputs"), *self._both[name])

    def _other_bytes(self, found: Finding, then: Stage, now: Stage) -> Finding:
        """Returns whether other bytes are within, judging by what the stage reads or makes."""
        makers = {path: self._made_by(path, found.stage) for path in differing(then.deps, now.deps)}
        above = list(dict.fromkeys(stage for some in makers.values() for stage in some))
        if bad := next((one for one in map(self._find, above) if one.bad), None):
            return self._after(found, bad)
        params = changed_params(then, now)
        if found.base in SCORED:
            score = self.evidence.score(found.item)
            linear = now.params.get(f"models.{found.item}.family") == json.dumps("linear")
            exact = "; but a linear model gives the same bytes on every processor"
            why = f"within the interval{exact if linear and not makers and not params else ''}"
            return found._replace(kind="off" if score.why else "within", why=score.why or why, score=score)
        if found.base == COMPARE:
            fine, why = self.evidence.champion()
            return found._replace(kind="within" if fine else "off", why=why)
        own = ["params"] if params else []
        for path, some in makers.items():
            if path != DIGESTS and not {*some} - {CODE}:
                own.append("code" if path.startswith(f"{DIGESTS}/") else path)
        if own:
            return found._replace(why=f"made with other {', '.join(own)}")
        if above:
            return found._replace(kind="within", why=f"follows from {first([*filter(CODE.__ne__, above)] or above)}")
        if found.base == VECTORS and now.params.get(f"tokenizers.{found.item}.vectors.source") == json.dumps("trained"):
            why = "trained vectors, judged by the models that use them"
            return found._replace(kind="within", why=why)
        whole = self._find(f"{SCORED[0]}@{found.item}") if found.base == CURVE else found
        if whole.kind == "within":
            why = f"fits of {found.item} to parts of train, and {found.item} is within"
            return found._replace(kind="within", why=why)
        return self._after(found, whole) if whole is not found and whole.bad else found

    def _after(self, found: Finding, cause: Finding) -> Finding:
        return found._replace(why="", after=cause.after or cause.stage)

    def _made_by(self, path: str, reader: str) -> list[str]:
        """Returns the other stages whose outputs differ from the commit's and overlap with the path."""
        return list(dict.fromkeys(name for out, name in self._made if name != reader and _meet(out, path)))


def _meet(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")
