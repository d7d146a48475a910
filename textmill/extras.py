"""Packages that the core does not need, and the extra that installs each."""

from collections.abc import Iterator
from contextlib import contextmanager

from textmill.errors import ResourceError

# The imported modules of each extra. The core predicts and explains with linear bundles.
MODULES = {
    "networks": ("tokenizers", "torch"),
    "pretrained": ("transformers",),
    "vectors": ("gensim",),
    "pipeline": (
        *("alembic", "charset_normalizer", "datasets", "dvc", "huggingface_hub", "jinja2", "matplotlib", "mlflow"),
        *("networkx", "pandas", "psutil", "pyarrow", "rensa", "requests", "scipy", "sklearn", "sqlalchemy"),
        *("threadpoolctl", "urllib3"),
    ),
}
EXTRAS = {module: extra for extra, modules in MODULES.items() for module in modules}


@contextmanager
def naming_extras() -> Iterator[None]:
    """Turns a failed import of an optional package into a ResourceError that names its extra."""
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package == "fcntl":  # for a lock
            raise ResourceError("needs Linux, macOS or WSL") from error
        if package not in EXTRAS:
            raise
        extra = EXTRAS[package]
        advice = f"pip install 'WHEEL[{extra}]' (WHEEL: the file or the checkout that textmill came from)"
        raise ResourceError(f"needs {package}, from the extra {extra}: {advice}") from error
