"""The check before every stage: it may read only what the stages before it wrote, by the hashes in dvc.lock.

DVC trusts a file whose size and time did not change, and what it restores from its cache. So a flipped bit, or a file
from another run, would change the results without a word.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textmill import dag, lockfile
from textmill.errors import ArtifactError


def check_inputs(stage: str, pipeline: Mapping[str, Any], params: Mapping[str, Any], folder: Path = Path()) -> None:
    """Raises ArtifactError, naming the producer, if an input of a stage is not what its producer wrote.

    stage: as DVC names it ('train@lstm'). pipeline, params: the contents of dvc.yaml and params.yaml. Outputs of
    stages that dvc.lock does not have are not checked, and neither are files that no stage writes, such as those in
    data/input.
    """
    recorded = lockfile.entries(lockfile.text_of(folder / lockfile.LOCK))
    if not recorded:
        return
    needed = dag.dependencies(stage, pipeline, params)

    def is_needed(output: str) -> bool:
        return any(dag.overlap(output, one) for one in needed)

    for producer in dag.stage_names(pipeline, params, recorded):
        if producer == stage or producer not in recorded:
            continue
        if not any(map(is_needed, dag.outputs(producer, pipeline, params))):
            continue  # all of dvc.lock takes two tenths of a second to parse
        for path, md5 in lockfile.outputs(recorded[producer]).items():
            if is_needed(path):
                _check(folder, path, md5, producer)


def _check(folder: Path, path: str, md5: str, producer: str) -> None:
    try:
        found = lockfile.hash_of(folder / path)
    except OSError as error:
        raise ArtifactError(f"{path}: {error.strerror}, but {producer} wrote it; run `dvc repro`") from error
    if found != md5:
        raise ArtifactError(
            f"{path}: not what {producer} wrote (md5 {found}; dvc.lock has {md5}); delete it and run `dvc repro`. "
            "If it comes back damaged, `textmill verify --cache` names the damaged copy"
        )
