"""dvc.yaml must not lie: what a stage depends on is what it runs and reads."""

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

DAG = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text())["stages"]
STAGES = {name: {**body, **body.pop("do", {})} for name, body in DAG.items()}

# Modules that read params, word messages and open files. They do not decide what an artifact says, and naming them
# everywhere would run everything again for every new message.
PLUMBING = {"stages.run", "textmill"}
PLUMBING |= {f"textmill.{name}" for name in ("config", "console", "errors", "files", "processes")}

LAYERS = [  # a module imports from its own line and those above it
    {"errors"},
    {"config", "console", "files", "keys", "ragged"},
    {"processes"},
    {"tokenizers", "sources", "splits", "timings"},
    {"records", "tables", "spool", "cleaning", "profile", "encoding", "vectors"},
    {"models"},
    {"bundle", "scoring", "analysis", "comparison", "ensembles"},
    {"explain"},
    {"report"},
    {"tracking"},
    {"check"},
    {"reproduce"},
    {"cli"},
]
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


def closure(module: str) -> set[str]:
    """All our modules that run when this one does, plumbing aside."""
    seen, queue = set(), [module]
    while queue:
        if (name := queue.pop()) not in seen | PLUMBING:
            seen.add(name)
            queue += imports(name)
    return seen


def code_deps(stage: str) -> list[Path]:
    return [ROOT / dep for dep in STAGES[stage]["deps"] if dep.split("/")[0] in ("stages", "textmill")]


@pytest.mark.parametrize("stage", STAGES)
def test_code_deps_are_the_imports(stage):
    used = {path_of(module) for module in closure(f"stages.{stage}")}
    covers = {dep: {path for path in used if path == dep or dep in path.parents} for dep in code_deps(stage)}
    assert used == set().union(*covers.values()), "imported, but not in deps"
    assert [dep for dep, paths in covers.items() if not paths] == [], "in deps, but not imported"


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
    words = [word for word in body["cmd"].split()[3:] if "/" in word and not word.startswith("data/timings")]
    for word in words:  # a folder may stand for the files in it
        assert any(path == word or path.startswith(f"{word}/") for path in declared), word


def test_imports_go_downward():
    rank = {name: number for number, names in enumerate(LAYERS) for name in names}
    modules = [".".join(p.relative_to(ROOT).with_suffix("").parts) for p in (ROOT / "textmill").rglob("*.py")]
    for module in (m.removesuffix(".__init__") for m in modules):
        if module in ("textmill", "textmill.tracking.pyfunc"):  # the package itself; a script that MLflow runs
            continue
        for imported in imports(module) - {"textmill"}:
            assert rank[imported.split(".")[1]] <= rank[module.split(".")[1]], f"{module} imports {imported}"
            assert not imported.startswith("stages")


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_starts_without_what_it_may_not_need(stage):
    code = f"import sys, json, stages.{stage}; print(json.dumps(sorted(set(sys.modules) & set({sorted(HEAVY)}))))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_only_tracking_imports_mlflow_and_nothing_unpickles():
    for path in [*(ROOT / "textmill").rglob("*.py"), *(ROOT / "stages").glob("*.py")]:
        text = path.read_text()
        assert (
            "mlflow" not in text.replace("MLflow", "") or "tracking" in path.parts or path.stem in ("track", "check")
        ), path
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
        if path.split("/")[0] in ("stages", "textmill", "params.yaml")
    }
    assert not changed, "run `make repro` and commit what it changed"


@pytest.mark.parametrize("preset", sorted(p.name for p in (ROOT / "presets").glob("*.yaml")))
def test_presets_are_complete(preset):
    from textmill.check import check_params

    check_params(ROOT / "presets" / preset)


@COMMITTED
def test_params_are_the_default_preset():
    assert load_params(ROOT / "params.yaml") == load_params(ROOT / "presets/rotten-tomatoes.yaml")
