"""The built wheel, in a fresh environment: small, and enough to predict and to explain with a linear bundle."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT

import textmill
from textmill.extras import EXTRAS
from textmill.files import read_json

pytestmark = pytest.mark.skipif("CI" not in os.environ, reason="installs from the package index, in half a minute")

BUNDLES = ROOT / "tests/formats/bundle-5"
MOST = 330e6  # bytes of the core with all that it asks for
HERE = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> Path:
    """A folder with what `pip install WHEEL` installs, and nothing else."""
    folder = tmp_path_factory.mktemp("wheel")
    source, pip = folder / "source", [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    source.mkdir()  # a build in the checkout would leave files there, and take up older ones
    shutil.copytree(ROOT / "textmill", source / "textmill", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    subprocess.run([*pip, "wheel", "-q", "--no-deps", "-w", folder, source], env=HERE, check=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "env"], env=HERE, check=True)
    (wheel,) = folder.glob("*.whl")
    python = str(folder / "env/bin/python")
    subprocess.run([*pip, "--python", python, "install", "-q", wheel], env=HERE, check=True)
    return folder / "env"


def command(environment: Path, program: str, *words: str | Path, cwd: Path = BUNDLES) -> subprocess.CompletedProcess:
    done = subprocess.run([environment / "bin" / program, *words], cwd=cwd, env=HERE, capture_output=True, text=True)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_it_is_small_and_brings_no_extra(environment):
    code = f"import importlib.util, json; print(json.dumps([m for m in {list(EXTRAS)} if importlib.util.find_spec(m)]))"
    assert json.loads(command(environment, "python", "-c", code).stdout) == []
    (packages,) = environment.glob("lib/python*/site-packages")
    size = sum(path.stat().st_size for path in packages.rglob("*") if path.is_file())
    assert 100e6 < size <= MOST, f"{size / 1e6:.0f} MB"


def test_it_predicts_what_was_predicted_when_the_bundle_was_made(environment):
    expected = read_json(BUNDLES / "expected.json")
    texts, scores = expected["texts"], expected["scores"]["linear"]["42"]
    code = f"import json, textmill; print(json.dumps(textmill.load('linear').predict_proba({texts}).tolist()))"
    found = json.loads(command(environment, "python", "-c", code).stdout)
    np.testing.assert_allclose(found, scores, atol=1e-5)
    (bad, good), output = scores[0], command(environment, "textmill", "predict", "linear", texts[0]).stdout
    assert output == f"good\tbad {bad:.4f}  good {good:.4f}\n"
    assert command(environment, "python", "-m", "textmill", "predict", "linear", texts[0]).stdout == output


def test_it_explains_and_tells_what_a_bundle_and_itself_are(environment):
    assert "for good" in command(environment, "textmill", "explain", "linear", "zuli ti a").stdout
    assert "vocabulary           10 ids" in command(environment, "textmill", "info", "linear").stdout
    assert command(environment, "textmill", "--version").stdout == f"textmill {textmill.__version__}\n"


def test_it_checks_params(environment):
    assert command(environment, "textmill", "check", cwd=ROOT).stdout == "check: params.yaml has no errors\n"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["predict", BUNDLES / "lstm", "zuli"], "error: predict: needs torch, from the extra networks: "),
        (["why"], "error: why: needs psutil, from the extra pipeline: "),
        (["repro"], "error: repro: needs psutil, from the extra pipeline: "),
    ],
)
def test_what_it_lacks_is_one_line(environment, words, line):
    done = command(environment, "textmill", *words, cwd=ROOT)
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr.startswith(line)
    assert done.stderr.count("\n") == 1
