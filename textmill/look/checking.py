"""The look at the user's files that `textmill check` takes."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

ADVISED = ("split", "train", "compare")  # sections with keys that may be advised


def chosen(params: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the params' values of keys that may be advised, by dotted key, and the tokenizers."""
    keys = {f"{section}.{key}": value for section in ADVISED for key, value in params[section].items()}
    return {"tokenizers": params["tokenizers"], **keys}


def data_lines(params: dict[str, Any], root: Path = Path()) -> Iterator[str]:
    """Yields what a user should know about the data that params name, or where its files are expected.

    params: as from `check.check_params`. Yields nothing if the data comes from elsewhere. Raises DataError if a file
    does not fit the params or would stop the pipeline, and ArtifactError if it is damaged.
    """
    dataset = params["dataset"]
    if dataset["source"] != "path":
        return
    paths = dataset["path"].values() if isinstance(dataset["path"], dict) else [dataset["path"]]
    if missing := [path for path in paths if not (root / path).is_file()]:
        yield f"{', '.join(missing)}: not there yet; add it, and check again to see what is in it"
        return
    from textmill.config import validate
    from textmill.errors import DataError
    from textmill.look.facts import as_config, facts
    from textmill.look.words import lines
    from textmill.rows.cleaning import CleanConfig
    from textmill.rows.splits import SplitConfig

    clean, split = validate(params["clean"], CleanConfig, "clean"), validate(params["split"], SplitConfig, "split")
    found = facts(as_config(dataset), clean, split, root)
    yield from lines(replace(found, problem=""), chosen(params))
    if found.problem:
        raise DataError(found.problem)
