"""Named numpy arrays stored as safetensors: no pickle, and the same content always gives the same bytes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textmill.errors import ArtifactError
from textmill.files import atomic, reading


def write_arrays(path: Path, arrays: Mapping[str, Any], note: str) -> None:
    """Writes numpy arrays as safetensors. The header keeps `note`: what the arrays were made from.

    The header has this one key only, because safetensors writes several keys in no fixed order.
    """
    from safetensors.numpy import save_file

    with atomic(path) as temporary:
        save_file(dict(arrays), temporary, metadata={"from": note})


def read_arrays(path: Path) -> tuple[dict[str, Any], str]:
    """Returns the arrays and the note of `write_arrays`. Raises ArtifactError if the file is missing or damaged."""
    from safetensors import SafetensorError, safe_open

    with reading(path, SafetensorError), safe_open(path, framework="numpy") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, (file.metadata() or {}).get("from", "")  # noqa: SIM118


def map_arrays(path: Path) -> tuple[dict[str, Any], str]:
    """Returns arrays like `read_arrays`, but flat, read-only and memory-mapped. For int32 and int64."""
    import numpy as np
    from safetensors import SafetensorError, safe_open

    with reading(path, SafetensorError), safe_open(path, framework="numpy"), open(path, "rb") as file:  # it validates
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
        data = np.asarray(np.memmap(file, np.uint8, "r", offset=8 + size))
    note = header.pop("__metadata__", {}).get("from", "")
    kinds = {"I32": np.int32, "I64": np.int64}
    if odd := [name for name, of in header.items() if of["dtype"] not in kinds]:
        raise ArtifactError(f"{path}: {odd[0]} is not of whole numbers; delete it and run `dvc repro`")
    return {name: data[slice(*of["data_offsets"])].view(kinds[of["dtype"]]) for name, of in header.items()}, note
