"""The `textmill` command and its subcommands."""

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
from textmill import failures
from textmill.config import PARAMS
from textmill.console import counted, say
from textmill.errors import INTERRUPTED, ParamsError, ResourceError, TextmillError
from textmill.extras import naming_extras

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=textmill.__doc__)
Revision = Annotated[str, typer.Argument(metavar="[REV]", help="A commit with results: a branch, a tag or a hash.")]
Bundle = Annotated[Path, typer.Argument(help="A model's folder, such as data/models/lstm.")]


@contextmanager
def one_line(command: str) -> Iterator[None]:
    """Reports a user's mistake as one line, and exits with its code."""
    try:
        with naming_extras():
            yield
            if sys.stdout:
                sys.stdout.flush()
    except KeyboardInterrupt:
        rest = "; run it again to continue" if command in ("repro", "track") else ""
        print(f"{command}: interrupted{rest}", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:  # `textmill predict ... | head`
        _leave_stdout()
        raise typer.Exit(0) from None
    except (typer.Exit, SystemExit, GeneratorExit):  # with an exit code of its own
        raise
    except BaseException as error:  # polars' panics are no Exceptions
        if failures.debugging():
            raise
        if isinstance(error, OSError) and not error.filename:
            error.filename = "stdout"
        failure = failures.explain(error, command)
        if str(failure):  # otherwise the stage has printed its own line
            print(failures.line(command, failure), file=sys.stderr)
        if isinstance(error, OSError):  # it may be stdout's disk that is full
            _leave_stdout()
        raise typer.Exit(failure.exit_code) from None


def _leave_stdout() -> None:
    """Redirects stdout to nowhere: flushing the rest would fail again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _print_version(asked: bool) -> None:
    if asked:
        say(f"textmill {textmill.__version__}")
        raise typer.Exit


@app.callback()
def command(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Handles the options that come before a subcommand."""
    failures.print_in_any_locale()
    if debug:
        os.environ["TEXTMILL_DEBUG"] = "1"  # for the stages, too
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # so that a project's families are found


@app.command()
def predict(
    bundle: Bundle,
    texts: Annotated[
        list[str] | None,
        typer.Argument(help="Texts to label, after -- if one begins with -. Default: one per line of stdin."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="A file of texts to label: .csv, .tsv, .jsonl or .parquet, in UTF-8.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where to write the labels: .csv, .tsv or .jsonl. Default: the terminal.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            help="The column to read. Repeat to join several.",
            show_default="the columns that the model was trained on",
        ),
    ] = None,
    separator: Annotated[
        str | None, typer.Option(help="The character between cells of a csv.", show_default="a comma")
    ] = None,
    more: Annotated[
        list[Path] | None,
        typer.Option("--with", help="Another model's folder; probabilities are averaged. Repeat for more."),
    ] = None,
    risk: Annotated[
        str | None,
        typer.Option(help="The share of answers that may be wrong, such as 0.05. Less confident texts get no label."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per text, for programs.")] = False,
) -> None:
    """Label texts: print the label, then the probability of each class (of more than 12, the highest ones)."""
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
        above, counts = promised and promised.above, labelling.Counts()
        if file and out:
            counts = labelling.to_file(classifier, file, out, column or [], separator or ",", above)
            say(f"predict: {counts} in {out}")
        elif file:
            kind = labelling.terminal_format(file, as_json)
            counts = labelling.label_file(
                classifier, file, _stdout(), kind, column or [], separator or ",", above, end="\n"
            )
        else:
            typed = not texts and _stdin().isatty()  # someone who types a text waits for its label
            batch = 1 if typed else labelling.BATCH
            for line in labelling.label_texts(classifier, texts or _lines(), as_json, counts, above, batch):
                print(line, flush=True) if as_json else say(line)
        if promised:
            print(f"predict: {promised.line(counts.answered, counts.rows)}", file=sys.stderr)


@app.command()
def explain(
    bundle: Bundle,
    text: Annotated[str, typer.Argument(help="The text; - reads it from stdin.")],
    label: Annotated[str | None, typer.Option(help="The label to explain. Default: the predicted one.")] = None,
    method: Annotated[
        str | None,
        typer.Option(help="weights (default for linear models), occlusion (default for the others) or gradients."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print tokens and scores as JSON, for programs.")] = False,
) -> None:
    """Show which tokens of a text count for a label, and which against it."""
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
    """Show what is in a model's folder: labels, sizes, settings and digests."""
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
    show: Annotated[bool, typer.Option("--show", help="Print the params with every default written out.")] = False,
) -> None:
    """Check params.yaml: keys, ranges, and whether its parts fit together. Then look at the data files."""
    with one_line("check"):
        from textmill.check import check_params
        from textmill.config import as_yaml
        from textmill.lastgood import restore

        restore()
        whole = check_params(params)
        if show:
            print(as_yaml(whole), end="")
            return
        say(f"check: {params} has no errors")
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
    """Run what changed in params, data or code, like `dvc repro`, but train models in parallel."""
    with one_line("repro"):
        from textmill.report.table import LATER, look_next, reprint_table
        from textmill.reproduce import reproduce

        os.environ[LATER] = "1"
        ran = reproduce(jobs)
        from textmill.verify import after_repro

        compared = Path("report/comparison.json")
        if ran and compared.is_file():
            reprint_table(compared, Path("metrics/models"))
        for line in after_repro(Path()):
            say(line)
        _sign()
        if compared.is_file():
            say(look_next(compared.with_name("index.html")))


@app.command()
def verify(
    revision: Revision = "HEAD",
    cache: Annotated[bool, typer.Option("--cache", help="Check every file of DVC's cache instead.")] = False,
) -> None:
    """Check whether this folder holds the results of a commit (exit code 1 if something differs)."""
    with one_line("verify"):
        from textmill import verify as receipts

        if not (receipts.check_cache(Path()) if cache else receipts.show(receipts.check(revision, Path()))):
            raise typer.Exit(1)


@app.command()
def report(
    out: Annotated[Path, typer.Option(help="Where to write the copy.")] = Path("report/signed.html"),
) -> None:
    """Write a copy of report/index.html to send to others, with its commit and training times."""
    with one_line("report"):
        from textmill.review.signing import PAGE, sign

        if out.resolve() == PAGE.resolve():
            raise ParamsError(f"--out {out}: this is the page that DVC tracks; name another file")
        signature = sign(Path(), out)
        of = f"commit {signature.commit[:7]}" if signature.commit else "no commit"
        more = f" and {counted(len(signature.changed), 'changed file', 'changed files')}" if signature.changed else ""
        say(f"report: {out} is {PAGE} with {of}{more} and the training times")


@app.command()
def compare(revision: Revision = "HEAD") -> None:
    """Show what changed since a commit in params and scores, as Markdown for a pull request."""
    with one_line("compare"):
        from textmill.review.changes import changes
        from textmill.review.markdown import lines

        for line in lines(changes(revision, Path())):
            say(line)


@app.command()
def why(
    stage: Annotated[str | None, typer.Argument(help="A stage, such as train@lstm or train. Default: all.")] = None,
) -> None:
    """Show which stages would run, and what changed since dvc.lock to cause it."""
    with one_line("why"):
        from textmill.reproduce import dvc

        for line in dvc.why(stage):
            say(line)


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(help="The project's folder: new or empty.")],
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Your data: a table, one file per split or per class, or an archive of these."),
    ] = None,
    text: Annotated[list[str] | None, typer.Option(help="The column with the text. Repeat to join several.")] = None,
    label: Annotated[str | None, typer.Option(help="The column with the label.")] = None,
    group: Annotated[str | None, typer.Option(help="A column of what must stay together, such as author.")] = None,
    split: Annotated[str | None, typer.Option(help="A column that holds train, validation or test.")] = None,
    id: Annotated[str | None, typer.Option(help="A column with a unique name for each row.")] = None,
    name: Annotated[str | None, typer.Option(help="The name of the data in reports and MLflow.")] = None,
    format: Annotated[str | None, typer.Option(help="csv, tsv, json, jsonl, txt, parquet or fasttext.")] = None,
    encoding: Annotated[str | None, typer.Option(help="The files' encoding, such as utf-8 or cp1252.")] = None,
    separator: Annotated[str | None, typer.Option(help="The character between cells of a csv.")] = None,
    quotes: Annotated[str | None, typer.Option(help="double, or none (a quote is an ordinary character).")] = None,
    header: Annotated[
        list[str] | None, typer.Option(help="The column names of a file without a header. Repeat for each, in order.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Accept what is proposed, and ask nothing.")] = False,
    preset: Annotated[
        str | None,
        typer.Option(help="The preset to start from.", show_default="csv, or the tutorial's data if you name no files"),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--textmill", help="The textmill to pin: a wheel, a checkout, or a URL with a hash.",
                     show_default="the one that is running"),
    ] = None,
) -> None:  # fmt: skip
    """Make a project of your own: git, DVC, params for your files, stages, tests, and a pinned textmill."""
    with one_line("new"):
        from textmill.look.proposal import Given
        from textmill.project import making

        given = Given(text or [], label, group, split, id, name, format, encoding, separator, quotes, header or None)
        making.make(folder, files or [], given, preset, source, None if yes else _asked)
        say(f"new: {folder} is a project. Next:")
        enter = [] if folder.resolve() == Path.cwd() else [f"cd {shlex.quote(str(folder))}"]
        for line in (*enter, "dvc repro", 'git add -A && git commit -m "First results"'):
            say(f"  {line}")


def _asked(question: str, default: str, choices: list[str]) -> str:
    """Returns a person's answer. Raises ParamsError if there is no terminal to ask in."""
    if not sys.stdin.isatty():
        raise ParamsError(f"{question} No terminal to ask in: name the column, or accept the proposal with --yes")
    try:
        return typer.prompt(f"{question} [{', '.join(choices)}]", default)
    except typer.Abort:
        raise KeyboardInterrupt from None


@app.command()
def upgrade(
    apply: Annotated[bool, typer.Option("--apply", help="Make the changes. Without it, they are only listed.")] = False,
    source: Annotated[
        str | None,
        typer.Option("--textmill", help="The textmill to move to: a wheel, a checkout, or a URL with a hash.",
                     show_default="the one that is running"),
    ] = None,
) -> None:  # fmt: skip
    """Move this project to the running textmill: show what changes in its files, and which stages will run again."""
    with one_line("upgrade"):
        from textmill.project import source as sources
        from textmill.project import upgrade as upgrades

        plan = upgrades.plan(Path(), sources.find(source))
        for line in upgrades.lines(plan):
            say(line)
        if apply:
            upgrades.apply(Path(), plan)
            say("upgrade: done. Review it with git diff, then run: dvc repro")


@app.command()
def track(
    rev: Annotated[str | None, typer.Option(help="Record this commit instead: a branch, a tag or a hash.")] = None,
    all_commits: Annotated[bool, typer.Option("--all-commits", help="Record every commit, HEAD last.")] = False,
) -> None:
    """Record this folder's results in MLflow, keeping the runs that are already there."""
    with one_line("track"):
        if rev is not None and all_commits:
            raise ParamsError("give either --rev or --all-commits, not both")
        _track(rev, all_commits)


@app.command()
def ui(
    port: Annotated[
        int, typer.Option(min=1, max=65535, help="The port of the pages, which only this machine can open.")
    ] = 5000,
    allowed_hosts: Annotated[
        str | None,
        typer.Option(help="Also answer under these names, with commas between them, for a proxy on this machine."),
    ] = None,
) -> None:
    """Show all runs in MLflow's pages, on http://127.0.0.1:5000; create the store first if it is missing."""
    with one_line("ui"):
        from textmill.tracking.server import serve
        from textmill.tracking.store import database, store_uri

        if (file := database(store_uri(Path()))) and not file.exists():
            _track()
        serve(Path(), port, allowed_hosts)


def _sign() -> None:
    """Signs the report after a run, where possible. If not, the run has already said why."""
    from textmill.review.signing import SIGNED, sign

    try:
        sign(Path())
    except TextmillError:
        return
    say(f"repro: {SIGNED} is the report with its commit and training times")


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
    """Raises ParamsError for options of `predict` that exclude each other."""
    if file and texts:
        raise ParamsError("give either texts or --file, not both")
    for name, given in {"--out": out, "--column": column, "--separator": separator}.items():
        if given is not None and not file:
            raise ParamsError(f"{name} needs --file")
    if out and as_json:
        raise ParamsError("--json is for the terminal; for a file, use --out NAME.jsonl")
    if separator is not None and (len(separator) != 1 or separator in '"\r\n\0 '):
        raise ParamsError(f"--separator: expected one character, found {separator!r}")


def _lines() -> Iterator[str]:
    """Yields texts from stdin. Bytes that are not UTF-8 become the replacement character."""
    stdin: Any = _stdin()  # a TextIOWrapper
    stdin.reconfigure(encoding="utf-8", errors="replace")
    yield from (line.rstrip("\r\n") for line in stdin)


def _stdin() -> TextIO:
    if sys.stdin is None:
        raise ParamsError("stdin is closed; give texts, or --file")
    return sys.stdin


def _stdout() -> TextIO:
    if sys.stdout is None:
        raise ResourceError("stdout is closed; use --out")
    stdout: Any = sys.stdout
    stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    return sys.stdout


if __name__ == "__main__":
    app(prog_name="textmill")
