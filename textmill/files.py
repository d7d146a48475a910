"""Files, written whole or not at all, and with the same bytes for the same content."""

import csv
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from textmill.errors import ArtifactError, ResourceError


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`; what the block wrote there gets the final name at its end.

    Raises ResourceError, with nothing left behind, if the disk is full or the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise ResourceError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 with LF line ends, on every system and in every locale."""
    with atomic(path) as temporary:
        temporary.write_bytes(text.encode("utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Write json for people and for diffs: indented, in the given order, NaN refused."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read json. Raises ArtifactError if it is missing or not json."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ArtifactError(f"{path}: {error.strerror}; run `dvc repro`, which makes it") from error
    except ValueError as error:
        raise ArtifactError(f"{path}: not valid json ({error}); delete it and run `dvc repro`") from error


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes. Raises ArtifactError if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ArtifactError(f"{path}: {error.strerror}") from error


def digest(value: Any) -> str:
    """Hex digest of plain data, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def write_arrays(path: Path, arrays: Mapping[str, Any], note: str) -> None:
    """Write numpy arrays as safetensors. `note` is kept in the header: what the arrays were made from.

    One header key only: safetensors writes two or more in an order of its own.
    """
    from safetensors.numpy import save_file

    with atomic(path) as temporary:
        save_file(dict(arrays), temporary, metadata={"from": note})


def read_arrays(path: Path) -> tuple[dict[str, Any], str]:
    """Arrays and the note of `write_arrays`. Raises ArtifactError if the file is missing or damaged."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, (file.metadata() or {}).get("from", "")  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise ArtifactError(f"{path}: cannot be read ({error}); run `dvc repro`, which makes it") from error


def read_parquet(path: Path, columns: Sequence[str] | None = None) -> Any:
    """Read parquet as a polars frame. Raises ArtifactError if it is missing or damaged."""
    import polars as pl

    try:
        return pl.read_parquet(path, columns=columns)
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = str(error).splitlines()[0]
        raise ArtifactError(f"{path}: cannot be read ({reason}); delete it and run `dvc repro`") from error


def read_history(path: Path) -> list[dict[str, float | None]]:
    """The rows of a learning curve, one an epoch: None where a cell is empty."""
    with open(path, encoding="utf-8", newline="") as file:
        return [{key: float(cell) if cell else None for key, cell in row.items()} for row in csv.DictReader(file)]


def write_parquet(path: Path, frame: Any) -> None:
    """Write a polars frame as parquet."""
    with atomic(path) as temporary:
        frame.write_parquet(temporary, compression="zstd", statistics=False)
