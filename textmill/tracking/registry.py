"""The model registry: one registered model for each dataset, with a version for each generation of its champion."""

import io
from collections.abc import Collection, Sequence
from contextlib import redirect_stderr
from typing import TYPE_CHECKING

from textmill.errors import ArtifactError
from textmill.judging.scoring import EXCERPT
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
    for version in found:  # without a description it was cut off; the reason may name a commit that it did not know
        if version.description and (CHANGED not in version.description or CHANGED in reason):
            return str(version.version)
    if found:
        number = str(found[0].version)
    else:
        with redirect_stderr(io.StringIO()):  # MLflow prints there
            tags = {BUNDLE: champion.bundle.md5, MODEL: champion.name}
            number = str(mlflow.register_model(f"models:/{model}", name, tags=tags).version)
    client.update_model_version(name, number, reason)
    return number


def clear(client: "MlflowClient", dataset: str, models: Collection[str]) -> None:
    """Deletes the versions whose logged models are gone. models: ids of those that are there."""
    name = registered_name(dataset)
    for found in client.search_model_versions(f"name = '{name}'"):
        if BUNDLE in found.tags and str(found.source).removeprefix("models:/") not in models:
            client.delete_model_version(name, found.version)


def promote(client: "MlflowClient", dataset: str, number: str, champion: Result, before: Sequence[str] = ()) -> None:
    """Moves the alias `champion` to this version, once it has loaded and predicted what `evaluate` recorded.

    before: as for `previous_of`; if empty, the version that has the alias now. Raises ArtifactError if the predictions
    differ.
    """
    import mlflow
    import pandas as pd

    name = registered_name(dataset)
    aliases = client.get_registered_model(name).aliases
    now = str(aliases.get(CHAMPION, ""))
    previous = previous_of(number, before or [now])
    if now != number:
        served = mlflow.pyfunc.load_model(f"models:/{name}/{number}")
        # The file of errors is the only one that has texts next to predictions.
        wrong = Mistakes.read(champion.outs[Mistakes.FILE].path).root
        known: list[tuple[str, str | None]] = [(one.text, one.prediction) for one in wrong if len(one.text) < EXCERPT]
        known = known or [("a", None)]
        predicted = served.predict(pd.DataFrame({"text": [text for text, _ in known]}))["prediction"]
        if any(recorded not in (None, label) for (_, recorded), label in zip(known, predicted, strict=True)):
            raise ArtifactError(f"{name} v{number}: predicts other than `evaluate` recorded; the alias was not moved")
    if previous and str(aliases.get(PREVIOUS)) != previous:
        client.set_registered_model_alias(name, PREVIOUS, previous)
    if now != number:
        client.set_registered_model_alias(name, CHAMPION, number)
