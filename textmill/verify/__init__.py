"""`textmill verify`: checks whether this folder holds the results of a commit."""

from pathlib import Path

from textmill import environment
from textmill.config import PARAMS, load_params
from textmill.console import counted, say, table
from textmill.errors import TextmillError
from textmill.timings import Timing, machine
from textmill.verify import words
from textmill.verify.cache import cache_of, is_damaged, objects, used_for
from textmill.verify.commit import find
from textmill.verify.evidence import gather
from textmill.verify.receipt import SCORED, Receipt
from textmill.verify.sides import broken, inconsistent, of_commit, of_folder, outdated

HEAD = "HEAD"


def check(revision: str, folder: Path, files: bool = True) -> Receipt:
    """Compares a folder with a commit of its repository. Raises TextmillError if there is nothing to compare.

    files: whether to check every output as well. If not, this folder's dvc.lock is trusted, as it can be right after
    DVC has run.
    """
    commit = find(revision, folder)
    now, then = of_folder(folder), of_commit(commit, folder)
    wrong, stale = {}, {}
    if files:
        wrong = inconsistent(then.stages, commit, folder) | broken(now.stages, folder)
        stale = outdated(now.stages, load_params(folder / PARAMS), folder)
    found = gather([*then.stages.items(), *now.stages.items()], commit, folder)
    return Receipt(commit, then, now, found, wrong, stale)


def show(receipt: Receipt) -> bool:
    """Prints a receipt. Returns whether the results are the commit's."""
    for line in (*words.expected(receipt), *words.same(receipt)):
        say(line)
    if rows := words.rows(receipt):
        comparison = receipt.evidence.comparison
        scored, sure = (comparison.metric, f"{100 * (1 - comparison.alpha):g} % here") if comparison else ("score", "")
        table("", ["not the same bytes", f"{scored} at {receipt.commit.short}", "here", sure], rows)
    for line in surroundings(receipt):
        say(line)
    sentence, whole = words.verdict(receipt)
    say(sentence)
    return whole


def check_cache(folder: Path) -> bool:
    """Prints which files of DVC's cache are damaged, with the outputs here that they are copies of; whether none is.

    DVC restores a damaged file without a word. Once it is deleted, the stage that made it runs again.
    """
    cache = cache_of(folder)
    files = objects(cache)
    outs = {path: md5 for stage in of_folder(folder).stages.values() for path, md5 in stage.outs.items()}
    places = used_for(outs, cache)
    damaged = [path for path in files if is_damaged(path)]
    for path in damaged:
        use = places.get(path.parent.name + path.name, "a file of another commit")
        say(f"{path}: damaged ({use}); delete it, and `textmill repro` makes it again")
    say(f"verify: {len(damaged):,} of {counted(len(files), 'file', 'files')} in DVC's cache damaged ({cache})")
    return not damaged


def surroundings(receipt: Receipt) -> list[str]:
    """Returns what differs in the environment of models whose bytes differ, or of one if only other stages do."""
    other = [one for one in receipt.findings if one.kind in ("within", "off")]
    timings = receipt.evidence.timings
    models = [one.item for one in other if one.base in SCORED and one.item in timings] or [*timings][: bool(other)]
    return list(dict.fromkeys(_surrounding(*timings[model], receipt.commit.named) for model in models))


def _surrounding(then: Timing, now: Timing, commit: str) -> str:
    """Returns what differs between the machines on which a model was trained."""
    if then.environment is None:
        known = f"only its machine, {then.machine}" if then.machine else "nothing of it"
        return f"environment: {commit} records {known}; here it is {now.machine or machine()}"
    place = now.environment
    if place is None or then.weights == now.weights:  # what differs was computed after this training
        place = environment.here(packages=then.environment.packages)
    changed = environment.differences(then.environment, place)
    return f"environment: {'; '.join(changed) or 'the same, as far as it is known'}"


def after_repro(folder: Path) -> list[str]:
    """Returns the last lines of `textmill repro`; none if no results are committed, or there is no git."""
    try:
        receipt = check(HEAD, folder, files=False)
    except TextmillError:
        return []
    asked = receipt.params or receipt.code  # people who changed these expect other results
    alike = all(one.kind == "same" for one in receipt.findings)
    sentence, good = words.verdict(receipt)
    if asked and not good:
        return [f"verify: {line}; `textmill compare` shows them" for line in words.expected(receipt)]
    return [sentence, *([] if asked or alike else words.CHOICES)]
