"""A bundle as a model that loads without this repository: bundle, code, pinned requirements, no pickle."""

import shutil
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import textmill
from textmill.bundle import Config
from textmill.models import OWN, own_families
from textmill.tracking.outputs import Result

# What a served bundle imports.
NEEDED = ["mlflow", "numpy", "polars", "pydantic", "ruamel.yaml", "safetensors", "threadpoolctl"]
NEEDED += ["tokenizers", "torch"]


def save(folder: Path, model_id: str, run_id: str, result: Result, config: Config) -> None:
    """Write the model into a new folder. The weights of other seeds than the shipped one are left out."""
    import mlflow
    from mlflow.models import Model, ModelSignature
    from mlflow.types import ColSpec, Schema

    package = Path(textmill.__file__).parent
    numbers = [ColSpec("float", name) for name in ("confidence", *(f"p:{label}" for label in config.labels))]
    needed = NEEDED + ["transformers"] * bool(config.encoder)
    outputs = Schema([ColSpec("string", "prediction"), *numbers])
    with TemporaryDirectory(prefix="textmill-track-") as temporary:
        bundle = Path(temporary) / result.name
        shutil.copytree(result.bundle.path, bundle, ignore=shutil.ignore_patterns("seeds"))
        mlflow.pyfunc.save_model(
            path=str(folder),
            python_model=package / "tracking" / "pyfunc.py",
            artifacts={"bundle": str(bundle)},
            code_paths=[str(package), *_own(config)],
            signature=ModelSignature(Schema([ColSpec("string")]), outputs),  # without a name a list of texts fits, too
            pip_requirements=[f"{name}=={version(name).partition('+')[0]}" for name in needed],
            mlflow_model=Model(artifact_path=result.name, model_uuid=model_id, run_id=run_id, model_id=model_id),
        )
    for cached in folder.rglob("__pycache__"):
        shutil.rmtree(cached)


def _own(config: Config) -> list[str]:
    """The project's folder of families, if the model is of one of these."""
    return [OWN] if config.model["family"] in own_families() else []
