"""The model registry: one registered model for each dataset, with a version for each generation of its champion."""

import io
from collections.abc import Collection, Sequence
from contextlib import redirect_stderr
from pathlib import Path
from typing import TYPE_CHECKING

from textmill.bundle import SEEDS
from textmill.classifier import load
from textmill.console import first
from textmill.errors import ArtifactError
from textmill.files import scratch, sha256
from textmill.judging.scoring import EXCERPT
from textmill.lockfile import differing
from textmill.records.mistakes import Mistakes
from textmill.tracking.lookup import previous_of
from textmill.tracking.names import BUNDLE, CHAMPION, MODEL, PREVIOUS, registered_name
from textmill.tracking.origin import CHANGED
from textmill.tracking.snapshot import Result

if TYPE_CHECKING:
    from mlflow import MlflowClient


def register(client: "MlflowClient", dataset: str, champion: Result, model: str, reason: str) -> str:
    """Returns the version of the champion's bundle; creates it from its logged model if there is none."""
    import mlflow

    name = registered_name(dataset)
    found = client.search_model_versions(f"name = '{name}' AND tags.`{BUNDLE}` = '{champion.bundle.md5}'")
    whole = [one for one in found if one.description]  # the description is written last
    if found:
        number = str((whole or found)[0].version)
    else:
        with redirect_stderr(io.StringIO()):  # MLflow prints there
            tags = {BUNDLE: champion.bundle.md5, MODEL: champion.name}
            number = str(
                mlflow.register_model(f"models:/{model}", name, await_registration_for=None, tags=tags).version
            )
    for one in found:  # a retried request can make a second one
        if str(one.version) != number and not one.description:
            client.delete_model_version(name, one.version)
    # The reason may name a commit that was not known when it was written.
    if not whole or (CHANGED in str(whole[0].description) and CHANGED not in reason):
        client.update_model_version(name, number, reason)
    return number


def clear(client: "MlflowClient", dataset: str, models: Collection[str]) -> None:
    """Deletes the versions whose logged models are gone. models: ids of those that are there."""
    name = registered_name(dataset)
    for found in client.search_model_versions(f"name = '{name}'"):
        if BUNDLE in found.tags and str(found.source).removeprefix("models:/") not in models:
            client.delete_model_version(name, found.version)


def promote(client: "MlflowClient", dataset: str, number: str, champion: Result, before: Sequence[str] = ()) -> None:
    """Moves the alias `champion` to this version, once its bundle has predicted what `evaluate` recorded.

    Only the bundle is loaded, once its files are those that dvc.lock names: a version is found by a tag, and loading
    what the store has would run the store's code.
    before: as for `previous_of`; if empty, the version that has the alias now. Raises ArtifactError if files or
    predictions differ.
    """
    name = registered_name(dataset)
    aliases = client.get_registered_model(name).aliases
    now = str(aliases.get(CHAMPION, ""))
    previous = previous_of(number, before or [now])
    if now != number:
        _check_version(f"{name} v{number}", f"models:/{name}/{number}", champion)
    if previous and str(aliases.get(PREVIOUS)) != previous:
        client.set_registered_model_alias(name, PREVIOUS, previous)
    if now != number:
        client.set_registered_model_alias(name, CHAMPION, number)


def _check_version(version: str, uri: str, champion: Result) -> None:
    """Raises ArtifactError unless a version has the champion's bundle, and predicts what `evaluate` recorded."""
    from mlflow.artifacts import download_artifacts

    champion.bundle.check()
    # The file of errors is the only one that has texts next to predictions.
    wrong = Mistakes.read(champion.outs[Mistakes.FILE].path).root
    known: list[tuple[str, str | None]] = [(one.text, one.prediction) for one in wrong if len(one.text) < EXCERPT]
    known = known or [("a", None)]
    with scratch() as folder, redirect_stderr(io.StringIO()):
        served = Path(download_artifacts(f"{uri}/artifacts/{champion.name}", dst_path=str(folder)))
        if others := differing(_files(served), _files(champion.bundle.path)):
            raise ArtifactError(
                f"{version}: {first(others)}: not what dvc.lock says; the alias was not moved. "
                "Delete this version, and run `dvc repro track`"
            )
        predicted = load(served).predict([text for text, _ in known])
    if any(recorded not in (None, label) for (_, recorded), label in zip(known, predicted, strict=True)):
        raise ArtifactError(f"{version}: predicts other than `evaluate` recorded; the alias was not moved")


def _files(bundle: Path) -> dict[str, str]:
    """Returns the checksum of each of a bundle's files, by its path, without the seeds that are not shipped."""
    files = {path.relative_to(bundle).as_posix(): path for path in sorted(bundle.rglob("*")) if path.is_file()}
    return {name: sha256(path) for name, path in files.items() if not name.startswith(f"{SEEDS}/")}
