"""The docs: their commands and Python run, their links lead somewhere, and pages made from the code are current.

A block of `sh` or `python` is run, unless the line above it says why not: `<!-- not run: ... -->`. The commands of a
page run in one shell, in a project with results; or, where the page makes one with `textmill new`, in a folder with
reviews.csv. A page's Python runs after its commands, in the folder where they began.
"""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from subprocess import DEVNULL
from typing import Any, NamedTuple

import polars as pl
import pytest
from conftest import HANGS, ROOT, TRAIN
from ruamel.yaml import YAML
from test_project import commit, edit, environment, package, run

from textmill import reference
from textmill.check import check_params
from textmill.config import load_params

assert package  # a fixture

FENCE = re.compile(r"^( *)```(.*)$")
NOT_RUN = re.compile(r"<!-- not run: \S.* -->")
LANGUAGES = {"sh", "python", "yaml", "json", "text"}
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
MODELS = {
    "linear": {"family": "linear", "tokenizer": "word", "ngrams": 2},
    "lstm": {"family": "lstm", "tokenizer": "word", "hidden": 8, "embedding": 8},
}


class Block(NamedTuple):
    """A fenced block of a page."""

    line: int  # of its opening fence, from 1
    language: str
    code: str
    run: bool


def written() -> list[Path]:
    """Every page of the checkout, but for those that tests and new projects are made of."""
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.splitlines() if not name.startswith((".github/", "tests/", "textmill/"))]


def blocks(page: Path) -> Iterator[Block]:
    lines = page.read_text(encoding="utf-8").splitlines()
    number = 0
    while number < len(lines):
        if opening := FENCE.match(lines[number]):
            indent = len(opening[1])
            end = next(at for at in range(number + 1, len(lines)) if lines[at].strip() == "```")
            code = "\n".join(line[indent:] for line in lines[number + 1 : end])
            yield Block(number + 1, opening[2], code, not NOT_RUN.fullmatch(lines[number - 1].strip()))
            number = end
        number += 1


def slugs(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and the site make them."""
    code = re.sub(r"^ *```.*?^ *```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    heads = re.findall(r"^#+ (.*)$", code, re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads} | {
        re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", head).strip().lower()) for head in heads
    }


# Pages with something to run. tests/test_notebook.py runs the notebook.
GENERATED = {ROOT / name for name in reference.pages()}
RUN = {page: [one for one in blocks(page) if one.run and one.language in ("sh", "python")] for page in written()}
PAGES = [page for page, some in RUN.items() if some and page not in GENERATED]


@pytest.fixture(scope="module")
def project(package, tmp_path_factory, reviews: pl.DataFrame) -> Path:
    """A project with results, committed: a linear model and a small network."""
    folder = tmp_path_factory.mktemp("docs") / "reviews"
    reviews.write_csv(folder.parent / "reviews.csv")
    run(package, folder.parent, "textmill", "new", "reviews", "reviews.csv", "--yes", "--group", "film")
    edit(folder, train={**TRAIN, "epochs": 2}, models=MODELS)
    run(package, folder, "textmill", "repro")
    commit(package, folder, "First results")
    run(package, folder, "git", "branch", "-M", "main")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_and_python_run(page, package, project, tmp_path):
    start = tmp_path / "reviews"
    if any(one.language == "sh" and "textmill new " in one.code for one in RUN[page]):
        start = tmp_path
        shutil.copy(project.parent / "reviews.csv", start)
    else:
        shutil.copytree(project, start, symlinks=True)
        shutil.copy(project.parent / "reviews.csv", tmp_path)
    commands = [f"echo '{page.name}:{one.line}' >&2\n{one.code}\n" for one in RUN[page] if one.language == "sh"]
    python = "\n".join(one.code for one in RUN[page] if one.language == "python")
    ran(package, start, "bash", "-euo", "pipefail", "-c", "".join(commands))
    ran(package, start, sys.executable, "-c", python)


def ran(package: Path, folder: Path, *words: str) -> None:
    home = {**environment(package), "HOME": str(folder)}
    done = subprocess.run(words, cwd=folder, env=home, capture_output=True, text=True, timeout=HANGS, stdin=DEVNULL)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]


@pytest.mark.parametrize("page", written(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_blocks_say_what_they_are_and_links_lead_somewhere(page):
    for one in blocks(page):
        assert one.language in LANGUAGES, f"{page}:{one.line}: begin a block with one of {LANGUAGES}"
    text = re.sub(r"^ *```.*?^ *```$|`[^`]*`", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for found in LINK.finditer(text):
        link = found[1] or found[2]
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{page}: {link}"
        assert not anchor or anchor in slugs(target), f"{page}: {link}"


@pytest.mark.parametrize("page", written(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_keys_of_params_exist_and_have_such_values(page, tmp_path):
    for one in blocks(page):
        if one.language == "yaml":
            whole = over(load_params(ROOT / "presets/csv.yaml"), YAML(typ="safe").load(one.code))
            with open(tmp_path / "params.yaml", "w") as file:
                YAML().dump(whole, file)
            check_params(tmp_path / "params.yaml")


def over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """One mapping laid over another, key by key; an entry of another family or kind takes its place."""
    both = dict(below)
    for key, value in above.items():
        known = both.get(key)
        alike = isinstance(known, dict) and isinstance(value, dict)
        same = alike and all(known.get(name) == value.get(name, known.get(name)) for name in ("family", "kind"))
        both[key] = over(known, value) if same else value
    return both


@pytest.mark.parametrize(("page", "text"), reference.pages().items())
def test_pages_made_from_the_code_are_current(page, text):
    assert (ROOT / page).read_text(encoding="utf-8") == text, "make reference"


def test_every_module_has_a_line():
    page = (ROOT / "docs/reference/modules.md").read_text(encoding="utf-8")
    described = dict(re.findall(r"^\| \[`[^`]*`\]\(../../([^)]*)\) \| (.*) \|$", page, re.M))
    files = (
        path.relative_to(ROOT).as_posix() for room in ("stages", "textmill") for path in (ROOT / room).rglob("*.py")
    )
    assert set(described) == {name for name in files if "project/template/" not in name}
    assert all(described.values())


def test_the_modules_that_architecture_names_exist():
    page = (ROOT / "docs/explanation/architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w/]+\.py)`", page)
    assert len(named) > 12
    assert [name for name in named if not (ROOT / name).exists() and not (ROOT / "textmill" / name).exists()] == []


def test_the_tests_that_the_page_names_exist():
    page = (ROOT / "docs/reference/tested.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:test_|faults/)\w+\.py)(?:::(\w+))?`", page))
    assert len(named) > 40
    for file, test in sorted(named):
        found = re.findall(r"^def (\w+)", (ROOT / "tests" / file).read_text(encoding="utf-8"), re.M)
        assert not test or test in found, f"{file}::{test}"
    rows = re.findall(r"^\| ([FP]\d+)", page, re.M)
    assert [row for row in rows if row[0] == "P"] == [f"P{number}" for number in range(1, 26)]
    tested = [line for line in page.splitlines() if re.match(r"\| [FP]\d", line) and not re.search(r"\.py(::|`)", line)]
    assert [line.split(" |")[0] for line in tested] == ["| F21"]  # there is nothing to test


def test_every_page_is_in_the_navigation():
    def listed(part: object) -> Iterator[str]:
        for one in part.values() if isinstance(part, dict) else part:
            yield from [one] if isinstance(one, str) else listed(one)

    nav = list(listed(tomllib.loads((ROOT / "zensical.toml").read_text())["project"]["nav"]))
    docs = (page.relative_to(ROOT / "docs").as_posix() for page in written() if page.is_relative_to(ROOT / "docs"))
    assert sorted(nav) == sorted(docs)
