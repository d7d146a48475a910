"""Runs this project's pipeline on made-up rows with the columns and labels of params.yaml."""

from pathlib import Path

from textmill.project.trial import try_out


def test_the_pipeline_runs_to_its_report(tmp_path):
    assert try_out(Path(__file__).parents[1], tmp_path).is_file()
