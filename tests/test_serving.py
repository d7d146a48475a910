"""A model that MLflow has loaded, alone and in MLflow's server: what it answers to odd requests.

The numbers are those of the table in docs/reference/tested.md.
"""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from conftest import ROOT

import textmill
from textmill import bundle
from textmill.tracking import packaging

pytestmark = pytest.mark.slow

BUNDLE = ROOT / "tests/formats/bundle-5/lstm"
TEXTS = ["zuli ti a", "", " \n", "nothing of it", "zuli"]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """What MLflow loads, from files that are then deleted."""
    import mlflow

    folder = tmp_path_factory.mktemp("served") / "model"
    result = SimpleNamespace(name="lstm", bundle=SimpleNamespace(path=BUNDLE))
    packaging.save(folder, f"m-{'0' * 32}", "0" * 32, result, bundle.read_config(BUNDLE))
    model = mlflow.pyfunc.load_model(str(folder))
    shutil.rmtree(folder)  # 76: what serves has the whole model in memory
    return model


def frame(**columns: Any):
    import pandas as pd

    return pd.DataFrame(columns)


def good(table) -> np.ndarray:
    return table["p:good"].to_numpy()


@pytest.mark.parametrize(
    ("number", "given", "words"),
    [
        (70, {"txt": ["a"]}, "column 'txt': expected one column, `text`, or a list of texts"),
        (70, {}, "missing inputs"),
        (71, {"text": ["a", None]}, "row 1: expected a text, found"),
        (71, {"text": ["a", 1]}, "row 1: expected a text, found 1"),
        (71, {"text": [1, 2]}, "Can not safely convert int64"),
        (71, {"text": [True]}, "Can not safely convert bool"),
        (71, {"text": [b"a"]}, "row 0: expected a text, found b'a'"),
        (71, {"text": ["a", ["b"] * 999]}, "row 1: expected a text, found ['b', 'b', "),
    ],
)
def test_a_frame_of_anything_but_texts_is_refused(served, number, given, words):
    from mlflow.exceptions import MlflowException

    with pytest.raises(MlflowException) as refused:
        served.predict(frame(**given))
    assert words in str(refused.value)
    assert len(str(refused.value)) < 700


def test_72_and_73_any_number_of_texts_gets_the_scores_of_each_alone(served):
    expected = textmill.load(BUNDLE).predict_proba(TEXTS)[:, 1]
    np.testing.assert_allclose(good(served.predict(TEXTS)), expected, atol=1e-6)
    np.testing.assert_allclose([good(served.predict([text])).item() for text in TEXTS], expected, atol=1e-6)
    np.testing.assert_allclose(good(served.predict(frame(text=TEXTS * 2000))), [*expected] * 2000, atol=1e-6)
    assert len(served.predict(frame(text=np.array([], str)))) == 0
    assert 0 < good(served.predict(["zuli " * 2_000_000])).item() < 1  # 10 MB


def test_75_threads_get_the_answers_of_one(served):
    expected = good(served.predict(TEXTS))
    with ThreadPoolExecutor(8) as threads:
        for found in threads.map(lambda _: good(served.predict(TEXTS)), range(100)):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("body", "kind", "status", "words"),
    [
        ('{"inputs": ["zuli"]}', "application/json", 200, '"prediction": "good"'),
        ("{", "application/json", 400, "valid JSON"),
        ('{"dataframe_split": {"columns": ["txt"], "data": [["a"]]}}', "application/json", 400, "column 'txt'"),
        ('{"dataframe_split": {"columns": ["text"], "data": [["a"], [["b"]]]}}', "application/json", 400, "row 1"),
        ("zuli", "text/plain", 415, "content types"),
    ],
)
def test_74_what_mlflows_server_answers(served, body, kind, status, words):
    from mlflow.pyfunc.scoring_server import init
    from starlette.testclient import TestClient

    done = TestClient(init(served)).post("/invocations", content=body, headers={"Content-Type": kind})
    assert done.status_code == status, done.text
    assert words in (json.dumps(done.json()) if status != 415 else done.text)
