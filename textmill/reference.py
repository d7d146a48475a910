"""Pages of the docs that are made from the code: the command, exit codes, where each module is, and the notebook.

Run: `python -m textmill.reference`, in the checkout.
"""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from textmill import errors
from textmill.files import write_text

ROOT = Path(__file__).parents[1]
NOTE = "\n<!-- Made by `make reference` from the code: edit the texts there. -->\n"

COMMAND = """# The command

`textmill` and `python -m textmill` are the same. `textmill COMMAND --help` prints what is on this page.
Errors are one line on stderr; [exit codes](exit-codes.md) say what kind of error it was.
"""

CODES = """# Exit codes

Every command and every stage ends with one of these codes. An error is one line on stderr: which command, where,
what is wrong, and what to do.

```text
error: clean: data/raw/reviews.csv, row 418: label is empty; fix the row, or set clean.on_bad_row: drop
```

| code | class | meaning |
| --- | --- | --- |
| 0 | | Done. |
| 1 | | `verify` found a difference that matters, or there is a bug: then you see a traceback. |
"""

MODULES = """# Where each module is

A line for each stage and each module, from its docstring. Stages open and write files; the modules of `textmill/`
compute. A stage's imports show what it calls.
"""


def pages() -> dict[str, str]:
    """Returns the text of each page by its path in the checkout."""
    return {
        "docs/reference/command.md": command(),
        "docs/reference/exit-codes.md": exit_codes(),
        "docs/reference/modules.md": modules(),
        "docs/tutorial/notebook.md": notebook(),
    }


def command() -> str:
    """Returns the page of `textmill` and its commands."""
    import typer

    from textmill.cli import app

    group: Any = typer.main.get_command(app)
    parts = [COMMAND]
    for name, one in group.commands.items():
        context = one.make_context(name, [], resilient_parsing=True)
        words = ["textmill", name, "[OPTIONS]", *map(_argument, one.params)]
        usage = " ".join(filter(None, words))
        parts.append(f"\n## textmill {name}\n\n{one.help}\n\n```text\n{usage}\n```\n\n")
        rows = [(_name(param), record[1]) for param in one.params if (record := param.get_help_record(context))]
        if rows:
            parts.append("| argument or option | meaning |\n| --- | --- |\n")
            parts += [f"| `{name}` | {_cell(meaning)} |\n" for name, meaning in rows]
    return "".join([*parts, NOTE])


def exit_codes() -> str:
    """Returns the page of exit codes."""
    rows = [
        f"| {one.exit_code} | `{one.__name__}` | {one.__doc__} |\n"
        for one in errors.TextmillError.__subclasses__()
        if one.__module__ == errors.__name__
    ]
    rows.append(f"| {errors.INTERRUPTED} | | Interrupted. Run it again: it continues where it stopped. |\n")
    rest = "\nThe classes are in `textmill.errors`; all of them are `textmill.errors.TextmillError`.\n"
    return "".join([CODES, *rows, rest, NOTE])


def modules() -> str:
    """Returns the page with a line for each stage, and for each module by room."""
    parts, rooms = [MODULES], dict[str, list[str]]()
    files = [path.relative_to(ROOT) for room in ("stages", "textmill") for path in (ROOT / room).rglob("*.py")]
    for path in sorted(path for path in files if "template" not in path.parts):
        room = path.parent.as_posix()
        line = f"| [`{path.name}`](../../{path.as_posix()}) | {_cell(_first(path))} |\n"
        rooms.setdefault(room, []).append(line)
    for room in sorted(rooms):
        parts.append(f"\n## {room}\n\n| module | what it is |\n| --- | --- |\n")
        parts += rooms[room]
    return "".join([*parts, NOTE])


def notebook() -> str:
    """Returns the notebook's cells as a page."""
    cells = json.loads((ROOT / "docs/tutorial/notebook.ipynb").read_text(encoding="utf-8"))["cells"]
    return "".join([*_cells(cells), NOTE]).lstrip()


def _name(param: Any) -> str:
    return ", ".join(param.opts) if param.param_type_name == "option" else str(param.name).upper()


def _argument(param: Any) -> str:
    """An argument as the usage names it; options have no place there."""
    if param.param_type_name == "option":
        return ""
    name = f"{_name(param)}{'...' if param.nargs == -1 else ''}"
    return name if param.required else f"[{name.strip('[]')}]"


def _cells(cells: list[dict[str, Any]]) -> Iterator[str]:
    for number, cell in enumerate(cells):
        text = "".join(cell["source"])
        yield f"\n```python\n{text}\n```\n" if cell["cell_type"] == "code" else f"\n{text}\n"
        if not number:
            yield "\nThe same as a notebook: [notebook.ipynb](notebook.ipynb).\n"


def _first(path: Path) -> str:
    """The first line of a module's docstring."""
    text = ast.get_docstring(ast.parse((ROOT / path).read_text(encoding="utf-8")))
    return (text or "").partition("\n")[0]


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    for page, text in pages().items():
        write_text(ROOT / page, text)
