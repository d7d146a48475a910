"""`textmill why` says what `dvc repro` then does: with real DVC, on a cheap DAG."""

import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT
from test_pipeline import ENV
from typer.testing import CliRunner

from textmill.cli import app
from textmill.errors import ArtifactError, ParamsError
from textmill.reproduce.dvc import changed, repro, why

pytestmark = pytest.mark.slow

DAG = """
stages:
  code: {cmd: python -m textmill.stage code dvc.yaml digests, deps: [stages], outs: [{digests: {cache: false}}]}
  count: {cmd: wc -w texts > counts, deps: [digests/count.txt, texts], params: [seed], outs: [counts]}
  show:
    foreach: ${models}
    do: {cmd: "cp counts ${key}", deps: [digests/show.txt, counts], params: ["models.${key}"], outs: ["${key}"]}
  sum: {cmd: cp digests/idle.txt whole, deps: [digests], outs: [whole]}
"""
PARAMS = "seed: 1\ndataset: {}\ntokenizers: {}\nmodels: {a: {size: 8, words: {least: 2}}, b: {size: 9}}\n"
UP_TO_DATE = ["why: everything is up to date"]
FOLLOWING = "then, if their inputs change: show@a, show@b"


def ignore(stage: str, word: str) -> None:
    """Returns DVC's lines about a stage."""


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> Path:
    """A project that has run and is committed with its digests."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / ".dvc", folder / ".dvc", ignore=shutil.ignore_patterns("cache", "tmp", "config.local"))
    (folder / "stages").mkdir()
    shutil.copy(ROOT / "stages/code.py", folder / "stages")
    for name in ("__init__", "count", "show", "idle"):  # also a module that no stage runs
        (folder / f"stages/{name}.py").write_text("SIZE = 1\n")
    for name, text in {"dvc.yaml": DAG, "params.yaml": PARAMS, "texts": "one two\n"}.items():
        (folder / name).write_text(text)
    (folder / ".gitignore").write_text("__pycache__\n/counts\n/a\n/b\n/whole\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PATH", ENV["PATH"])
        subprocess.run(["git", "init", "-q"], check=True)
        assert [line for line in why(None) if not line.endswith("will run:")] == 5 * [
            "  it never ran (dvc.lock does not name it)"
        ]
        repro(on_event=ignore)
        subprocess.run(["git", "add", "digests"], check=True)
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", *who, "commit", "-q", "-m", "digests"], check=True)
    return folder


@pytest.fixture
def project(done, tmp_path, monkeypatch) -> Path:
    """A copy that a test may change, as the current folder."""
    folder = shutil.copytree(done, tmp_path / "copy", symlinks=True)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PATH", ENV["PATH"])
    return folder


def edit(file: str, before: str, after: str) -> None:
    text = Path(file).read_text()
    assert text.count(before) == 1
    Path(file).write_text(text.replace(before, after))


def test_nothing_changed(project):
    assert why(None) == UP_TO_DATE
    assert why("show@a") == ["why: show@a is up to date"]


@pytest.mark.parametrize(
    ("after", "changes"), [("seed: 2\n", "1 → 2"), ("seed: null\n", "1 → null"), ("", "1 → left out")]
)
def test_a_param_is_told_with_its_old_and_new_value(project, after, changes):
    edit("params.yaml", "seed: 1\n", after)
    assert why(None) == ["count will run:", f"  params.yaml: seed: {changes}", FOLLOWING]


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ("least: 2", "least: 3", "words.least: 2 → 3"),
        ("least: 2", "least: '2'", 'words.least: 2 → "2"'),
        ("least: 2", "least: null", "words.least: 2 → null"),
        ("size: 8, ", "", "size: 8 → left out"),
        ("size: 8, ", "size: 8, rate: null, ", "rate: not there → null"),
        ("size: 8, ", "size: 8, more: {}, ", "more: not there → {}"),
    ],
)
def test_a_param_of_one_model_is_told_by_its_full_key(project, before, after, changes):
    edit("params.yaml", before, after)
    assert changed() == ["show@a"]
    assert why(None) == ["show@a will run:", f"  params.yaml: models.a.{changes}"]


def test_long_values_that_differ_at_their_end_are_told_short(project):
    edit("params.yaml", "seed: 1", f"seed: {'x' * 100}")
    repro(on_event=ignore)
    edit("params.yaml", "xx\n", "xy\n")
    short = f'"{"x" * 58}…'
    assert why("count") == ["count will run:", f"  params.yaml: seed: {short} → {short}"]


def test_params_that_a_stage_did_not_have(project):
    edit("dvc.yaml", "deps: [digests]", "deps: [digests], params: [seed]")
    assert why(None) == ["sum will run:", "  params.yaml is new"]


def test_an_input_is_told_by_its_path_and_a_stage_that_follows_by_what_is_before_it(project):
    edit("texts", "two", "two three")
    assert why(None) == ["count will run:", "  texts is modified", FOLLOWING]
    after = [f"show@{name} will run after count, if its inputs change" for name in "ab"]
    assert why("show") == after
    assert why("show@b") == after[1:]
    assert why("sum") == ["why: sum is up to date"]


def test_a_stage_of_many_is_told_alone_and_once(project):
    edit("texts", "two", "two three")
    edit("params.yaml", "size: 9", "size: 10")
    assert why("show") == [
        "show@b will run:",
        "  params.yaml: models.b.size: 9 → 10",
        "show@a will run after count, if its inputs change",
    ]


def test_code_is_told_by_its_module_before_and_after_its_digests_are_written(project):
    changes = ["count will run:", "  code: stages.count changed", "  code: stages.show is also run"]
    changes += ["sum will run:", "  digests: the code of a stage changed", FOLLOWING]
    Path("stages/count.py").write_text("from stages import show\nSIZE = 2\n")
    assert why(None) == ["code will run:", "  stages is modified", *changes]
    repro("code", on_event=ignore)
    assert why(None) == changes  # the older code is in git
    repro(on_event=ignore)
    Path("stages/count.py").write_text("SIZE = 2\n")
    assert why("count") == [*changes[:2], "  code: stages.show is no longer run"]
    repro("code", on_event=ignore)
    assert why("count")[1:] == [
        "  its code changed (the digests that dvc.lock names are in none of the last commits)"
    ]  # these were not committed


def test_code_that_no_stage_runs_matters_to_what_reads_all_digests(project):
    Path("stages/idle.py").write_text("SIZE = 2\n")
    changes = ["sum will run:", "  digests: the code of a stage changed"]
    assert why(None) == ["code will run:", "  stages is modified", *changes]
    repro("code", on_event=ignore)
    assert why(None) == changes
    assert changed() == ["sum"]


def test_after_a_comment_nothing_runs_but_code(project):
    edit("stages/count.py", "SIZE = 1", "SIZE = 1  # of what")
    comment = "  comments, docstrings or messages changed at most: nothing runs after it"
    assert why(None) == ["code will run:", "  stages is modified", comment]
    assert why("count") == ["why: count is up to date"]
    repro("code", on_event=ignore)
    assert why(None) == UP_TO_DATE
    assert changed() == []


def test_outputs_that_are_gone(project):
    shutil.rmtree("digests")
    assert why(None)[:2] == ["code will run:", "  its output digests is deleted"]
    assert "nothing runs after it" in why(None)[2]
    Path("counts").unlink()
    assert why("count") == ["count will run:", "  its output counts is deleted"]


def test_a_command_that_changed(project):
    edit("dvc.yaml", "wc -w", "wc -c")
    assert why("count") == ["count will run:", "  changed command"]


def test_a_stage_that_is_not_there_is_one_line(project):
    with pytest.raises(ParamsError) as error:
        why("shwo")
    assert str(error.value) == "shwo: no such stage; expected one of code, count, show, show@a, show@b, sum"
    asked = CliRunner().invoke(app, ["why", "shwo"])
    assert (asked.exit_code, asked.stdout, asked.stderr) == (2, "", f"error: why: {error.value}\n")
    asked = CliRunner().invoke(app, ["why", "show@a"])
    assert (asked.exit_code, asked.stdout, asked.stderr) == (0, "why: show@a is up to date\n", "")


def test_a_folder_that_is_no_project_is_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArtifactError, match=r"not inside of a DVC repository.*; go to a project's folder"):
        why(None)
