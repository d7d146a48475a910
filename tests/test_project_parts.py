"""The parts of projects that need no project: where a textmill comes from, params with comments, merged templates."""

import json
import os
import re
import sys
import zipfile
from types import SimpleNamespace

import polars as pl
import pytest
import typer
from conftest import ROOT
from typer.testing import CliRunner

from textmill import cli
from textmill.check import check_params
from textmill.cli import app
from textmill.config import load_params
from textmill.errors import ArtifactError, DataError, ParamsError
from textmill.files import write_text
from textmill.look.facts import as_config, facts
from textmill.look.finding import propose
from textmill.models import family
from textmill.pin import Pin, check_pin, pinned, running
from textmill.project import making
from textmill.project import source as sources
from textmill.project.data import params_for
from textmill.project.new import BASE, contents, create, extras
from textmill.project.params import Change, described, params_text
from textmill.project.template import presets, requirement
from textmill.project.trial import small, synthetic_rows
from textmill.project.upgrade import _with_requirement, apply, lines, merge, plan
from textmill.rows.cleaning import CleanConfig
from textmill.rows.splits import SplitConfig

COMMIT, SHA = "a" * 40, "b" * 64
CSV = (ROOT / "presets/csv.yaml").read_text()


@pytest.mark.parametrize(
    ("origin", "source"),
    [
        (
            {"url": "https://host/textmill.git", "vcs_info": {"vcs": "git", "commit_id": COMMIT}},
            f"git+https://host/textmill.git@{COMMIT}",
        ),
        (
            {"url": "https://host/textmill-1-py3-none-any.whl", "archive_info": {"hashes": {"sha256": SHA}}},
            f"https://host/textmill-1-py3-none-any.whl#sha256={SHA}",
        ),
    ],
)
def test_a_project_is_pinned_to_where_the_running_one_came_from(monkeypatch, origin, source):
    found = SimpleNamespace(read_text=lambda name: json.dumps(origin))
    monkeypatch.setattr(sources, "distributions", lambda name: [SimpleNamespace(read_text=lambda name: None), found])
    pin, wheel = sources.find(None)
    assert (pin, wheel) == (running()._replace(source=source), None)
    assert requirement(pin, "networks") == f"textmill[networks] @ {source}"


@pytest.mark.parametrize("origin", ["{}", '{"url": "https://host/x.whl", "archive_info": {}}'])
def test_an_origin_without_a_hash_is_asked_for(monkeypatch, origin):
    monkeypatch.setattr(sources, "distributions", lambda name: [SimpleNamespace(read_text=lambda name: origin)])
    with pytest.raises(ParamsError, match="cannot tell where it was installed from; use --textmill SOURCE"):
        sources.find(None)


@pytest.mark.parametrize("source", ["https://host/x.whl", "git+https://host/x.git", "git+https://host/x.git@main"])
def test_an_address_that_can_change_is_refused(source):
    with pytest.raises(ParamsError, match="this URL has no hash"):
        sources.find(source)


def test_a_wheel_of_another_textmill_is_refused(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "textmill-1.whl", "w") as wheel:
        wheel.writestr("textmill/__init__.py", "")
    with pytest.raises(ParamsError, match="this is not the textmill that is running"):
        sources.find(str(tmp_path / "textmill-1.whl"))
    monkeypatch.setattr(sources, "_built", lambda checkout, folder: tmp_path / "textmill-1.whl")
    with pytest.raises(ParamsError, match=f"^{tmp_path}: this is not the textmill"):  # a checkout, by its own name
        sources.find(str(tmp_path))
    write_text(tmp_path / "no.whl", "text")
    with pytest.raises(ArtifactError, match="not a wheel"):
        sources.find(str(tmp_path / "no.whl"))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[tool.textmill\n", "cannot be read as TOML"),
        ('[tool.textmill]\nversion = "1"\n', "'source' is missing"),
        ('[tool]\ntextmill = "1"\n', "tool.textmill: expected a table"),
        ("tool = 1\n", "tool.textmill: expected a table"),
        (
            '[tool.textmill]\nversion = "1"\nsource = "x"\ncode = "0"\n',
            r"pins textmill 1 \(0\), but .* is running; pip install",
        ),
    ],
)
def test_a_stage_checks_the_pin(tmp_path, text, line):
    write_text(tmp_path / "pyproject.toml", text)
    with pytest.raises(ParamsError, match=line):
        check_pin(tmp_path)


def test_no_pin_asks_for_nothing(tmp_path):
    assert pinned(tmp_path) is None
    assert pinned(ROOT) is None
    write_text(
        tmp_path / "pyproject.toml", f'[tool.textmill]\nversion = "1"\nsource = "x"\ncode = "{running().code}"\n'
    )
    check_pin(tmp_path)
    assert pinned(tmp_path) == Pin("1", "x", running().code)


@pytest.mark.parametrize("name", presets())
def test_a_preset_keeps_its_meaning_and_its_comments(tmp_path, name):
    preset = (ROOT / f"presets/{name}.yaml").read_text()
    text = params_text(preset, described(preset), {})
    write_text(tmp_path / "params.yaml", text)
    assert load_params(tmp_path / "params.yaml") == load_params(ROOT / f"presets/{name}.yaml")
    assert text.count("#") >= preset.count("#") - 1
    assert small(load_params(tmp_path / "params.yaml")) if name not in ("minilm", "minilm-imdb") else True


def test_other_values_come_with_their_reasons(tmp_path):
    dataset = {"name": Change("tickets"), "source": Change("path"), "path": Change("data/input/a b.csv")}
    dataset |= {"text": Change(["title", "body"], "two columns of free text"), "label": Change("queue: x")}
    changes = {
        "dataset": Change(dataset),
        "compare.metric": Change("f1_macro", "98 % are ok"),
        "split.by": Change("text"),
    }
    text = params_text(CSV, "Tickets.", changes | {"dataset.labels": Change({"A": "a"}, "in two ways")})
    write_text(tmp_path / "params.yaml", text)
    params = load_params(tmp_path / "params.yaml")
    assert params["dataset"] == {
        "name": "tickets",
        "source": "path",
        "path": "data/input/a b.csv",
        "text": ["title", "body"],
        "label": "queue: x",
        "labels": {"A": "a"},
    }
    assert "  text: [title, body]                        # two columns of free text\n" in text
    assert "  metric: f1_macro                           # 98 % are ok\n" in text
    assert "\n\nsplit:" in text
    assert check_params(tmp_path / "params.yaml")


@pytest.mark.parametrize("between", ["\n", "\r", "\x85", "\u2028", "\x07"])
def test_what_is_no_line_breaks_no_params(tmp_path, between):
    label = f"a{between}b: c"
    dataset = {"name": Change("x", f"as {label}"), "labels": Change({"A": "a"}, f"{label} is rare")}
    changes = {"dataset": Change(dataset), "compare.metric": Change("f1_macro", f"98 % are {label}")}
    write_text(tmp_path / "params.yaml", params_text(CSV, f"Texts of {label}.", changes))
    params = load_params(tmp_path / "params.yaml")
    assert params["dataset"] == {"name": "x", "labels": {"A": "a"}}
    assert params["compare"]["metric"] == "f1_macro"


def test_a_project_is_made_whole_or_not_at_all(tmp_path, monkeypatch):
    monkeypatch.setenv("DVC_GLOBAL_CONFIG_DIR", str(tmp_path / "global"))
    write_text(tmp_path / "global/config", "[cache]\n    type = symlink\n")
    write_text(tmp_path / "my.csv", "text,label\n" + "a fine film,good\na dull one,bad\n" * 10)
    write_text(tmp_path / "project/.git/mine", "a repository that was there")
    source, before = sources.Source(Pin("1", "x", "0"), None), sorted(tmp_path.rglob("*"))

    def refuse(root):
        raise ParamsError("no")

    with pytest.raises(ParamsError):
        create(tmp_path / "project", propose(tmp_path / "my.csv"), refuse, source)
    assert sorted(tmp_path.rglob("*")) == before
    create(tmp_path / "project", propose(tmp_path / "my.csv"), lambda _: CSV, source)
    assert [path.name for path in (tmp_path / "project/.git").iterdir()] == ["mine"]
    data = tmp_path / "project/data/input/my.csv"
    assert not data.is_symlink()  # to where the project was made
    assert data.read_text() == (tmp_path / "my.csv").read_text()


def test_a_new_project_tells_each_value_that_follows_from_the_data(tmp_path, capsys):
    rows = [f"text number {n} of {n * n},{('good', 'Good', 'bad', 'bad')[n % 4]}" for n in range(40)]
    (tmp_path / "a.csv").write_text("\n".join(["text,label", *rows, "none of all,odd"]))
    proposal = propose(tmp_path / "a.csv", folder=".")
    text = params_for(proposal, CSV)(tmp_path)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("dataset.labels")]
    assert line.startswith("dataset.labels: {Good: good, odd: null} (they differ only in case; null leaves a class out")
    assert "labels: {Good: good, odd: null}" in text


def test_what_stops_a_new_project_names_no_temporary_folder(tmp_path):
    frame = pl.DataFrame({"text": [f"text number {n}" for n in range(20)], "label": ["a", "b"] * 10})
    frame.write_parquet(tmp_path / "a.parquet")
    proposal = propose(tmp_path / "a.parquet", folder=".")
    frame.with_columns(label=pl.col("label").cast(pl.Binary)).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"^a[.]parquet, column 'label': expected texts, found"):
        params_for(proposal, CSV)(tmp_path)


def test_an_answer_that_is_not_given_ends_quietly(monkeypatch, capsys):
    def leave(*asked):  # Ctrl-C, or Ctrl-D
        raise typer.Abort

    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(typer, "prompt", leave)
    with pytest.raises(typer.Exit) as left, cli.one_line("new"):
        cli._asked("Which column holds the text?", "a", ["a", "b"])
    assert (left.value.exit_code, capsys.readouterr().err) == (75, "new: interrupted\n")


def test_what_to_type_next_can_be_pasted(monkeypatch):
    monkeypatch.setattr(making, "make", lambda *given: None)
    assert "\n  cd 'my reviews'\n" in CliRunner().invoke(app, ["new", "my reviews"]).output
    assert "  cd " not in CliRunner().invoke(app, ["new", "."]).output


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("x = 1\ndef f(:", "families/own_{n}.py, line 2: invalid syntax"),
        ("import nosuch", "families/own_{n}.py, line 1: ModuleNotFoundError: No module named 'nosuch'"),
        ("import torch.nosuch", "families/own_{n}.py, line 1: ModuleNotFoundError: No module named 'torch.nosuch'"),
        ("import os\n\nx = 1 / 0", "families/own_{n}.py, line 3: ZeroDivisionError: division by zero"),
        ("import json\njson.loads('no')", "families/own_{n}.py, line 2: JSONDecodeError: Expecting value"),
        ("x = 1", "families/own_{n}.py: expected FAMILY = NetworkFamily(Config, Network), found None"),
    ],
)
def test_a_mistake_in_a_family_of_ones_own_is_one_line(tmp_path, monkeypatch, text, line):
    name = f"own_{abs(hash(text))}"
    write_text(tmp_path / f"families/{name}.py", text)
    write_text(tmp_path / "families/__init__.py", "")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "families", raising=False)
    with pytest.raises(ParamsError, match=re.escape(line.replace("{n}", name.removeprefix("own_")))):
        family(name)
    monkeypatch.delitem(sys.modules, "families", raising=False)


def test_the_extras_are_those_that_params_need():
    assert extras(CSV) == "networks,pipeline"
    assert extras((ROOT / "presets/minilm.yaml").read_text()) == "networks,pipeline,pretrained"
    assert extras((ROOT / "presets/lab-vectors-mr.yaml").read_text()) == "networks,pipeline,vectors"


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (None, ["one", "two"]),
        (["b", "a"], ["b", "a"]),
        ({"B": "b", "A": "a", "aa": "a"}, ["a", "b"]),
        ({"goood": "good"}, ["good", "one", "two"]),
        ({"rare": None}, ["one", "two"]),
        ({"rare": None, "B": "b", "A": "a"}, ["a", "b"]),
    ],
)
def test_made_up_rows_have_the_columns_and_classes_of_params(tmp_path, labels, classes):
    dataset = {"text": ["title", "body"], "label": 'the "queue"', "group": "from", "labels": labels}
    write_text(tmp_path / "made-up.csv", synthetic_rows(dataset))
    named = {"name": "tickets", "source": "path", "path": "made-up.csv"}
    found = facts(as_config(named | dataset), CleanConfig(), SplitConfig(by="group"), tmp_path)
    assert (sorted(found.labels), found.problem) == (sorted(classes), "")


@pytest.mark.parametrize(
    ("old", "new", "own", "merged"),
    [
        ("a\nb\n", "a\nB\n", "a\nb\n", "a\nB\n"),
        ("a\nb\n", "a\nb\n", "A\nb\n", "A\nb\n"),
        ("a\n1\n2\n3\nb\n", "a\n1\n2\n3\nB\n", "A\n1\n2\n3\nb\n", "A\n1\n2\n3\nB\n"),
        ("a\nb\n", "a\nB\n", "a\nX\n", None),
        ("", "new\n", "", "new\n"),
        ("gone\n", "", "gone\n", ""),
    ],
)
def test_a_template_and_its_edits_are_merged(old, new, own, merged):
    assert merge(old, new, own).merged == merged


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("-c x\n./wheels/textmill-1-py3-none-any.whl[networks]\npytest\n", "-c x\ntextmill @ new\npytest\n"),
        ("textmill[networks] @ git+https://old\n", "textmill @ new\n"),
        ("textmill-friend\npytest", "textmill-friend\npytest\ntextmill @ new\n"),
        ("", "textmill @ new\n"),
    ],
)
def test_requirements_name_the_new_one(text, becomes):
    assert _with_requirement(text, "textmill @ new") == becomes


def test_an_upgrade_leaves_the_users_own_and_ends_conflicts(tmp_path):
    now = sources.Source(running()._replace(source=f"https://host/new.whl#sha256={SHA}"), None)
    before = Pin("0.1", f"https://host/old.whl#sha256={SHA}", "0")
    made = contents("project", CSV, sources.Source(before, None))
    own = {
        "pyproject.toml": '[project]\nversion = "0.1"\n\n' + made["pyproject.toml"],
        f"{BASE}/dvc.yaml": made["dvc.yaml"].replace("desc: Train a", "desc: Make a"),
        "dvc.yaml": made["dvc.yaml"].replace("desc: Train a", "desc: My own").partition("\n  track:")[0] + "\n",
        "digests/track.txt": "0000 stages.track\n",
        "digests/split.txt": "0000 stages.split\n",
    }
    for name, text in (made | own).items():
        write_text(tmp_path / name, text)
    found = plan(tmp_path, now)
    assert list(found.stages) == ["split"]  # it has no stage `track`
    assert any("yours stays; after --apply, merge the changes in `git diff" in line for line in lines(found))
    apply(tmp_path, found)
    assert pinned(tmp_path) == now.pin
    assert (tmp_path / "pyproject.toml").read_text().startswith('[project]\nversion = "0.1"\n')
    assert (tmp_path / "dvc.yaml").read_text() == own["dvc.yaml"]
    assert plan(tmp_path, now).merged == {}

    write_text(tmp_path / "pyproject.toml", made["pyproject.toml"].replace(' = "0.1"', " = '0.1'"))
    with pytest.raises(ParamsError, match=r'expected a line version = "0\.1"'):
        apply(tmp_path, plan(tmp_path, now))


def test_the_server_is_for_this_machine_alone(tmp_path, monkeypatch, capsys):
    from textmill.tracking.server import serve

    started = []
    (tmp_path / "params.yaml").write_text("dataset: {name: reviews}\n")
    monkeypatch.setattr(os, "execve", lambda *given: started.append(given))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://me:secret@host/mlflow")
    serve(tmp_path, 5000)
    assert capsys.readouterr().out == "ui: open https://***@host/mlflow\n"
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    serve(tmp_path, 5001)
    ((_, words, environment),) = started
    assert words[words.index("--host") + 1 :][:3] == ["127.0.0.1", "--port", "5001"]
    assert words[words.index("--backend-store-uri") + 1] == f"sqlite:///{tmp_path}/mlflow.db"
    assert environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"
