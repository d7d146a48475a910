"""The look that is part of `textmill check`: at the user's own file, if it is there."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

ADVISED = ("split", "train", "compare")  # sections with keys that a look may advise


def chosen(params: Mapping[str, Any]) -> dict[str, Any]:
    """What params say of that which a look may advise, by dotted key, and their tokenizers."""
    keys = {f"{section}.{key}": value for section in ADVISED for key, value in params[section].items()}
    return {"tokenizers": params["tokenizers"], **keys}


def data_lines(params: dict[str, Any], root: Path = Path()) -> Iterator[str]:
    """What a person should know of the data set that params name, or where its files are expected.

    params: as `check.check_params` gives them. Nothing where files come from elsewhere. Raises DataError if a file is
    not what params say or would stop the pipeline, and ArtifactError if it is damaged.
    """
    dataset = params["dataset"]
    if dataset["source"] != "path":
        return
    paths = dataset["path"].values() if isinstance(dataset["path"], dict) else [dataset["path"]]
    if missing := [path for path in paths if not (root / path).is_file()]:
        yield f"{', '.join(missing)}: not there yet; put it there, and this tells what is in it"
        return
    from textmill.config import validate
    from textmill.errors import DataError
    from textmill.look.facts import as_config, facts
    from textmill.look.words import told
    from textmill.rows.cleaning import CleanConfig
    from textmill.rows.splits import SplitConfig

    clean, split = validate(params["clean"], CleanConfig, "clean"), validate(params["split"], SplitConfig, "split")
    found = facts(as_config(dataset), clean, split, root)
    yield from told(replace(found, problem=""), chosen(params))
    if found.problem:
        raise DataError(found.problem)
