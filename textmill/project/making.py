"""`textmill new` as a whole. It checks, looks and asks before it writes anything."""

from collections.abc import Callable, Sequence
from pathlib import Path

from textmill.config import nearest
from textmill.console import say
from textmill.errors import ParamsError
from textmill.look.finding import propose
from textmill.look.proposal import Given, ask
from textmill.project import source as sources
from textmill.project.data import params_for
from textmill.project.new import INPUT, check_folder, create
from textmill.project.params import described, params_text
from textmill.project.template import preset as preset_of
from textmill.project.template import presets

OURS, THEIRS = "rotten-tomatoes", "csv"  # the presets that projects without and with files start from
Prompt = Callable[[str, str, list[str]], str]  # question, default, choices -> answer


def make(
    folder: Path, files: Sequence[Path], given: Given, preset: str | None, source: str | None, prompt: Prompt | None
) -> None:
    """Makes a project in `folder` for the user's files, or on the tutorial's data if there are none.

    given: what the user said about the files; prompt: how to ask for the rest, or None to accept what is proposed.
    Raises ParamsError, DataError or ArtifactError, with nothing written, for anything that cannot be used.
    """
    check_folder(folder)
    name = preset or (THEIRS if files else OURS)
    if name not in presets():
        raise ParamsError(f"--preset {name}: unknown{nearest(name, presets()).replace('known keys', 'known')}")
    base = preset_of(name).read_text(encoding="utf-8")
    if not files:
        if given != Given():
            raise ParamsError("options for a file, but no file; name it: textmill new FOLDER FILE ...")
        text = params_text(base, described(base), {})
        create(folder, None, lambda _: text, sources.find(source))
        return
    proposal = propose(files, given, str(INPUT))
    for line in proposal.lines():
        say(line)
    if prompt:
        proposal = ask(proposal, prompt)
    create(folder, proposal, params_for(proposal, base), sources.find(source))
