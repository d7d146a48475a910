"""A bundle as a pyfunc model that loads without this repository: bundle, code, pinned requirements, no pickle."""

import shutil
from importlib.metadata import version
from pathlib import Path

import textmill
from textmill.bundle import Config
from textmill.files import scratch
from textmill.models import OWN, own_families
from textmill.tracking.snapshot import Result

REQUIREMENTS = ["mlflow", "numpy", "polars", "pydantic", "ruamel.yaml", "safetensors", "threadpoolctl"]
REQUIREMENTS += ["tokenizers", "torch"]


def save(folder: Path, model_id: str, run_id: str, result: Result, config: Config) -> None:
    """Writes the model into a new folder, with the weights of one seed."""
    import mlflow
    from mlflow.models import Model, ModelSignature
    from mlflow.types import ColSpec, Schema

    package = Path(textmill.__file__).parent
    families = [OWN] if config.model["family"] in own_families() else []  # the project's own
    required = REQUIREMENTS + ["transformers"] * bool(config.encoder)
    numbers = [ColSpec("float", name) for name in ("confidence", *(f"p:{label}" for label in config.labels))]
    inputs = Schema([ColSpec("string")])  # without a name, so that a list of texts fits
    with scratch() as temporary:
        bundle = temporary / result.name
        shutil.copytree(result.bundle.path, bundle, ignore=shutil.ignore_patterns("seeds"))
        mlflow.pyfunc.save_model(
            path=str(folder),
            python_model=package / "tracking" / "pyfunc.py",
            artifacts={"bundle": str(bundle)},
            code_paths=[str(package), *families],
            signature=ModelSignature(inputs, Schema([ColSpec("string", "prediction"), *numbers])),
            pip_requirements=[f"{name}=={version(name).partition('+')[0]}" for name in required],
            mlflow_model=Model(artifact_path=result.name, model_uuid=model_id, run_id=run_id, model_id=model_id),
        )
    for cached in folder.rglob("__pycache__"):
        shutil.rmtree(cached)
