"""`textmill report`: a copy of the page with its commit and the training times.

The page itself is an output: equal results give equal bytes. So it can contain neither the commit, which is made later,
nor seconds, which differ from run to run.
"""

from pathlib import Path
from typing import NamedTuple

from textmill.config import PARAMS, load_params
from textmill.errors import ArtifactError, ParamsError
from textmill.files import write_text
from textmill.lockfile import LOCK
from textmill.records.comparison import Comparison
from textmill.records.fit import Fit
from textmill.records.scores import Scores
from textmill.report.cost import costs
from textmill.report.page import COST, SIGNATURE, fragment, of_cost
from textmill.sources.parts import digests
from textmill.timings import Timing, recorded
from textmill.verify.commit import changed, date, find
from textmill.verify.receipt import COMPARE
from textmill.verify.sides import broken, of_folder, outdated

PAGE, METRICS, SIGNED = Path("report/index.html"), Path("metrics/models"), Path("report/signed.html")
RAW = Path("data/raw/manifest.json")


class Signature(NamedTuple):
    """Where a page comes from: the commit and its date, or None; the files that differ from the commit.

    files: the sha256 of each data file, by name.
    """

    commit: str | None
    date: str | None
    changed: list[str]
    machines: list[str]
    files: dict[str, str]


def sign(folder: Path, out: Path = SIGNED) -> Signature:
    """Writes the signed page, and returns what it was signed with.

    Raises ArtifactError if the page does not match dvc.lock and params.yaml, or was made by another version.
    """
    check(folder)
    comparison = Comparison.read(folder / PAGE.parent / Comparison.FILE)
    known = list(load_params(folder / PARAMS)["models"])
    timings = {name: recorded(folder / METRICS / name, _weights(folder, name)) for name in known}
    sizes = {name: Scores.read(folder / METRICS / name / Scores.FILE).bundle_bytes for name in known}
    signature = signed_by(folder, timings)
    page = (folder / PAGE).read_text(encoding="utf-8")
    parts = {
        SIGNATURE: fragment(SIGNATURE, comparison, known, signature=signature),
        COST: fragment(COST, comparison, known, **of_cost(comparison, costs(comparison, sizes, timings))),
    }
    for file, text in parts.items():
        page = replaced(page, file.split(".")[0], text)
    write_text(folder / out, page)
    return signature


def signed_by(folder: Path, timings: dict[str, Timing]) -> Signature:
    """Returns the commit that is checked out, and what differs from it."""
    machines = sorted({timing.machine for timing in timings.values() if timing.machine})
    files = digests(folder / RAW) if (folder / RAW).is_file() else {}
    try:
        commit = find("HEAD", folder)
    except (ArtifactError, ParamsError):
        return Signature(None, None, [], machines, files)
    return Signature(commit.hash, date(commit, folder), changed(folder), machines, files)


def check(folder: Path) -> None:
    """Raises ArtifactError unless the page is what the pipeline makes from the folder as it is."""
    stages = of_folder(folder).stages
    if COMPARE not in stages or str(PAGE) not in stages[COMPARE].outs:
        raise ArtifactError(f"{LOCK}: {COMPARE} has not run; run `textmill repro`")
    for what in broken({COMPARE: stages[COMPARE]}, folder).values():
        raise ArtifactError(what)
    for name, what in outdated(stages, load_params(folder / PARAMS), folder).items():
        raise ArtifactError(f"{PAGE}: {what} changed since {name} ran; run `textmill repro`")


def replaced(page: str, name: str, text: str) -> str:
    """Returns the page with another part between the marks of a name.

    No document can contain a mark, because all texts are escaped.
    """
    begin, end = f"<!--{name}-->", f"<!--/{name}-->"
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ArtifactError(f"{PAGE}: made by another version; run `dvc repro -f compare`")
    return before + text.strip() + after


def _weights(folder: Path, name: str) -> str:
    return Fit.read(folder / METRICS / name / Fit.FILE).weights
