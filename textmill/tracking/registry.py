"""The model registry: one registered model per dataset, one version per distinct bundle, one champion."""

import io
import shutil
from contextlib import redirect_stderr
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import textmill
from textmill.bundle import Config
from textmill.errors import ArtifactError
from textmill.judging.scoring import EXCERPT
from textmill.models import OWN, own_families
from textmill.results.mistakes import Mistakes
from textmill.tracking.lookup import BUNDLE, CHAMPION, registered_name
from textmill.tracking.outputs import Result

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

# What a served bundle imports.
NEEDED = ["mlflow", "numpy", "polars", "pydantic", "ruamel.yaml", "safetensors", "threadpoolctl"]
NEEDED += ["tokenizers", "torch"]


def log_bundle(run_id: str, result: Result, config: Config) -> None:
    """Log the bundle as a model that loads without this repository: bundle, code, pinned requirements, no pickle.

    The weights of other seeds than the shipped one are left out.
    """
    import mlflow
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    package = Path(textmill.__file__).parent
    numbers = [ColSpec("float", name) for name in ("confidence", *(f"p:{label}" for label in config.labels))]
    needed = NEEDED + ["transformers"] * bool(config.encoder)
    outputs = Schema([ColSpec("string", "prediction"), *numbers])
    with mlflow.start_run(run_id=run_id, nested=True), TemporaryDirectory() as temporary:
        bundle = shutil.copytree(
            result.bundle.path, Path(temporary) / result.name, ignore=shutil.ignore_patterns("seeds")
        )
        mlflow.pyfunc.log_model(
            name=result.name,
            python_model=package / "tracking" / "pyfunc.py",
            artifacts={"bundle": str(bundle)},
            code_paths=[str(package), *_own(config)],
            signature=ModelSignature(Schema([ColSpec("string", "text")]), outputs),
            pip_requirements=[f"{name}=={version(name).partition('+')[0]}" for name in needed],
        )


def _own(config: Config) -> list[str]:
    """The project's folder of families, if the model is of one of these."""
    return [OWN] if config.model["family"] in own_families() else []


def register(client: "MlflowClient", dataset: str, result: Result, run: "Run") -> str:
    """The version that holds the result's bundle, made from its run's model if there is none."""
    import mlflow

    name = registered_name(dataset)
    found = client.search_model_versions(f"name = '{name}' AND tags.`{BUNDLE}` = '{result.bundle.md5}'")
    if found:
        return str(found[0].version)
    assert run.outputs is not None  # `log_bundle` has logged a model
    model = f"models:/{run.outputs.model_outputs[0].model_id}"
    with redirect_stderr(io.StringIO()):  # it talks
        return str(mlflow.register_model(model, name, tags={BUNDLE: result.bundle.md5, "model": result.name}).version)


def promote(client: "MlflowClient", dataset: str, number: str, champion: Result) -> None:
    """Move the alias to this version, after it was seen to load and to predict what `evaluate` recorded."""
    import mlflow
    import pandas as pd

    name = registered_name(dataset)
    if str(client.get_registered_model(name).aliases.get(CHAMPION)) == number:
        return
    served = mlflow.pyfunc.load_model(f"models:/{name}/{number}")
    # The confident errors are the one place where texts and predictions stand side by side.
    wrong = Mistakes.read(champion.outs[Mistakes.FILE].path).root
    known: list[tuple[str, str | None]] = [(one.text, one.prediction) for one in wrong if len(one.text) < EXCERPT]
    known = known or [("a", None)]
    predicted = served.predict(pd.DataFrame({"text": [text for text, _ in known]}))["prediction"]
    if any(recorded not in (None, label) for (_, recorded), label in zip(known, predicted, strict=True)):
        raise ArtifactError(f"{name} v{number}: predicts other than `evaluate` recorded; the alias was not moved")
    client.set_registered_model_alias(name, CHAMPION, number)
