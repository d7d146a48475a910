"""`textmill verify`: a receipt. Does this folder hold the results that a commit says it has?"""

from pathlib import Path, PurePosixPath
from typing import NamedTuple

from textmill import environment
from textmill.config import PARAMS, load_params
from textmill.console import say, table
from textmill.errors import TextmillError
from textmill.lockfile import Stage
from textmill.results.comparison import Comparison
from textmill.timings import Timing, machine
from textmill.verify import told
from textmill.verify.commit import Commit, find
from textmill.verify.receipt import COMPARE, SCORED, Receipt
from textmill.verify.sides import SUMMARY, Files, Locked, Results, broken, committed, here, late, results, unlike

HEAD = "HEAD"


class Checked(NamedTuple):
    """A receipt, the commit that it is about, and what its verdicts rest on."""

    commit: Commit
    receipt: Receipt
    results: Results


def check(revision: str, folder: Path, files: bool = True) -> Checked:
    """Compare a folder with a commit of its repository. Raises TextmillError where there is nothing to compare.

    files: whether to look at every output, too. Without, this folder's dvc.lock is believed, as it may be right after
    DVC has run.
    """
    commit = find(revision, folder)
    now, then = here(folder), committed(commit, folder)
    order = list(dict.fromkeys([*now.wanted, *then.wanted]))
    sides = _stages(order, then, now, files)
    wrong, waiting = {}, {}
    if files:
        own = Files(folder)
        wrong = unlike(sides[0], commit, folder) | broken(sides[1], own)
        waiting = late(sides[1], load_params(folder / PARAMS), own)
    differing = [name for name in order if sides[0].get(name) is not sides[1].get(name)]
    found = results(*_places(order, differing, then, now), commit, folder)
    models = {name.partition("@")[2] for name in differing if name.split("@")[0] in SCORED}
    scores = {model: found.score(model) for model in models}
    gone = set(order) - set(now.wanted)
    champions = found.champions() if COMPARE in differing else None
    return Checked(commit, Receipt(order, *sides, scores, champions, wrong, waiting, gone), found)


def _stages(order: list[str], then: Locked, now: Locked, whole: bool) -> tuple[dict[str, Stage], dict[str, Stage]]:
    """Both sides' stages. One whose lines are equal is one object; unless all are asked for, it stays unread."""
    unread = Stage((), {}, {}, {})
    sides: tuple[dict[str, Stage], dict[str, Stage]] = ({}, {})
    for name in order:
        mine, theirs = (name in side.wanted and side.lines.get(name) for side in (then, now))
        if mine and mine == theirs:
            sides[0][name] = sides[1][name] = now.read(name) if whole else unread
            continue
        if mine:
            sides[0][name] = then.read(name)
        if theirs:
            sides[1][name] = now.read(name)
    return sides


def _places(
    order: list[str], differing: list[str], then: Locked, now: Locked
) -> tuple[dict[str, PurePosixPath], Path | None]:
    """Where each model's summary lies, and comparison.json; nothing where no stage needs them."""
    if not differing:
        return {}, None
    places: dict[str, PurePosixPath] = {}
    compared = None
    for name in order:
        side = next((one for one in (now, then) if name in one.wanted and name in one.lines), None)
        stage, _, model = name.partition("@")
        if side is None or (stage != COMPARE and stage not in SCORED):
            continue
        for path in map(PurePosixPath, side.read(name).outs):
            if path.name == SUMMARY and stage in SCORED:
                places[model] = path.parent
            elif path.name == Comparison.FILE and stage == COMPARE:
                compared = Path(path)
    return places, compared


def show(checked: Checked) -> bool:
    """Print all of it; whether the results are those of the commit."""
    commit, receipt, comparison = checked.commit, checked.receipt, checked.results.comparison
    for line in (*told.expected(receipt, commit), *told.same(receipt)):
        say(line)
    if rows := told.rows(receipt, commit):
        scored, sure = (comparison.metric, f"{100 * (1 - comparison.alpha):g} % here") if comparison else ("score", "")
        header = ["not the same bytes", f"{scored} at {commit.short}", "here", sure]
        table("", header, rows)
    for line in surroundings(checked):
        say(line)
    sentence, whole = told.verdict(receipt, commit)
    say(sentence)
    return whole


def surroundings(checked: Checked) -> list[str]:
    """What differs in the environment, where anything but the same bytes was found."""
    stages = [one.stage for one in checked.receipt.findings if one.kind in ("within", "off")]
    models = {name.partition("@")[2] for name in stages if name.split("@")[0] in SCORED}
    timings = checked.results.timings
    asked = [name for name in timings if name in models] or [*timings][: bool(stages)]
    return list(dict.fromkeys(_surrounding(*timings[name], checked.commit.named) for name in asked))


def _surrounding(then: Timing, now: Timing, commit: str) -> str:
    """What differs between the places of a model's training."""
    if then.environment is None:
        known = f"only its machine, {then.machine}" if then.machine else "nothing of it"
        return f"environment: {commit} tells {known}; here it is {now.machine or machine()}"
    place = now.environment
    if place is None or then.weights == now.weights:  # what differs was computed after this training
        place = environment.here(packages=then.environment.packages)
    apart = environment.differences(then.environment, place)
    return f"environment: {'; '.join(apart) or 'the same, as far as it is known'}"


def after_repro(folder: Path) -> list[str]:
    """What `textmill repro` says at its end; nothing where no results are committed, or there is no git."""
    try:
        checked = check(HEAD, folder, files=False)
    except TextmillError:
        return []
    receipt = checked.receipt
    sentence, _ = told.verdict(receipt, checked.commit)
    asked = receipt.params or receipt.code  # who asks for other results knows what to do with them
    return [sentence, *([] if asked or all(one.kind == "same" for one in receipt.findings) else told.choices())]
