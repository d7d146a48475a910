"""What `tokenizers.NAME.vectors` may say: null."""

from typing import Any

from textmill.errors import ParamsError


def vectors_config(entry: Any, where: str) -> None:
    """The `vectors` of an entry of `tokenizers:`. Raises ParamsError naming the key under `where`."""
    if not isinstance(entry, dict) or "vectors" not in entry:
        raise ParamsError(f"{where}.vectors: missing")
    if entry["vectors"] is not None:
        raise ParamsError(f"{where}.vectors: expected null, found {entry['vectors']!r}")
