"""Checks params.yaml as a whole."""

from pathlib import Path

from textmill.check import check_params


def test_params_have_no_error():
    check_params(Path(__file__).parents[1] / "params.yaml")
