"""The command: `textmill predict`, `explain`, `info`, `check`, `why`, `repro`, `track`."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import textmill
from textmill.config import PARAMS
from textmill.console import say
from textmill.errors import INTERRUPTED, ArtifactError, DataError, ParamsError, TextmillError
from textmill.extras import naming_extras
from textmill.files import atomic

if TYPE_CHECKING:
    from textmill.classifier import Averaged, Classifier

BATCH = 10_000  # rows of a file that are held at a time
CELL = 2**31 - 1  # bytes that a text may have: the most that csv takes on every system

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=textmill.__doc__)
Bundle = Annotated[Path, typer.Argument(help="A model's folder, such as data/models/lstm.")]


@contextmanager
def one_line(command: str) -> Iterator[None]:
    """A user's mistake as one line and its exit code."""
    try:
        with naming_extras():
            yield
    except TextmillError as error:
        print(f"error: {command}: {' '.join(str(error).split())}", file=sys.stderr)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        rest = "; run it again to go on" if command in ("repro", "track") else ""
        print(f"{command}: interrupted{rest}", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:  # `textmill predict ... | head`
        sys.stderr.close()
        raise typer.Exit(0) from None


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


@app.command()
def predict(
    bundle: Bundle,
    texts: Annotated[
        list[str] | None,
        typer.Argument(help="Texts to label, after -- if one begins with -; without any, one a line from stdin."),
    ] = None,
    file: Annotated[Path | None, typer.Option(help="A csv file in UTF-8 to label.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where the labelled csv goes; without it, to the terminal.")] = None,
    column: Annotated[str, typer.Option(help="The csv's column of texts.")] = "text",
    separator: Annotated[str, typer.Option(help="What stands between the csv's cells.")] = ",",
    more: Annotated[
        list[Path] | None,
        typer.Option("--with", help="One more model's folder: probabilities are averaged. May be repeated."),
    ] = None,
) -> None:
    """Label texts: the label, then the probability of each class."""
    with one_line("predict"):
        if file and texts:
            raise ParamsError("give either texts or --file, not both")
        if out and not file:
            raise ParamsError("--out goes with --file")
        if file and out and file.resolve() == out.resolve():
            raise ParamsError(f"--out {out} is the input; name another file")
        if len(separator) != 1:
            raise ParamsError(f"--separator: expected one character, found {separator!r}")
        classifier = _averaged([bundle, *more]) if more else textmill.load(bundle)
        if file and out:
            with atomic(out) as temporary, open(temporary, "w", encoding="utf-8", newline="") as target:
                rows = _label_file(classifier, file, column, separator, csv.writer(target, delimiter=separator))
            say(f"predict: {rows:,} rows in {out}")
        elif file:
            writer = csv.writer(sys.stdout, delimiter=separator, lineterminator="\n")
            _label_file(classifier, file, column, separator, writer)
        else:
            typed = not texts and sys.stdin.isatty()  # whoever types a text waits for its label
            for batch in _batches(texts or _lines(), 1 if typed else BATCH):
                for scores in classifier.predict_proba(batch):
                    shares = "  ".join(
                        f"{label} {share:.4f}" for label, share in zip(classifier.labels, scores, strict=True)
                    )
                    say(f"{classifier.labels[int(scores.argmax())]}\t{shares}")


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
        from textmill.reproduce import reproduce

        reproduce(jobs)


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
def track() -> None:
    """Make the MLflow store agree with this folder's dvc.lock: what is there is kept, what is missing is written."""
    with one_line("track"):
        from textmill.config import load_section
        from textmill.timings import TIMINGS
        from textmill.tracking import TrackingConfig
        from textmill.tracking import track as project

        if load_section(PARAMS, "tracking", TrackingConfig).enabled:
            say(project(Path("dvc.lock"), Path("report/comparison.json"), TIMINGS))
        else:
            say("track: off (tracking.enabled: false)")


def _averaged(bundles: list[Path]) -> Averaged:
    from textmill.classifier import Averaged

    if len(set(bundles)) < len(bundles):
        raise ParamsError("--with names a model that is there already; name each once")
    return Averaged({path: textmill.load(path) for path in bundles})


def _label_file(classifier: Classifier | Averaged, path: Path, column: str, separator: str, writer: Any) -> int:
    """Copy a csv with `predicted` and `p:<label>` columns added; the number of rows."""
    try:
        source = open(path, encoding="utf-8-sig", newline="")  # noqa: SIM115
    except OSError as error:
        raise ArtifactError(f"{path}: {error.strerror}") from error
    csv.field_size_limit(CELL)
    added = ["predicted", *(f"p:{label}" for label in classifier.labels)]
    with source, _readable(path):
        reader = csv.reader(source, delimiter=separator)
        columns = next(reader, [])
        if columns.count(column) != 1:
            found = f"several columns '{column}'" if column in columns else f"no column '{column}'"
            raise ParamsError(f"{path}: {found} among {', '.join(columns) or 'none'}; see --column and --separator")
        if taken := set(columns) & set(added):
            raise DataError(f"{path}: there is a column '{min(taken)}' already; rename it")
        writer.writerow([*columns, *added])
        done, place = 0, columns.index(column)
        for batch in _batches(_rows(reader, path, len(columns)), BATCH):
            scores = classifier.predict_proba([row[place] for row in batch])
            for row, shares in zip(batch, scores, strict=True):
                writer.writerow([*row, classifier.labels[int(shares.argmax())], *(f"{share:.6f}" for share in shares)])
            done += len(batch)
    return done


def _rows(reader: Any, path: Path, width: int) -> Iterator[list[str]]:
    """Rows of a csv but empty lines. Raises DataError for one that has not as many cells as the header."""
    for row in filter(None, reader):
        if len(row) != width:
            raise DataError(f"{path}: line {reader.line_num}: {len(row)} cells, but the header has {width}")
        yield row


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 ({error.reason} near byte {error.start}); save it as UTF-8") from error
    except csv.Error as error:
        raise DataError(f"{path}: not a csv file ({error})") from error


def _lines() -> Iterator[str]:
    """Texts from stdin; what is not UTF-8 there becomes the replacement character."""
    sys.stdin.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]  # a TextIOWrapper
    yield from (line.rstrip("\r\n") for line in sys.stdin)


def _batches(items: Iterable, size: int) -> Iterator[list]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


if __name__ == "__main__":
    app(prog_name="textmill")
