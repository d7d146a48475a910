"""The model registry: one registered model per dataset, a version for each generation of its champion."""

import io
from collections.abc import Sequence
from contextlib import redirect_stderr
from typing import TYPE_CHECKING

from textmill.errors import ArtifactError
from textmill.judging.scoring import EXCERPT
from textmill.records.mistakes import Mistakes
from textmill.tracking.lookup import BUNDLE, CHAMPION, MODEL, PREVIOUS, previous_of, registered_name
from textmill.tracking.outputs import Result

if TYPE_CHECKING:
    from mlflow import MlflowClient


def register(client: "MlflowClient", dataset: str, champion: Result, model: str, reason: str, alive: set[str]) -> str:
    """The version that holds the champion's bundle, made from its logged model if there is none.

    alive: ids of the models that are there; a version of another one has lost its files.
    """
    import mlflow

    name, number = registered_name(dataset), ""
    for found in client.search_model_versions(f"name = '{name}' AND tags.`{BUNDLE}` = '{champion.bundle.md5}'"):
        if str(found.source).removeprefix("models:/") not in alive:
            client.delete_model_version(name, found.version)
        elif found.description:
            return str(found.version)
        else:
            number = str(found.version)
    if not number:
        tags = {BUNDLE: champion.bundle.md5, MODEL: champion.name}
        with redirect_stderr(io.StringIO()):  # it talks
            number = str(mlflow.register_model(f"models:/{model}", name, tags=tags).version)
    client.update_model_version(name, number, reason)
    return number


def clear(client: "MlflowClient", dataset: str, alive: set[str]) -> None:
    """Delete the versions of ours whose models are gone."""
    name = registered_name(dataset)
    for found in client.search_model_versions(f"name = '{name}'"):
        if BUNDLE in found.tags and str(found.source).removeprefix("models:/") not in alive:
            client.delete_model_version(name, found.version)


def promote(client: "MlflowClient", dataset: str, number: str, champion: Result, before: Sequence[str] = ()) -> None:
    """Move the alias to this version, after it was seen to load and to predict what `evaluate` recorded.

    before: as for `previous_of`; where none are given, it is the version that has the alias.
    """
    import mlflow
    import pandas as pd

    name = registered_name(dataset)
    aliases = client.get_registered_model(name).aliases
    now = str(aliases.get(CHAMPION, ""))
    previous = previous_of(number, before or [now])
    if now != number:
        served = mlflow.pyfunc.load_model(f"models:/{name}/{number}")
        # The confident errors are the one place where texts and predictions stand side by side.
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
