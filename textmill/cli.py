"""The command: `textmill new`, `check`, `repro`, `why`, `verify`, `track`, `ui`, `upgrade`; `predict`, `explain`..."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

import textmill
from textmill.config import PARAMS
from textmill.console import counted, say
from textmill.errors import INTERRUPTED, ParamsError, ResourceError, TextmillError
from textmill.extras import naming_extras

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=textmill.__doc__)
Revision = Annotated[str, typer.Argument(metavar="[REV]", help="A commit with results: a branch, a tag, a hash.")]
Bundle = Annotated[Path, typer.Argument(help="A model's folder, such as data/models/lstm.")]


@contextmanager
def one_line(command: str) -> Iterator[None]:
    """A user's mistake as one line and its exit code."""
    try:
        with naming_extras():
            yield
            if sys.stdout:
                sys.stdout.flush()
    except TextmillError as error:
        if str(error):  # else a stage has told in a line of its own
            print(f"error: {command}: {' '.join(str(error).split())}", file=sys.stderr)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        rest = "; run it again to go on" if command in ("repro", "track") else ""
        print(f"{command}: interrupted{rest}", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:  # `textmill predict ... | head`
        _leave_stdout()
        raise typer.Exit(0) from None
    except OSError as error:  # a full disk behind stdout
        print(f"error: {command}: {error.filename or 'stdout'}: {error.strerror}", file=sys.stderr)
        _leave_stdout()
        raise typer.Exit(ResourceError.exit_code) from None


def _leave_stdout() -> None:
    """Let what is left of the output go nowhere: it would fail again when the process ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _tell_version(asked: bool) -> None:
    if asked:
        say(f"textmill {textmill.__version__}")
        raise typer.Exit


@app.callback()
def command(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """What may stand before a command."""
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # a project's families, as for its stages


@app.command()
def predict(
    bundle: Bundle,
    texts: Annotated[
        list[str] | None,
        typer.Argument(help="Texts to label, after -- if one begins with -; without any, one a line from stdin."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="A file to label: .csv, .tsv, .jsonl or .parquet, in UTF-8.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where it goes: .csv, .tsv or .jsonl; without it, to the terminal.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            help="The file's column of texts. May be repeated: they are joined.",
            show_default="those that the model was trained on",
        ),
    ] = None,
    separator: Annotated[
        str | None, typer.Option(help="What stands between the cells of csv.", show_default="a comma")
    ] = None,
    more: Annotated[
        list[Path] | None,
        typer.Option("--with", help="One more model's folder: probabilities are averaged. May be repeated."),
    ] = None,
    risk: Annotated[
        str | None,
        typer.Option(help="Share of the answers that may be wrong, say 0.05: what is less sure gets no label."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A record of json for each text, for programs.")] = False,
) -> None:
    """Label texts: the label, then the probability of each class (of more than 12, the likeliest ones)."""
    with one_line("predict"):
        from textmill import labelling
        from textmill.classifier import load_together
        from textmill.labelling.promise import parse_risk, promise

        _check_usage(texts, file, out, column, separator, as_json)
        allowed = None if risk is None else parse_risk(risk)
        if file and out:
            labelling.check_target(out, file)
        classifier = load_together([bundle, *(more or [])])
        promised = None if allowed is None else promise(classifier, allowed)
        above, told = promised and promised.above, labelling.Told()
        if file and out:
            told = labelling.to_file(classifier, file, out, column or [], separator or ",", above)
            say(f"predict: {told} in {out}")
        elif file:
            kind = labelling.shown_as(file, as_json)
            told = labelling.label_file(
                classifier, file, _stdout(), kind, column or [], separator or ",", above, end="\n"
            )
        else:
            typed = not texts and _stdin().isatty()  # whoever types a text waits for its label
            batch = 1 if typed else labelling.BATCH
            for line in labelling.label_texts(classifier, texts or _lines(), as_json, told, above, batch):
                print(line, flush=True) if as_json else say(line)
        if promised:
            print(f"predict: {promised.kept(told.answered, told.rows)}", file=sys.stderr)


@app.command()
def explain(
    bundle: Bundle,
    text: Annotated[str, typer.Argument(help="The text; - reads it from stdin.")],
    label: Annotated[str | None, typer.Option(help="What to explain; without it, the predicted label.")] = None,
    method: Annotated[
        str | None,
        typer.Option(help="weights (linear models, their default), occlusion (default of all others) or gradients."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Every token with its number, for programs.")] = False,
) -> None:
    """Which tokens of a text speak for a label, and which against it."""
    with one_line("explain"):
        from textmill.explain import as_dict
        from textmill.explain import explain as attribute
        from textmill.explain.view import show

        found = attribute(textmill.load(bundle), "\n".join(_lines()) if text == "-" else text, label, method)
        if as_json:
            print(json.dumps(as_dict(found), indent=2))
        else:
            show(found)


@app.command()
def info(bundle: Bundle) -> None:
    """What a bundle is: labels, sizes, settings and digests."""
    with one_line("info"):
        classifier = textmill.load(bundle)
        config = classifier.config
        parameters = sum(int(tensor.size) for tensor in classifier.model.tensors().values())
        facts = {
            "name": config.name,
            "labels": ", ".join(classifier.labels),
            "vocabulary": f"{config.vocabulary:,} ids",
            "parameters": f"{parameters:,}",
            **{f"model.{key}": json.dumps(value) for key, value in config.model.items()},
            **{f"train.{key}": json.dumps(value) for key, value in (config.train or {}).items()},
            "seed": str(config.seed),
            "other seeds": ", ".join(str(other.seed) for other in config.others) or "none",
            **{f"validation.{key}": str(value) for key, value in config.validation.items()},
            "temperature": f"{config.calibration.temperature:g}",
            "weights": config.weights,
            "tokenizer": config.tokenizer,
        }
        width = max(map(len, facts))
        for key, value in facts.items():
            say(f"{key:{width}}  {value}")


@app.command()
def check(
    params: Annotated[Path, typer.Argument(help="The params file.")] = PARAMS,
    show: Annotated[bool, typer.Option("--show", help="Print all that applies, defaults written out.")] = False,
) -> None:
    """Check params.yaml as a whole: every key, every range, models and their tokenizers; then look at the data."""
    with one_line("check"):
        from textmill.check import check_params
        from textmill.config import as_yaml

        whole = check_params(params)
        if show:
            print(as_yaml(whole), end="")
            return
        say(f"check: {params} has no error")
        from textmill.look.checking import data_lines

        for line in data_lines(whole):
            say(f"check: {line}")


@app.command()
def repro(
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", min=1, show_default="cores / threads of params.yaml", help="Models at a time."),
    ] = None,
) -> None:
    """What `dvc repro` does, with the models side by side: run what changed, in params, data or code."""
    with one_line("repro"):
        from textmill.report.table import LATER, look_next, retell
        from textmill.reproduce import reproduce

        os.environ[LATER] = "1"
        ran = reproduce(jobs)
        from textmill.verify import after_repro

        compared = Path("report/comparison.json")
        if ran and compared.is_file():
            retell(compared, Path("metrics/models"))
        for line in after_repro(Path()):
            say(line)
        _sign()
        if compared.is_file():
            say(look_next(compared.with_name("index.html")))


@app.command()
def verify(revision: Revision = "HEAD") -> None:
    """Does this folder hold the results that a commit says? Exit code 1 where something is off."""
    with one_line("verify"):
        from textmill import verify as receipts

        if not receipts.show(receipts.check(revision, Path())):
            raise typer.Exit(1)


@app.command()
def report(
    out: Annotated[Path, typer.Option(help="Where the copy goes.")] = Path("report/signed.html"),
) -> None:
    """A copy of report/index.html to send: with the commit that it is of, and what training took."""
    with one_line("report"):
        from textmill.review.signing import PAGE, sign

        if out.resolve() == PAGE.resolve():
            raise ParamsError(f"--out {out}: that is what DVC holds; name another file")
        signature = sign(Path(), out)
        of = f"commit {signature.commit[:7]}" if signature.commit else "no commit"
        more = f" and {counted(len(signature.changed), 'changed file', 'changed files')}" if signature.changed else ""
        say(f"report: {out} is {PAGE} with {of}{more}, and with the seconds")


@app.command()
def compare(revision: Revision = "HEAD") -> None:
    """What changed since a commit, in params and in scores, as markdown for a pull request."""
    with one_line("compare"):
        from textmill.review.changes import changes
        from textmill.review.markdown import lines

        for line in lines(changes(revision, Path())):
            say(line)


@app.command()
def why(
    stage: Annotated[str | None, typer.Argument(help="Such as train@lstm, or train; without it, all.")] = None,
) -> None:
    """What changed since dvc.lock, and which stages will run because of it, before they run."""
    with one_line("why"):
        from textmill.reproduce import dvc

        for line in dvc.why(stage):
            say(line)


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(help="The project's folder: a new or an empty one.")],
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Your texts: a table, a file for each split or each class, or an archive of these."),
    ] = None,
    text: Annotated[list[str] | None, typer.Option(help="The column of the text; given twice, both are read.")] = None,
    label: Annotated[str | None, typer.Option(help="The column of the class.")] = None,
    group: Annotated[str | None, typer.Option(help="A column of what must not be split up, say author.")] = None,
    split: Annotated[str | None, typer.Option(help="A column that says train, validation or test.")] = None,
    id: Annotated[str | None, typer.Option(help="A column that names each row once.")] = None,
    name: Annotated[str | None, typer.Option(help="What reports and MLflow call the data.")] = None,
    format: Annotated[str | None, typer.Option(help="csv, tsv, json, jsonl, txt, parquet or fasttext.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Such as utf-8 or cp1252.")] = None,
    separator: Annotated[str | None, typer.Option(help="What stands between the cells of csv.")] = None,
    quotes: Annotated[str | None, typer.Option(help="double, or none: a quote is a character like others.")] = None,
    header: Annotated[
        list[str] | None, typer.Option(help="The columns of a file that does not name them, one after the other.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Take what is proposed, and ask nothing.")] = False,
    preset: Annotated[
        str | None,
        typer.Option(help="Our params file to start from.", show_default="csv, or our own data without files"),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--textmill", help="What it is pinned to: a wheel, a checkout, or an address with a hash.",
                     show_default="where the running one came from"),
    ] = None,
) -> None:  # fmt: skip
    """Make a project of your own: git and DVC, params for your files, stages, tests, and a pin to this textmill."""
    with one_line("new"):
        from textmill.look.proposal import Told
        from textmill.project import making

        told = Told(text or [], label, group, split, id, name, format, encoding, separator, quotes, header or None)
        making.make(folder, files or [], told, preset, source, None if yes else _asked)
        say(f"new: {folder} is a project. Next:")
        enter = [] if folder.resolve() == Path.cwd() else [f"cd {shlex.quote(str(folder))}"]
        for line in (*enter, "dvc repro", 'git add -A && git commit -m "First results"'):
            say(f"  {line}")


def _asked(question: str, default: str, choices: list[str]) -> str:
    """A person's answer. Raises ParamsError where there is no terminal to ask in."""
    if not sys.stdin.isatty():
        raise ParamsError(f"{question} No terminal to ask in: name the column, or take what is proposed with --yes")
    try:
        return typer.prompt(f"{question} [{', '.join(choices)}]", default)
    except typer.Abort:
        raise KeyboardInterrupt from None


@app.command()
def upgrade(
    apply: Annotated[bool, typer.Option("--apply", help="Do it; without this, it is only told.")] = False,
    source: Annotated[
        str | None,
        typer.Option("--textmill", help="What the project is pinned to then: a wheel, a checkout, an address.",
                     show_default="where the running one came from"),
    ] = None,
) -> None:  # fmt: skip
    """Move this project to the textmill that runs: what changes in its files, and which stages will run again."""
    with one_line("upgrade"):
        from textmill.project import source as sources
        from textmill.project import upgrade as upgrades

        plan = upgrades.plan(Path(), sources.find(source))
        for line in upgrades.told(plan):
            say(line)
        if apply:
            upgrades.apply(Path(), plan)
            say("upgrade: done; look at it with git diff, then: dvc repro")


@app.command()
def track(
    rev: Annotated[str | None, typer.Option(help="A commit's results instead: a branch, a tag, a hash.")] = None,
    all_commits: Annotated[bool, typer.Option("--all-commits", help="Those of every commit, then HEAD's.")] = False,
) -> None:
    """Make the MLflow store agree with this folder's dvc.lock: what is there is kept, what is missing is written."""
    with one_line("track"):
        if rev is not None and all_commits:
            raise ParamsError("give either --rev or --all-commits, not both")
        _track(rev, all_commits)


@app.command()
def ui(port: Annotated[int, typer.Option(min=1, max=65535, help="Of this machine alone.")] = 5000) -> None:
    """Show all runs in MLflow's pages, on http://127.0.0.1:5000; the store is made first if it is not there."""
    with one_line("ui"):
        from textmill.tracking.server import serve
        from textmill.tracking.store import database, store_uri

        if (file := database(store_uri(Path()))) and not file.exists():
            _track()
        serve(Path(), port)


def _sign() -> None:
    """After a run: what can be signed is; a run that left something out has told why."""
    from textmill.review.signing import SIGNED, sign

    try:
        sign(Path())
    except TextmillError:
        return
    say(f"repro: {SIGNED} is the report with its commit and seconds")


def _track(rev: str | None = None, all_commits: bool = False) -> None:
    from textmill import tracking
    from textmill.config import load_section

    if not load_section(PARAMS, "tracking", tracking.TrackingConfig).enabled:
        say("track: off (tracking.enabled: false)")
    elif all_commits:
        for line in tracking.track_all(Path()):
            say(line)
    elif rev is not None:
        say(tracking.track_commit(rev, Path()))
    else:
        say(tracking.track(Path("dvc.lock"), Path("report/comparison.json"), Path("metrics/models")))


def _check_usage(
    texts: list[str] | None, file: Path | None, out: Path | None, column: list[str] | None, separator: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Raise ParamsError for options of `predict` that do not go together."""
    if file and texts:
        raise ParamsError("give either texts or --file, not both")
    for name, given in {"--out": out, "--column": column, "--separator": separator}.items():
        if given is not None and not file:
            raise ParamsError(f"{name} goes with --file")
    if out and as_json:
        raise ParamsError("--json is for the terminal; name --out something.jsonl")
    if separator is not None and (len(separator) != 1 or separator in '"\r\n\0 '):
        raise ParamsError(f"--separator: expected one character, found {separator!r}")


def _lines() -> Iterator[str]:
    """Texts from stdin; what is not UTF-8 there becomes the replacement character."""
    stdin: Any = _stdin()  # a TextIOWrapper
    stdin.reconfigure(encoding="utf-8", errors="replace")
    yield from (line.rstrip("\r\n") for line in stdin)


def _stdin() -> TextIO:
    if sys.stdin is None:
        raise ParamsError("stdin is closed; give texts, or --file")
    return sys.stdin


def _stdout() -> TextIO:
    if sys.stdout is None:
        raise ResourceError("stdout is closed; name --out")
    stdout: Any = sys.stdout
    stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    return sys.stdout


if __name__ == "__main__":
    app(prog_name="textmill")
