"""Results in Python: the frame, figures, and the notebook of docs, whose cells are run on toy results."""

import ast
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from conftest import MODELS, ROOT, TRAIN
from test_stages import PARAMS, prepare, run_evaluate, run_train

import textmill
from textmill.errors import ArtifactError
from textmill.explain import Explanation
from textmill.files import read_json
from textmill.judging.comparison import CompareConfig, compare, evaluated
from textmill.judging.ensembles import combine, member
from textmill.records.comparison import Comparison
from textmill.records.outcome import Outcome
from textmill.report.plots import calibration_figure, comparison_figure

pytestmark = pytest.mark.slow

NAMES = ("linear", "cnn")


@pytest.fixture(scope="module")
def project(tmp_path_factory, reviews) -> Path:
    """A folder with the results of two models and their ensemble, laid out as a project's."""
    root = tmp_path_factory.mktemp("project")
    (root / "metrics").mkdir()
    (root / "metrics/models").symlink_to(root / "metrics")
    (root / "data").mkdir()
    (root / "data/models").symlink_to(root)
    entries = {"linear": MODELS["linear"], "cnn": {**MODELS["cnn"], "seeds": [5, 2]}}
    dataset = {"name": "reviews", "text": "text"}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        prepare(root, reviews, PARAMS | {"dataset": dataset, "train": {**TRAIN, "epochs": 2}, "models": entries})
        for name in NAMES:
            run_train(root, name)
            run_evaluate(root, name)
    outcomes = {name: Outcome.read(root / "metrics" / name) for name in NAMES}
    judged = {name: evaluated(one) for name, one in outcomes.items()}
    judged["both"] = combine({name: member(one) for name, one in outcomes.items()})
    config = CompareConfig(metric="accuracy", alpha=0.05, ensembles={"both": list(NAMES)})
    compare(config, 42, "reviews", {"bad": 84, "good": 84}, judged, "text").write(root / "report" / Comparison.FILE)
    return root


def test_a_row_for_each_model_and_seed_as_the_files_have_it(project):
    table = textmill.results(project)
    compared = read_json(project / "report/comparison.json")
    seeds = {"linear": [3], "cnn": [2, 5], "both": [None]}
    for entry in compared["models"]:
        rows = table.filter(model=entry["name"])
        assert rows["seed"].to_list() == seeds[entry["name"]]
        ends = rows.select("accuracy_mean", "accuracy_low", "accuracy_high", "accuracy_sd").unique().rows()
        assert ends == [(entry["score"], entry["low"], entry["high"], entry["sd"])]
        assert rows["accuracy"].mean() == pytest.approx(entry["score"])
        assert rows["champion"].to_list() == [entry["name"] == compared["champion"]] * len(rows)
    for one in read_json(project / "metrics/cnn/scores.json")["seeds"]:
        (row,) = table.filter(model="cnn", seed=one["seed"]).to_dicts()
        assert one.items() <= row.items()
        assert row["shipped"] == (one["seed"] == read_json(project / "metrics/cnn/fit.json")["seed"])
    (guess,) = table.filter(pl.col("model").str.starts_with("always")).to_dicts()
    assert guess["accuracy"] == compared["baseline"]["accuracy"]
    assert [name for name, kind in table.schema.items() if kind == pl.Null] == []


def test_what_is_missing_is_named(project, tmp_path):
    with pytest.raises(ArtifactError, match=r"comparison.json: missing; run `dvc repro compare`"):
        textmill.results(tmp_path)


def test_figures_draw_the_numbers_of_their_records(project):
    found = Comparison.read(project / "report" / Comparison.FILE)
    figure = comparison_figure(found)
    (axes,) = figure.axes
    dots = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "o"]
    ends = [tuple(line.get_xdata()) for line in axes.lines if line.get_linewidth() == 2]
    assert dots == [model.score for model in found.models]
    assert ends == [(model.low, model.high) for model in found.models]
    assert [text.get_text().split()[0] for text in axes.get_yticklabels()] == [model.name for model in found.models]
    assert figure._repr_png_() == comparison_figure(found)._repr_png_()
    bins = Outcome.read(project / "metrics/cnn").scores.calibration
    (axes,) = calibration_figure(bins, "costs $x").axes
    assert list(axes.lines[1].get_xydata().ravel()) == [x for one in bins for x in (one.confidence, one.accuracy)]


def test_an_explanation_shows_itself_and_runs_nothing():
    tokens, attack = ["<img src=x onerror=alert(1)>", "dull", "end"], "<script>alert(1)</script>"
    shares = {attack: 0.75, "good": 0.25}
    known, owed = np.array([True, False, True]), np.array([0.4, -1.5, np.nan])
    html = Explanation(attack, "occlusion", shares, tokens, known, owed, None)._repr_html_()
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;</span>" in html
    assert html.index("dotted' title='-1.50'>dull<") > html.index("title='+0.40'")
    assert "[1 tokens the model does not read]" in html
    assert "<td>dull (unknown)</td><td>-1.50</td>" in html


def test_the_notebook_of_docs_runs(project, monkeypatch):
    notebook = json.loads((ROOT / "docs/tutorial/notebook.ipynb").read_text(encoding="utf-8"))
    monkeypatch.chdir(project)
    names: dict[str, object] = {}
    shown = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            *body, last = ast.parse("".join(cell["source"])).body
            exec(compile(ast.Module(body, []), "cell", "exec"), names)
            shown.append(eval(compile(ast.Expression(last.value), "cell", "eval"), names))
    assert shown[0].equals(textmill.results())
    assert sum(hasattr(one, "_repr_png_") for one in shown) == 4
    assert "<table>" in shown[-2]._repr_html_()
    assert set(shown[-1]) <= {"bad", "good"}
