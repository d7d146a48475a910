"""A user's file in an output of the pipeline, which DVC would delete."""

import shutil
from pathlib import Path

import pytest
from conftest import ROOT

from textmill.config import load_params
from textmill.dag import overlap
from textmill.errors import ParamsError
from textmill.outputs import check_user_files


@pytest.mark.parametrize(
    ("section", "path", "stage"),
    [
        ("dataset", "data/raw/mine.csv", "download"),
        ("dataset", "data/input/../raw/deep/mine.csv", "download"),
        ("dataset", {"train": "data/input/a.csv", "test": "data/clean/docs.parquet"}, "clean"),
        ("dataset", "data/models/lstm/mine.csv", "train"),
        ("dataset", "metrics/models/m/summary.json", "evaluate"),
        ("tokenizers", "data/vocab/word/words.vec", "vocab"),
        ("dataset", "data/input/mine.csv", None),
        ("dataset", "data/rawer/mine.csv", None),
        ("dataset", "../data/raw/mine.csv", None),
    ],
)
def test_it_is_refused_before_anything_runs(tmp_path, section, path, stage):
    project = tmp_path / "project"
    project.mkdir()
    pipeline = Path(shutil.copy(ROOT / "dvc.yaml", project))
    found = {section: {"path": path} if section == "dataset" else {"word": {"vectors": {"path": path}}}}
    if stage is None:
        check_user_files(found, "params.yaml", pipeline)
        return
    pattern = rf"params.yaml: {section}\..*path.*: .* is in an output of {stage}, which DVC deletes; move it"
    with pytest.raises(ParamsError, match=pattern):
        check_user_files(found, "params.yaml", pipeline)


def test_no_params_of_ours_are_refused():
    for params in [ROOT / "params.yaml", *(ROOT / "presets").glob("*.yaml")]:
        check_user_files(load_params(params), str(params), ROOT / "dvc.yaml")


@pytest.mark.parametrize(
    ("path", "other", "expected"),
    [
        ("data/raw", "data/raw", True),
        ("data/raw", "./data/raw/a.csv", True),
        ("data/raw/a.csv", "data/raw", True),
        ("data/raw", "data/rawer", False),
        ("data/raw/a", "data/raw/b", False),
        ("data/models/${item.name}/x", "data/models/lstm", True),
        ("data/models/${key}/x", "data/models/lstm/y", False),
    ],
)
def test_paths_overlap(path, other, expected):
    assert overlap(path, other) is overlap(other, path) is expected
