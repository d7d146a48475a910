"""Looks at the user's files, and derives params from them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from textmill.console import say
from textmill.errors import DataError, TextmillError
from textmill.look.advice import Advice, advice
from textmill.look.checking import chosen
from textmill.look.facts import Facts, as_config, facts
from textmill.look.proposal import Proposal, listed
from textmill.look.words import lines
from textmill.project.params import Change, params_text
from textmill.rows.cleaning import CleanConfig
from textmill.rows.splits import SplitConfig

LABELS = "dataset.labels"


def params_for(proposal: Proposal, preset: str) -> Callable[[Path], str]:
    """Returns a function that reads the files in a project, prints what it finds, and returns params.yaml.

    The function raises DataError if no pipeline could run on the files.
    """

    def write(root: Path) -> str:
        try:
            found, advised = _looked_at(proposal.dataset, root)
        except TextmillError as error:
            raise type(error)(_from(root, str(error))) from error
        problem, found.problem = found.problem, ""
        params = chosen(YAML(typ="safe").load(preset)) | {key: one.value for key, one in advised.items()}
        for line in lines(found, params):
            say(_from(root, line))
        for key, one in advised.items():
            say(f"{key}: {_shown(one.value)} ({one.reason})")
        if problem:
            raise DataError(_from(root, problem))
        dataset = {key: Change(value, proposal.reasons.get(key, "")) for key, value in proposal.dataset.items()}
        changes: dict[str, Any] = {"dataset": Change(dataset)}
        changes |= {key: Change(one.value, one.reason) for key, one in advised.items()}
        title = f"Your own texts: {', '.join(sorted(proposal.files.values()))}."
        return params_text(preset, title, changes)

    return write


def _looked_at(dataset: Mapping[str, Any], root: Path) -> tuple[Facts, dict[str, Advice]]:
    """Returns facts and advice. If labels would stop the pipeline, the facts are those after renaming as advised."""
    found = facts(as_config(dict(dataset)), CleanConfig(), SplitConfig(), root)
    advised = advice(found)
    if found.problem and LABELS in advised:
        renamed = {**dataset, "labels": advised[LABELS].value}
        found = facts(as_config(renamed), CleanConfig(), SplitConfig(), root)
    return found, advised


def _shown(value: Any) -> str:
    """Returns a value as in params.yaml; of many, only the first."""
    if isinstance(value, Mapping):
        return "{" + listed([f"{key}: {'null' if one is None else one}" for key, one in value.items()], 6) + "}"
    return str(value)


def _from(root: Path, line: str) -> str:
    """Returns a line with paths as they are in the project."""
    return line.replace(f"{root}/", "")
