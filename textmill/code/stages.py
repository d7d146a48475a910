"""The digests of a project's stages; those that run a module per family or kind have a list for each.

What starts a stage (`textmill.stage`) is in none of them: it locks, checks and reports, and computes nothing.
"""

from collections.abc import Iterator
from pathlib import Path

from textmill.code.closure import Closure

# Packages in which a stage finds a module by name: `models.lstm` for the family lstm.
FOUND_BY_NAME = dict.fromkeys(("vocab", "encode", "vectors"), "tokenizers")
FOUND_BY_NAME |= dict.fromkeys(("train", "evaluate", "curve"), "models")
OWN = "families"  # the package with a project's own families


def listings(project: Path) -> dict[str, str]:
    """Returns the text of each file of digests by its name: one line per module, with its digest and its name."""
    package = Path(__file__).parents[1]
    closure = Closure({"textmill": package, "stages": project / "stages", OWN: project / OWN})
    return {
        name: "".join(f"{digest} {module}\n" for module, digest in closure.digests(*roots).items())
        for name, roots in _roots(project, package)
    }


def modules(listing: str) -> dict[str, str]:
    """Returns the digest of each module listed in one of these files."""
    return {name: digest for digest, name in (line.split(" ", 1) for line in listing.splitlines())}


def _roots(project: Path, package: Path) -> Iterator[tuple[str, list[str]]]:
    for script in sorted((project / "stages").glob("*.py")):
        stage = script.stem
        if stage in ("__init__", "code"):
            continue
        if folder := FOUND_BY_NAME.get(stage):
            for module in sorted((package / folder).glob("[!_]*.py")):
                yield f"{stage}-{module.stem}", [f"stages.{stage}", f"textmill.{folder}.{module.stem}"]
            for module in sorted((project / OWN).glob("[!_]*.py")) if folder == "models" else ():
                yield f"{stage}-{module.stem}", [f"stages.{stage}", f"{OWN}.{module.stem}"]
        else:
            yield stage, [f"stages.{stage}"]
