"""Starts a stage, as DVC does: `python -m textmill.stage NAME PATH...`.

Importing a stage takes up to 4 seconds. Signals, the parent's death, the lock, the door and one-line errors are set up
before that. Nothing here computes, so no stage runs again when this changes: see `textmill.code.stages`.
"""

import importlib
import inspect
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from textmill import failures
from textmill.console import say
from textmill.errors import INTERRUPTED, ParamsError
from textmill.extras import naming_extras
from textmill.guardian import watch
from textmill.pin import check_pin
from textmill.processes import FIRST, alone, end_with_parent, interrupt_once

Main = Callable[..., None]


def run(name: str | Main, load: Callable[[], Main] | None = None, words: Sequence[str] = ()) -> None:
    """Loads a stage, calls its main with the command line's arguments, prints the time, and exits with the right code.

    Arguments are positional; each is converted to the type that main declares (Path or str). An error ends as one line
    on stderr; `--debug`, or TEXTMILL_DEBUG=1 in the environment, shows its traceback. A project of an older
    version has scripts that call it with their main alone: that also is an error.
    """
    name = os.environ.get("DVC_STAGE", name if isinstance(name, str) else Path(sys.argv[0]).stem)
    interrupt_once(second_ends=True)
    failures.print_in_any_locale()
    try:
        end_with_parent()
        check_pin(Path())
        if load is None:
            raise ParamsError("this project was made with an older textmill; move it to this one: textmill upgrade")
        with naming_extras(), alone(name) if FIRST else _silent():
            if FIRST and "DVC_STAGE" in os.environ:
                _check(name)
            main = load()
            started = time.monotonic()
            main(*_arguments(main, words))
            say(f"{name}: {time.monotonic() - started:.1f} s")
    except KeyboardInterrupt:
        print(f"{name}: interrupted; run it again to continue", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except SystemExit:
        raise
    except BaseException as error:  # polars' panics are no Exceptions
        if failures.debugging():
            raise
        failure = failures.explain(error, name)
        print(failures.line(name, failure), file=sys.stderr)
        sys.exit(failure.exit_code)


def _check(name: str) -> None:
    """Raises an error if a stage's outputs cannot be written or its inputs are not what their producers wrote."""
    from textmill import dag
    from textmill.config import PARAMS, load_params
    from textmill.intact import check_inputs
    from textmill.lastgood import keep
    from textmill.outputs import check_writable

    pipeline, params = dag.load_pipeline(dag.PIPELINE), load_params(PARAMS)
    check_writable(dag.outputs(name, pipeline, params))
    check_inputs(name, pipeline, params)
    keep()


def _main_of(script: str) -> Main:
    """Imports a stage's main. Raises ParamsError if there is no such stage in this folder."""
    module = f"stages.{script}"
    try:
        main: Main = importlib.import_module(module).main
    except ModuleNotFoundError as error:
        if error.name not in ("stages", module):
            raise
        raise ParamsError(f"stages/{script}.py: no such stage; run this in the folder with dvc.yaml") from error
    return main


def _arguments(main: Main, words: Sequence[str]) -> list[Path | str]:
    words = [word for word in words if word != "--debug"]
    parameters = [p for p in inspect.signature(main).parameters.values() if p.default is p.empty]
    if len(words) != len(parameters):
        raise ParamsError(
            f"expected {len(parameters)} arguments ({', '.join(p.name for p in parameters)}), found {len(words)}"
        )
    return [parameter.annotation(word) for parameter, word in zip(parameters, words, strict=True)]


@contextmanager
def _silent() -> Iterator[None]:
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        yield


if __name__ == "__main__":
    script = (sys.argv[1:] or [""])[0]
    watch(os.environ.get("DVC_STAGE", script), lambda: run(script or "stage", lambda: _main_of(script), sys.argv[2:]))
