"""Digests of code: comments do not change them, edits that matter always do."""

import ast
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from textmill.code.closure import Closure
from textmill.code.meaning import meaning
from textmill.code.stages import listings
from textmill.errors import ParamsError
from textmill.files import write_text

MODULE = '''
"""What a module is for."""

from typing import TYPE_CHECKING

from textmill.console import say

if TYPE_CHECKING:
    from pathlib import Path

LIMIT: int = 3


class Config:
    """Keys."""

    size: int  # of a thing


def double(number: int, names: list[str]) -> int:
    """Twice."""
    found: list[int] = [number]
    say(f"double: {len(names):,} of {', '.join(names)}")
    say(str(work(number)))
    if number > LIMIT:
        raise ValueError(f"{number} is more than {LIMIT}; lower it")
    return 2 * found[0]
'''


def of(source: str) -> str:
    return meaning(ast.parse(source))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("LIMIT: int = 3", "LIMIT: int = 3  # a comment"),
        ("LIMIT: int = 3", "\n\n\nLIMIT: int = (3)"),
        ('"""What a module is for."""', '"""Something else."""'),
        ('    """Twice."""\n', ""),
        ("number: int, names: list[str]) -> int:", "number: float, names) -> float:"),
        ("found: list[int] = [number]", "found = [number]"),
        ("of {', '.join(names)}", "in {'; '.join(names)} now"),
        ("    say(f\"double: {len(names):,} of {', '.join(names)}\")\n", ""),
        ("is more than {LIMIT}; lower it", "is too much"),
        ("    from pathlib import Path\n", "    from os import PathLike\n    from pathlib import Path\n"),
        ("size: int  # of a thing", "size: int"),
    ],
)
def test_what_only_people_read_changes_nothing(before, after):
    assert MODULE.count(before) == 1
    assert of(MODULE.replace(before, after)) == of(MODULE)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("LIMIT: int = 3", "LIMIT: int = 4"),
        ("size: int  #", "size: float  #"),  # pydantic reads it
        ("2 * found[0]", "found[0] * 2"),
        ("number > LIMIT", "number >= LIMIT"),
        ("raise ValueError(", "raise KeyError("),
        ("work(number)", "work(number + 1)"),  # a printed line may do something
        ("from textmill.console import say", "from textmill.console import progress as say"),
        ("def double(number: int, names: list[str])", "def double(names: list[str], number: int)"),
        ("    if number > LIMIT:", "    if True:"),
    ],
)
def test_what_runs_counts(before, after):
    assert MODULE.count(before) == 1
    assert of(MODULE.replace(before, after)) != of(MODULE)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('say(write("a"))', 'say(write("b"))'),
        ('say(f"{path.replace(a)}")', 'say(f"{path.replace(b)}")'),
        ('say(f"{(n := 1)}")', 'say(f"{(n := 2)}")'),
        ("say(str(next(rows)))", "pass"),
        ("@computed_field\ndef f(self) -> int: pass", "@computed_field\ndef f(self) -> str: pass"),
    ],
)
def test_what_is_said_may_do_something_and_hints_may_be_read(before, after):
    assert of(before) != of(after)


def test_the_hints_of_a_stages_main_count():
    assert of("def main(out: Path): pass") != of("def main(out: str): pass")


SNIPPET = """
def f(x, *more, y=1, **rest):
    match x:
        case {"a": [1, *others]} if y:
            return f"a {x!r:>{y}} b" "c" f"{y}d"
    async def g(): return [await z async for z in x if (n := z)]
    try:
        return lambda: (yield)
    except* (OSError, ValueError) as error:
        raise TypeError("words", x) from error
"""


def test_every_python_writes_the_same():
    """Compares the text itself, which must be the same in each version of Python that runs these tests."""
    assert of("x = f'a{1}' 'b'") == (
        "Module(body=[Assign(targets=[Name(id=str:'x'),]value=JoinedStr(values=[Constant(value=str:'a'),"
        "FormattedValue(value=Constant(value=int:1)conversion=int:-1),Constant(value=str:'b'),])),])"
    )
    assert hash_of(of(SNIPPET)) == "6447de08"


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


@pytest.fixture
def package(tmp_path) -> Path:
    files = {
        "__init__.py": "from lib import top\n\ndef load():\n    from lib import heavy\n",
        "top.py": "x = 1\n",
        "heavy.py": "x = 1\n",
        "used.py": "from lib.inner.leaf import x\n",
        "inner/__init__.py": "from lib import side\n\ndef helper():\n    return 1\n\nSIZE = made()\n",
        "inner/leaf.py": "x = 1\n",
        "side.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from lib import heavy\n",
        "page.py": "TEMPLATE = 'page.html.j2'\nSCRIPT = 'shipped.py'\nNAME = 'used.py of another folder'\n",
        "page.html.j2": "<p>\n",
        "shipped.py": "import lib.heavy\n",
        "whole.py": "from lib.inner import helper\n",
    }
    for name, text in files.items():
        write_text(tmp_path / "lib" / name, text)
    return tmp_path / "lib"


def modules(package: Path, *roots: str) -> dict[str, str]:
    return Closure({"lib": package}).digests(*roots)


def test_a_closure_holds_all_that_runs(package):
    assert list(modules(package, "lib.used")) == [
        "lib",
        "lib.inner",
        "lib.inner.leaf",
        "lib.side",
        "lib.top",
        "lib.used",
    ]
    shipped = ["lib", "lib.heavy", "lib.page", "lib.shipped", "lib.top", "lib/page.html.j2"]
    assert list(modules(package, "lib.page")) == shipped


def test_a_package_on_the_way_counts_by_its_top_level(package):
    before = modules(package, "lib.used"), modules(package, "lib.whole")
    write_text(package / "inner/__init__.py", "from lib import side\n\ndef helper():\n    return 2\n\nSIZE = made()\n")
    assert modules(package, "lib.used") == before[0]
    assert modules(package, "lib.whole") != before[1]
    used_at_top = "from lib import side\n\ndef helper():\n    return 3\n\nSIZE = helper()\n"
    write_text(package / "inner/__init__.py", used_at_top)
    after = modules(package, "lib.used")
    write_text(package / "inner/__init__.py", used_at_top.replace("3", "4"))
    assert modules(package, "lib.used") != after != before[0]


@pytest.mark.parametrize("name", ["top.py", "page.html.j2", "shipped.py", "heavy.py"])
def test_an_edit_of_any_part_changes_the_digests(package, name):
    before = modules(package, "lib.page")
    write_text(package / name, (package / name).read_text() + "y = 2\n")
    after = modules(package, "lib.page")
    assert [part for part in before if before[part] != after[part]] == [
        f"lib/{name}" if name.endswith("j2") else f"lib.{name.removesuffix('.py')}"
    ]


@pytest.mark.parametrize(
    "source",
    [
        "from .leaf import x\n",
        "from . import leaf\n",
        "from ..inner import leaf\n",
        "from lib.inner import leaf\n",
        "import lib.inner.leaf\n",
    ],
)
def test_every_way_to_import_is_followed(package, source):
    write_text(package / "inner/user.py", source)
    before = modules(package, "lib.inner.user")
    write_text(package / "inner/leaf.py", "x = 2\n")
    after = modules(package, "lib.inner.user")
    assert [part for part in after if before[part] != after[part]] == ["lib.inner.leaf"]


def test_what_an_import_runs_of_a_package_on_the_way(package):
    runs = "\n@register\ndef hook():\n    return {0}\n\nclass Made:\n    size = {0}\n\ndef f(x=made({0})):\n    pass\n"
    for part in ("hook():\n    return {0}", "    size = {0}", "made({0})"):
        write_text(package / "inner/__init__.py", runs.replace("{0}", "1"))
        before = modules(package, "lib.used")
        write_text(package / "inner/__init__.py", runs.replace(part, part.replace("{0}", "2")).replace("{0}", "1"))
        assert modules(package, "lib.used") != before, part
    write_text(package / "used.py", "import lib.inner.leaf\nx = lib.inner.helper()\n")
    write_text(package / "inner/__init__.py", "def helper():\n    return 1\n")
    before = modules(package, "lib.used")
    write_text(package / "inner/__init__.py", "def helper():\n    return 2\n")
    assert modules(package, "lib.used") != before


def test_a_module_that_is_no_python_is_named(package):
    write_text(package / "top.py", "x = 1\ndef f(:\n")
    with pytest.raises(ParamsError, match=r"lib/top\.py, line 2: invalid syntax"):
        modules(package, "lib.used")


def test_families_and_kinds_have_digests_of_their_own():
    found = listings(ROOT)
    assert "textmill.models.lstm" in found["train-lstm"]
    assert "textmill.models.transformer" not in found["train-lstm"]
    assert "textmill.tokenizers.char" not in found["vocab-word"]
    parts = (ROOT / "textmill/report/page").glob("*.*")
    assert all(f"textmill.report.page/{path.name}" in found["compare"] for path in parts if path.suffix != ".py")
    assert "textmill.tracking.pyfunc" in found["track"]
    assert not any("textmill.training" in found[name] for name in ("download", "clean", "split"))
    assert "textmill.networks" not in found["train-linear"]


@pytest.mark.skipif("CI" not in os.environ, reason="about the commit, not about a working copy")
def test_the_committed_digests_are_those_of_the_code():
    """To update them, run `dvc repro code`."""
    committed = {path.stem: path.read_text() for path in (ROOT / "digests").glob("*.txt")}
    assert committed == listings(ROOT)


def test_the_stage_needs_little():
    """A comment costs the start of Python and reading params.yaml and each module."""
    lines = "import sys, stages.code; print(sorted({'numpy', 'polars', 'torch'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", lines], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
