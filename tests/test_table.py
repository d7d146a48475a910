"""The terminal's table, as wide as the terminal."""

import pytest

from textmill.report import table
from textmill.report.table import LATER, grid

HEADER = ["model", "validation", "test", "interval", "macro-F1", "log-loss", "calibration", "parameters", "train s"]
HEADER += ["docs/s"]
ROW = [
    "transformer",
    "100.0 %",
    "100.0 % ± 0.00",
    "93.8 – 100.0",
    "100.0 %",
    "0.000",
    "0.000",
    "268,156,000",
    "9,999.9",
]
ROW += ["102,007"]


@pytest.mark.parametrize(
    ("width", "left_out"),
    [(140, 0), (130, 0), (129, 1), (120, 2), (100, 3), (90, 4), (80, 5), (70, 6), (40, 6)],
)
def test_a_narrow_terminal_leaves_out_the_least_important_columns(width, left_out):
    lines = list(grid([HEADER, ROW, ["b" * 60, *[""] * 9]], width))
    shown = [name for name in HEADER if name in lines[0]]
    order = ["docs/s", "calibration", "parameters", "log-loss", "train s", "macro-F1"]
    assert {name for name in HEADER if name not in shown} == set(order[:left_out])
    assert width < 80 or all(len(line) <= width for line in lines)
    assert lines[-1].startswith("(without ") == bool(left_out)
    assert "100.0 % ± 0.00  93.8 – 100.0" in lines[2]  # no cell is shortened
    assert lines[3] == "b" * 23 + "…"


def test_under_repro_the_stage_prints_no_table(monkeypatch, capsys, tmp_path):
    kept = []
    monkeypatch.setattr(table, "_print_table", lambda *given: kept.append(given))
    monkeypatch.setenv(LATER, "1")
    table.print_table(None, {}, tmp_path, [])
    assert (kept, capsys.readouterr().out) == ([], "")
    monkeypatch.delenv(LATER)
    table.print_table(None, {}, tmp_path / "index.html", [])
    assert kept
    assert capsys.readouterr().out == f"Look next: {tmp_path}/index.html · textmill ui · dvc metrics diff\n"


def test_wide_letters_keep_columns_aligned():
    rows = [["model", "test"], ["日本語モデル", "77.5 %"], ["lstm", "9.1 %"]]
    assert list(grid(rows, 80)) == [
        "model           test",
        "────────────  ──────",
        "日本語モデル  77.5 %",
        "lstm           9.1 %",
    ]
