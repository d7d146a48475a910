"""What lies here against what was committed, stage by stage.

Three kinds. *Same*: the same bytes. *Within*: other bytes, but the committed test score lies within the interval of
the one here, as where another kind of processor rounds networks otherwise. *Off*: anything else. Texts and ids have no
last digits: of the same inputs they are the same bytes, or off.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import PurePosixPath
from typing import Literal, NamedTuple

from textmill.lockfile import Stage

CODE = "code"  # the stage that writes down what the code means: its outcome is an input of the others
SCORED = ("train", "evaluate")  # of a model
VECTORS, COMPARE, TRACK = "vectors", "compare", "track"
CURVE = "curve"  # of a model, fitted on parts of the training split
DIGESTS = "digests"
TRAINED = "vectors that were trained: the models that begin with them tell"

Kind = Literal["same", "within", "off", "missing", "late", "new"]


class Score(NamedTuple):
    """A model's test score, as committed and here, with its interval here. `why`: what there is no judging without."""

    committed: float | None
    here: float | None
    low: float | None
    high: float | None
    why: str = ""

    @property
    def within(self) -> bool:
        """Whether the committed score lies in the interval of the one here."""
        if self.committed is None or self.low is None or self.high is None:
            return False
        return self.low <= self.committed <= self.high


class Champions(NamedTuple):
    """The champion here, those that the committed validation scores allow, and those that tie with the one here."""

    here: str
    committed: set[str]
    ties: set[str]


class Finding(NamedTuple):
    """A stage's kind, and why. `after`: the stage that is off and that this one only follows."""

    stage: str
    kind: Kind
    why: str = ""
    score: Score | None = None
    after: str = ""

    @property
    def bad(self) -> bool:
        """Whether it speaks against the folder: a result that is off, that is missing, or that is to be made anew.

        What `track` has not recorded yet is no result.
        """
        return self.kind in ("off", "missing") or (self.kind == "late" and self.stage != TRACK)


class Receipt:
    """All findings, in the order of the stages.

    committed, here: stages of either dvc.lock by name. scores: of the models whose stages differ. broken: stages whose
    files are not what dvc.lock says, and why. late: stages that did not run since something changed, and what did.
    gone: stages that only the commit's params ask for.
    """

    def __init__(
        self,
        order: Sequence[str],
        committed: Mapping[str, Stage],
        here: Mapping[str, Stage],
        scores: Mapping[str, Score],
        champions: Champions | None,
        broken: Mapping[str, str],
        late: Mapping[str, str],
        gone: Collection[str] = (),
    ):
        self.order, self.committed, self.here = order, committed, here
        self.scores, self.champions = scores, champions
        self.broken, self.late, self.gone = broken, late, gone
        self._found: dict[str, Finding] = {}

    @cached_property
    def findings(self) -> list[Finding]:
        """One for each stage."""
        found = [self._find(name) for name in self.order]
        off = {one.stage for one in found if one.kind == "off"}
        return [self._by_its_models(one, off) for one in found]

    @property
    def params(self) -> list[str]:
        """Full keys of params that some stage had otherwise in the commit."""
        pairs = [(stage.params, other.params) for stage, other in self._both()]
        return list(dict.fromkeys(key for a, b in pairs for key in _differing(a, b)))

    @property
    def code(self) -> list[str]:
        """Files of digests that some stage had otherwise in the commit, without their folder and ending."""
        paths = dict.fromkeys(path for stage, other in self._both() for path in _differing(stage.deps, other.deps))
        return [PurePosixPath(path).stem for path in paths if path.startswith(f"{DIGESTS}/")]

    def _both(self) -> Iterator[tuple[Stage, Stage]]:
        for name in self.order:
            if name in self.committed and name in self.here:
                yield self.committed[name], self.here[name]

    def _find(self, name: str) -> Finding:
        if name not in self._found:
            self._found[name] = self._judge(name)
        return self._found[name]

    def _judge(self, name: str) -> Finding:
        if name not in self.here:
            return Finding(name, "missing", "not asked for here" if name in self.gone else "did not run here")
        if name in self.broken:
            return Finding(name, "off", self.broken[name])
        if name in self.late:
            return Finding(name, "late", f"did not run since {self.late[name]} changed")
        if name not in self.committed:
            return Finding(name, "new")
        then, now = self.committed[name], self.here[name]
        if then.outs == now.outs or name == CODE:
            return Finding(name, "same")
        changed = _differing(then.deps, now.deps)
        above = [self._find(stage) for stage in self._makers(name, changed)]
        for one in above:
            if one.bad:
                return Finding(name, "off", after=one.after or one.stage)
        stage, _, item = name.partition("@")
        if stage in SCORED:
            return self._by_score(name, item, not changed and then.params == now.params)
        if stage == COMPARE:
            return self._by_champion(name)
        own = ["params"] if then.params != now.params else []
        for path in changed:
            if path != DIGESTS and self._makers(name, [path]) in ([], [CODE]):
                own.append("code" if path.startswith(f"{DIGESTS}/") else path)
        if above and not own:
            return Finding(name, "within", f"follows from {', '.join(one.stage for one in above if one.stage != CODE)}")
        source = now.params.get(f"tokenizers.{item}.vectors.source")
        if stage == VECTORS and source == json.dumps("trained") and not own:
            return Finding(name, "within", TRAINED)
        if stage == CURVE and not own and (whole := self._find(f"{SCORED[0]}@{item}")).kind != "same":
            if whole.bad:
                return Finding(name, "off", after=whole.after or whole.stage)
            return Finding(name, "within", f"fits of {item} to parts of train, and {item} is within")
        return Finding(name, "off", f"made with other {', '.join(own)}" if own else "other bytes from the same inputs")

    def _makers(self, name: str, paths: Sequence[str]) -> list[str]:
        """Stages with other outputs than in the commit, of which one is, holds or lies in one of the paths."""
        found = []
        for other in self.order:
            pair = self.committed.get(other), self.here.get(other)
            outs = {path for side in pair if side for path in side.outs}
            same = all(pair) and pair[0].outs == pair[1].outs  # type: ignore[union-attr]
            if other != name and not same and any(_meet(out, path) for out in outs for path in paths):
                found.append(other)
        return found

    def _by_score(self, name: str, model: str, same_inputs: bool) -> Finding:
        score = self.scores.get(model, Score(None, None, None, None, "its scores are not here"))
        linear = self.here[name].params.get(f"models.{model}.family") == json.dumps("linear")
        exact = "; but a linear model repeats to the byte on every processor" if linear and same_inputs else ""
        if score.why:
            return Finding(name, "off", score.why, score)
        if score.within:
            return Finding(name, "within", f"within the interval{exact}", score)
        why = "the committed score is outside of the interval here"
        return Finding(name, "off", "no interval here to judge by" if None in (score.low, score.high) else why, score)

    def _by_champion(self, name: str) -> Finding:
        """A comparison says the same if its models do, and if the champion is the same or ties with that one."""
        if self.champions is None:
            return Finding(name, "off", "no champion to compare, here or in the commit")
        here, committed, ties = self.champions
        other = " or ".join(sorted(committed))
        if not committed:
            return Finding(name, "within", f"all models are; the champion is {here}, the commit does not tell its own")
        if here in committed:
            return Finding(name, "within", f"the same champion, {here}")
        if committed & ties:
            return Finding(name, "within", f"the champion is {here} and was {other}: they tie")
        return Finding(name, "off", f"the champion is {here} and was {other}")

    def _by_its_models(self, one: Finding, off: set[str]) -> Finding:
        """Trained vectors have no score of their own: they are off where a model that begins with them is."""
        if one.why != TRAINED:
            return one
        outs = self.here[one.stage].outs.keys()
        users = [name for name in self.order if name in off and outs & self.here[name].deps.keys()]
        return one._replace(kind="off", why=f"trained, and {users[0]} is off") if users else one


def _differing(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    return [key for key in dict.fromkeys([*one, *other]) if one.get(key) != other.get(key)]


def _meet(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")
