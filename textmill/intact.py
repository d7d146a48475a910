"""The check before every stage: it may read only what the stages before it wrote, by the hashes in dvc.lock.

DVC trusts a file whose size and time did not change, and what it restores from its cache. So a flipped bit, or a file
from another run, would change the results without a word.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from textmill.config import PARAMS, load_params
from textmill.dag import PIPELINE, dependencies, load_pipeline, stage_names
from textmill.errors import ArtifactError
from textmill.lockfile import LOCK, entries, hash_of, parsed, text_of


def check_inputs(stage: str, folder: Path = Path()) -> None:
    """Raises ArtifactError, naming the producer, if an input of a stage is not what its producer wrote.

    stage: as DVC names it ('train@lstm'). Outputs of stages that dvc.lock does not have are not checked, and neither
    are files that no stage writes, such as those in data/input.
    """
    recorded = entries(text_of(folder / LOCK))
    if not recorded:
        return
    pipeline, params = load_pipeline(folder / PIPELINE), load_params(folder / PARAMS)
    needed = [PurePosixPath(path) for path in dependencies(stage, pipeline, params)]
    for producer in stage_names(pipeline, params, recorded):
        if producer == stage or producer not in recorded:
            continue
        for path, md5 in _outputs(recorded[producer], needed, producer):
            _check(folder, path, md5, producer)


def _check(folder: Path, path: str, md5: str, producer: str) -> None:
    try:
        found = hash_of(folder / path)
    except OSError as error:
        raise ArtifactError(f"{path}: {error.strerror}, but {producer} wrote it; run `dvc repro`") from error
    if found != md5:
        raise ArtifactError(
            f"{path}: not what {producer} wrote (md5 {found}; dvc.lock has {md5}); delete it and run `dvc repro`. "
            "If it comes back damaged, `textmill verify --cache` names the damaged copy"
        )


def _outputs(entry: str, needed: Sequence[PurePosixPath], producer: str) -> Iterator[tuple[str, str]]:
    """Yields path and md5 of each output of a stage, from its lines in dvc.lock, that is needed or holds what is.

    YAML is parsed only where it must be: all of dvc.lock would take a tenth of a second in every stage.
    """
    _, _, outputs = entry.partition("\n    outs:\n")
    if not any(parent.name and str(parent) in outputs for one in needed for parent in (one, *one.parents)):
        return
    for one in parsed(f"  {producer}:\n    outs:\n{outputs}", str(LOCK)).get("outs") or []:
        path = PurePosixPath(one["path"])
        if "md5" in one and any(path.is_relative_to(other) or other.is_relative_to(path) for other in needed):
            yield str(path), str(one["md5"])
