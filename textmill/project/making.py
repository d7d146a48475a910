"""`textmill new` as a whole: what is given is checked, looked at and asked about before anything is written."""

from collections.abc import Callable, Sequence
from pathlib import Path

from textmill.config import nearest
from textmill.console import say
from textmill.errors import ParamsError
from textmill.look.finding import propose
from textmill.look.proposal import Told, ask
from textmill.project import source as sources
from textmill.project.data import params_for
from textmill.project.new import INPUT, check_folder, create
from textmill.project.params import described, params_text
from textmill.project.template import preset as preset_of
from textmill.project.template import presets

OURS, THEIRS = "rotten-tomatoes", "csv"  # what a project without and with files starts from
Prompt = Callable[[str, str, list[str]], str]  # question, default, choices -> answer


def make(
    folder: Path, files: Sequence[Path], told: Told, preset: str | None, source: str | None, prompt: Prompt | None
) -> None:
    """A project in `folder` for the user's files, or on our own data where there are none.

    told: what the user said of the files; prompt: how to ask the rest, None: take what is proposed.
    Raises ParamsError, DataError or ArtifactError for what cannot be used; nothing is written then.
    """
    check_folder(folder)
    name = preset or (THEIRS if files else OURS)
    if name not in presets():
        raise ParamsError(f"--preset {name}: unknown{nearest(name, presets()).replace('known keys', 'known')}")
    base = preset_of(name).read_text(encoding="utf-8")
    if not files:
        if told != Told():
            raise ParamsError("columns, but no file; name the file: textmill new FOLDER FILE ...")
        text = params_text(base, described(base), {})
        create(folder, None, lambda _: text, sources.find(source))
        return
    proposal = propose(files, told, str(INPUT))
    for line in proposal.told():
        say(line)
    if prompt:
        proposal = ask(proposal, prompt)
    create(folder, proposal, params_for(proposal, base), sources.find(source))
