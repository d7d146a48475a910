"""dvc.yaml is complete: a stage depends on what it runs and reads."""

import ast
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from conftest import ROOT
from ruamel.yaml import YAML

from textmill.config import load_params
from textmill.models import FAMILIES
from textmill.tokenizers import KINDS

DAG = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text())["stages"]
STAGES = {name: {**body, **body.pop("do", {})} for name, body in DAG.items()}

# Each room, and the rooms that it may import. Every room may import BASE, in its order.
BASE = [
    "errors",
    "refusals",
    "extras",
    "console",
    "safe_yaml",
    "config",
    "files",
    "arrays",
    "parquet",
    "processes",
    "tally",
    "confidence",
]
BASE += ["confidence", "records", "environment", "timings", "lockfile", "lastgood", "dag", "intact", "pin", "outputs"]
BASE += ["failures", "guardian", "stage", "code", "formats"]
ROOMS = {
    "fetch": set(),
    "sources": {"fetch"},
    "rows": {"fetch", "sources"},
    "look": {"fetch", "sources", "rows"},
    "text": {"fetch"},
    "tokenizers": {"fetch", "text"},
    "vectors": {"fetch", "text", "tokenizers"},
    "networks": {"text", "vectors"},
    "training": {"text", "vectors", "networks"},
    "models": {"text", "tokenizers", "networks", "training"},
    "judging": {"rows", "text"},
    "report": {"judging"},
    "annotation": {"rows", "text", "tokenizers", "training", "models", "judging"},
    "bundle": {"text", "training", "models"},
    "classifier": {"text", "tokenizers", "training", "bundle"},
    "labelling": {"fetch", "rows", "classifier"},
    "explain": {"text", "training", "models", "bundle", "classifier"},
    "sections": {"sources", "rows", "tokenizers", "vectors", "training", "judging"},
    "verify": set(),
    "tracking": {"models", "judging", "report", "bundle", "classifier", "sections", "verify"},
    "check": {"tokenizers", "models", "judging", "sections", "tracking"},
    "schema": {"sources", "tokenizers", "vectors", "networks", "training", "models", "sections", "tracking", "check"},
    "review": {"sources", "judging", "report", "verify"},
    "reproduce": {"check"},
    "project": {"sources", "rows", "look", "check"},
    "cli": {
        "bundle",
        "classifier",
        "labelling",
        "explain",
        "tracking",
        "look",
        "check",
        "report",
        "reproduce",
        "project",
        "verify",
        "review",
    },
    "__main__": {"cli"},
    "reference": {"cli"},
}
KEPT = ("data/checkpoints", "data/downloads", "data/pretrained")  # between runs, and out of DVC's sight
HEAVY = {"torch", "sklearn", "datasets", "matplotlib", "mlflow", "pandas", "transformers", "gensim"}


def path_of(module: str) -> Path | None:
    """The file of one of our modules."""
    stem = ROOT / module.replace(".", "/")
    return next((p for p in (stem.with_suffix(".py"), stem / "__init__.py") if p.is_file()), None)


@cache
def imports(module: str) -> frozenset[str]:
    """Our modules that a module imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path_of(module).read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(name for name in found if name.split(".")[0] in ("textmill", "stages") and path_of(name))


def variants(stage: str) -> set[str]:
    """Names of the digests that a stage may depend on: one, or one for each kind of tokenizer or family of models."""
    return {path.stem for path in (ROOT / "digests").glob("*.txt") if path.stem.split("-")[0] == stage}


@pytest.mark.parametrize("stage", sorted(set(STAGES) - {"code", "track"}))
def test_a_stage_depends_on_what_its_code_means_and_on_no_path_of_code(stage):
    assert not [dep for dep in STAGES[stage]["deps"] if dep.split("/")[0] in ("stages", "textmill")]
    (digests,) = (dep for dep in STAGES[stage]["deps"] if dep.startswith("digests/"))
    name = digests.removeprefix("digests/").removesuffix(".txt")
    by = {"${item.kind}": KINDS, "${item.family}": FAMILIES}
    known = next(({name.replace(key, value) for value in values} for key, values in by.items() if key in name), {name})
    assert known == variants(stage)


def test_tracking_depends_on_all_that_dvc_lock_names():
    assert "digests" in STAGES["track"]["deps"]


@pytest.mark.parametrize("stage", STAGES)
def test_params_are_those_the_stage_loads(stage):
    loaded = set()
    for node in ast.walk(ast.parse((ROOT / f"stages/{stage}.py").read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "load_section":
            key = node.args[1]
            loaded.add(key.value if isinstance(key, ast.Constant) else key.values[0].value + "${key}")
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "load_dataset":
            loaded.add("dataset")
    assert loaded == set(STAGES[stage].get("params", []))


@pytest.mark.parametrize("stage", STAGES)
def test_paths_on_the_command_line_are_deps_or_outs(stage):
    body = STAGES[stage]
    declared = [
        next(iter(p)) if isinstance(p, dict) else p
        for k in ("deps", "outs", "metrics", "plots")
        for p in body.get(k, [])
    ]
    words = [word for word in body["cmd"].split()[3:] if "/" in word and word not in KEPT]
    for word in words:  # a folder may stand for the files in it
        assert any(path == word or path.startswith(f"{word}/") for path in declared), word


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_script_is_short(stage):
    assert len((ROOT / f"stages/{stage}.py").read_text().splitlines()) <= 50


def test_rooms_import_what_lies_below_and_no_sibling():
    modules = [".".join(p.relative_to(ROOT).with_suffix("").parts) for p in (ROOT / "textmill").rglob("*.py")]
    for module in (m.removesuffix(".__init__") for m in modules):
        if module in ("textmill", "textmill.tracking.pyfunc"):  # the package itself; a script that MLflow runs
            continue
        room = module.split(".")[1]
        below = {*BASE[: BASE.index(room)], room} if room in BASE else {*BASE, room, *ROOMS[room]}
        found = {imported.split(".")[1] for imported in imports(module) - {"textmill"} if imported[0] == "t"}
        assert found <= below, f"{module} imports {', '.join(found - below)}"
        assert not any(imported.startswith("stages") for imported in imports(module)), module


# What all stages import is imported once; each stage then starts in its own fork.
STARTS = """
import importlib, json, os, sys
import textmill.stage, textmill.files
for stage in sys.argv[1:]:
    if not os.fork():
        importlib.import_module(f"stages.{stage}")
        print(json.dumps([stage, sorted(sys.modules)]), flush=True)
        os._exit(0)
    assert os.wait()[1] == 0, stage
"""


@pytest.fixture(scope="module")
def started() -> dict[str, list[str]]:
    """All modules that each stage imports when it starts."""
    command = [sys.executable, "-c", STARTS, *STAGES]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return dict(map(json.loads, done.stdout.splitlines()))


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_starts_without_what_it_may_not_need(started, stage):
    assert f"stages.{stage}" in started[stage]
    assert HEAVY & set(started[stage]) == set()


def test_params_are_checked_without_what_computes():
    code = "import sys; from textmill.cli import app; app(['check'], standalone_mode=False); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    imported = {module.partition(".")[0] for module in done.stdout.split()}
    assert "textmill" in imported
    assert not imported & (HEAVY | {"scipy", "tokenizers", "requests", "sqlalchemy", "dvc"})


def test_only_tracking_imports_mlflow_and_nothing_unpickles():
    for path in [*(ROOT / "textmill").rglob("*.py"), *(ROOT / "stages").glob("*.py")]:
        text = path.read_text()
        about_mlflow = "tracking" in path.parts or path.stem in ("track", "check", "extras", "failures")
        assert "mlflow" not in text.replace("MLflow", "") or about_mlflow, path
        for unsafe in (
            "import pickle",
            "import joblib",
            "pickle.load",
            "allow_pickle",
            "torch.load",
            "yaml.load(",
            "eval(",
            "exec(",
            "shell=True",
            "extractall",
        ):
            assert unsafe not in text.replace(".eval()", ""), f"{path}: {unsafe}"


COMMITTED = pytest.mark.skipif("CI" not in os.environ, reason="about the commit, not about a working copy")


@COMMITTED
def test_committed_results_were_made_by_this_code_and_params():
    """What `make repro` would run in a clone, although nothing but outputs is missing there."""
    dvc = Path(sys.executable).parent / "dvc"
    status = json.loads(subprocess.run([dvc, "status", "--json"], cwd=ROOT, capture_output=True, check=True).stdout)
    changed = {
        f"{stage}: {path}"
        for stage, reasons in status.items()
        for reason in reasons
        if isinstance(reason, dict)
        for path in reason.get("changed deps", {})
        if path.split("/")[0] in ("digests", "params.yaml") and stage != "track"
    }
    assert not changed, "run `make repro` and commit what it changed"


@pytest.mark.parametrize("preset", sorted(p.name for p in (ROOT / "presets").glob("*.yaml")))
def test_presets_are_complete(preset):
    from textmill.check import check_params

    check_params(ROOT / "presets" / preset)


@COMMITTED
def test_params_are_the_default_preset():
    assert load_params(ROOT / "params.yaml") == load_params(ROOT / "presets/rotten-tomatoes.yaml")
