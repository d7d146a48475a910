import subprocess
import sys

import pytest
from conftest import ROOT

from textmill.errors import ParamsError
from textmill.files import write_json


def test_switched_off_it_says_so_and_imports_no_mlflow(tmp_path):
    write_json(tmp_path / "params.yaml", {"tracking": {"enabled": False}})
    code = (
        "import sys; from pathlib import Path; from stages.track import main;"
        "main(*map(Path, ('dvc.lock', 'comparison.json', 'metrics', 'receipt.json')));"
        "assert 'mlflow' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("track: off (tracking.enabled: false)\n", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["params.yaml", "receipt.json"]


@pytest.mark.parametrize("section", [{"enbled": True}, {"enabled": "yes"}, {"enabled": True, "live": False}])
def test_params_are_checked(tmp_path, section):
    from stages.track import main

    write_json(tmp_path / "params.yaml", {"tracking": section})
    with pytest.raises(ParamsError, match=r"params.yaml: tracking\."):
        files = (tmp_path / name for name in ("dvc.lock", "comparison.json", "metrics", "receipt.json", "params.yaml"))
        main(*files)
