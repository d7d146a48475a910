"""The core does without every extra, and names the one that is missing."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import metadata, packages_distributions
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from packaging.specifiers import SpecifierSet

from textmill.code.closure import executed
from textmill.errors import ResourceError
from textmill.extras import EXTRAS, naming_extras
from textmill.files import read_json

pytestmark = pytest.mark.slow

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# By what the extra asks for.
BROUGHT = {"alembic": "mlflow", "sqlalchemy": "mlflow", "huggingface_hub": "datasets", "networkx": "dvc"}
BROUGHT["urllib3"] = "requests"
BUNDLES = ROOT / "tests/formats/bundle-5"
WINDOWS = ("fcntl", "resource", "pwd", "grp", "termios")  # what it lacks
WITHOUT = """
import json, os, sys
sys.modules |= dict.fromkeys(json.loads(sys.argv.pop(1)))
del os.sched_getaffinity
"""


def required(requirements: list[str]) -> set[str]:
    """The names of packages, as the index spells them."""
    return {re.match(r"[\w.-]+", one)[0].lower() for one in requirements}


def named(module: str) -> set[str]:
    return {package.lower() for package in packages_distributions()[module]}


def imported() -> set[str]:
    """What our code imports of others."""
    found = set()
    for path in [*(ROOT / "textmill").rglob("*.py"), *(ROOT / "stages").glob("*.py")]:
        for node in executed(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(node.module.split(".")[0])
    return found - sys.stdlib_module_names - {"textmill", "stages"}


def bare(
    *words: str,
    code: str = "from textmill.cli import app; app()",
    hidden: Iterable[str] = (*EXTRAS, *WINDOWS),
    cwd: Path = ROOT,
) -> subprocess.CompletedProcess:
    """Runs the command without extras, and without what Windows lacks."""
    command = [sys.executable, "-c", WITHOUT + code, json.dumps(list(hidden)), *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})


def test_what_is_imported_is_of_the_core_or_of_an_extra_that_asks_for_it():
    core = required(PROJECT["dependencies"])
    for module in imported():
        if module in EXTRAS:
            asked = required(PROJECT["optional-dependencies"][EXTRAS[module]])
            assert {BROUGHT.get(module), *named(module)} & asked, module
            assert not named(module) & core, module
        else:
            assert named(module) & core, module
    assert set(EXTRAS) <= imported()


def test_what_is_pinned_runs_on_the_oldest_python():
    oldest = f"{PROJECT['requires-python'].removeprefix('>=')}.0"
    pinned = [line.split("==")[0] for line in (ROOT / "requirements.lock").read_text().split() if "==" in line]
    needs = {name: metadata(name).get("Requires-Python") for name in pinned}
    assert {name: needed for name, needed in needs.items() if needed and oldest not in SpecifierSet(needed)} == {}


def test_all_extras_are_in_dev():
    (whole,) = (one for one in PROJECT["optional-dependencies"]["dev"] if one.startswith("textmill["))
    assert set(re.findall(r"\w+", whole)) == {"textmill", *PROJECT["optional-dependencies"]} - {"dev", "networks"}
    assert "textmill[networks]" in PROJECT["optional-dependencies"]["pretrained"]


def test_the_core_predicts_and_explains_with_a_linear_bundle():
    expected = read_json(BUNDLES / "expected.json")
    code = f"import json, textmill; c = textmill.load('tests/formats/bundle-5/linear'); texts = {expected['texts']}"
    done = bare(code=f"{code}; print(json.dumps(c.predict_proba(texts).tolist()))")
    assert done.stderr == ""
    np.testing.assert_allclose(json.loads(done.stdout), expected["scores"]["linear"]["42"], atol=1e-5)
    text = expected["texts"][0]
    for words in (["predict"], ["explain"], ["explain", "--method", "occlusion"]):
        done = bare(words[0], str(BUNDLES / "linear"), text, *words[1:])
        assert (done.returncode, done.stderr) == (0, "")
        assert "good" in done.stdout
    assert "94" in bare("info", str(BUNDLES / "linear")).stdout


def test_a_network_predicts_with_the_extra_networks_alone():
    expected = read_json(BUNDLES / "expected.json")
    code = f"import json, textmill; c = textmill.load('tests/formats/bundle-5/lstm'); texts = {expected['texts']}"
    brought = {"torch", "tokenizers", "threadpoolctl"}
    assert brought <= required(PROJECT["optional-dependencies"]["networks"])
    done = bare(code=f"{code}; print(json.dumps(c.predict_proba(texts).tolist()))", hidden=set(EXTRAS) - brought)
    assert done.stderr == ""
    np.testing.assert_allclose(json.loads(done.stdout), expected["scores"]["lstm"]["42"], atol=1e-5)


def test_a_csv_is_labelled_by_the_core(tmp_path):
    (tmp_path / "in.csv").write_text("text\nzuli ti a\n")
    done = bare("predict", str(BUNDLES / "linear"), "--file", f"{tmp_path}/in.csv", "--out", f"{tmp_path}/out.csv")
    assert done.stderr == ""
    assert (tmp_path / "out.csv").read_text().splitlines()[1].startswith("zuli ti a,good,0.24958")


@pytest.mark.parametrize(
    ("words", "package", "extra"),
    [
        (["predict", str(BUNDLES / "lstm"), "zuli"], "torch", "networks"),
        (["info", str(BUNDLES / "lstm")], "torch", "networks"),
        (["repro"], r"\w+", "pipeline"),
        (["why"], r"\w+", "pipeline"),
    ],
)
def test_a_missing_extra_is_one_line(words, package, extra):
    done = bare(*words)
    assert (done.returncode, done.stdout) == (5, "")
    assert re.fullmatch(
        rf"error: {words[0]}: needs {package}, from the extra {extra}: pip install 'WHEEL\[{extra}\]' .*\n", done.stderr
    )


@pytest.mark.parametrize("params", ["params.yaml", "presets/minilm.yaml", "presets/lab-vectors-mr.yaml"])
def test_the_core_checks_params(params):
    done = bare("check", params)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"check: {params} has no errors\n", "")


def test_a_stage_names_what_it_misses(tmp_path):
    code = "from textmill.stage import run\ndef main(path: str) -> None:\n    import torch\n"
    code += "run('path', lambda: main, ['path'])"
    done = bare("path", code=code, hidden=["torch"], cwd=tmp_path)
    assert done.returncode == 5
    assert done.stderr.endswith("(WHEEL: the file or the checkout that textmill came from)\n")
    assert "needs torch, from the extra networks" in done.stderr


def test_windows_imports_all_and_only_a_lock_asks_for_more():
    modules = "cli, classifier, explain, explain.view, processes, stage, check, tracking.store, code.stages"
    code = "".join(f"import textmill.{name}\n" for name in modules.split(", "))
    code += "from textmill.extras import naming_extras\nwith naming_extras(), textmill.processes.alone('x'): pass"
    assert bare(code=code, hidden=WINDOWS).stderr.endswith("ResourceError: needs Linux, macOS or WSL\n")


def test_other_missing_modules_are_bugs():
    with pytest.raises(ModuleNotFoundError), naming_extras():
        raise ModuleNotFoundError("no", name="textmill.lost")
    with pytest.raises(ResourceError, match=r"^needs sklearn, from the extra pipeline"), naming_extras():
        raise ModuleNotFoundError("no", name="sklearn.svm")
    with pytest.raises(ResourceError, match=r"^needs Linux, macOS or WSL$"), naming_extras():
        raise ModuleNotFoundError("no", name="fcntl")


@pytest.mark.parametrize("module", ["textmill", "textmill.cli"])
def test_the_command_is_a_module_too(module):
    command = [sys.executable, "-m", module]
    output = subprocess.run([*command, "--version"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert output == f"textmill {PROJECT['version']}\n"
    assert subprocess.run([*command, "nonsense"], cwd=ROOT, capture_output=True).returncode == 2


@pytest.mark.parametrize("status", [0, 1])
def test_the_audit_fails_when_it_finds_something(tmp_path, status):
    shutil.copy(ROOT / "Makefile", tmp_path)
    python = tmp_path / "python"  # `python -m venv FOLDER` makes a pip that does nothing, and an audit that finds
    python.write_text(
        "#!/bin/sh\nmkdir -p $3/bin\nprintf '#!/bin/sh\\n' > $3/bin/pip\n"
        f"printf '#!/bin/sh\\nexit {status}\\n' > $3/bin/pip-audit\nchmod +x $3/bin/*\n"
    )
    python.chmod(0o755)
    done = subprocess.run(
        ["make", "--old-file=.venv/ready", "audit", f"PYTHON={python}"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode > 0) == (status > 0), done.stderr
    assert not (tmp_path / ".venv-audit").exists()
