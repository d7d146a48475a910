"""A look at the user's files, and the params that it suggests."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from textmill.console import say
from textmill.look.advice import advice
from textmill.look.facts import as_config, facts
from textmill.look.proposal import Proposal
from textmill.look.words import told
from textmill.project.params import Change, params_text
from textmill.rows.cleaning import CleanConfig
from textmill.rows.splits import SplitConfig


def params_for(proposal: Proposal, preset: str) -> Callable[[Path], str]:
    """What makes the text of params.yaml once the files lie in a project; it reads them, and tells what it finds."""

    def write(root: Path) -> str:
        found = facts(as_config(proposal.dataset), CleanConfig(), SplitConfig(), root)
        for line in told(found):
            say(line)
        dataset = {key: Change(value, proposal.reasons.get(key, "")) for key, value in proposal.dataset.items()}
        changes: dict[str, Any] = {"dataset": Change(dataset)}
        changes |= {key: Change(one.value, one.reason) for key, one in advice(found).items()}
        title = f"Your own texts: {', '.join(sorted(proposal.files.values()))}."
        return params_text(preset, title, changes)

    return write
