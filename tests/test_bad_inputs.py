"""Bad inputs other than data and params, in numbered rows; and where each of the 77 rows is held.

A row that is refused gives its exit code and one line, and writes nothing. docs/reference/tested.md has a table
of the rows.
"""

import ast
import gzip
import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import stagewise
from conftest import ROOT, Doors
from safetensors.numpy import load_file, save_file
from typer.testing import CliRunner

from textmill import bundle
from textmill.cli import app
from textmill.config import as_yaml
from textmill.files import read_json, sha256, write_json
from textmill.training.calibration import Calibrated
from textmill.training.inputs import depends_on
from textmill.training.seeds import checkpoint_folders

BUNDLE = ROOT / "tests/formats/bundle-5/lstm"


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return stagewise.finish(tmp_path_factory.mktemp("whole") / "project")


@pytest.fixture
def project(whole, doors, tmp_path, monkeypatch) -> Doors:
    """A project whose stages all ran, as the current folder; a test may change it."""
    shutil.copytree(whole, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    return doors


def run(doors: Doors, name: str):
    return doors.stage(name.partition("@")[0], *stagewise.words_of(name)[1:])


def with_params(**changes: Any) -> None:
    params = stagewise.PARAMS | changes
    Path("params.yaml").write_text(as_yaml(params))


# --- vocabulary and vectors -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["word", "char"])
def test_37_a_vocabulary_without_words(project, kind):
    with_params(tokenizers={"word": {"kind": kind, "min_freq": 10**6}})
    run(project, "vocab@word").refused(2, " occurs 1000000 times (the most frequent: ", "lower min_freq")


def vectors(content: bytes, name: str = "w.vec") -> None:
    path = Path("data/input") / name
    path.write_bytes(content)
    source = {"source": "path", "path": str(path), "sha256": [sha256(path)]}
    with_params(tokenizers={"word": stagewise.PARAMS["tokenizers"]["word"] | {"vectors": source}})


@pytest.mark.parametrize(
    ("number", "content", "code", "words"),
    [
        (38, b"2 3\nfilm 1 2 3\nplot 1 2\n", 4, "w.vec, line 3: expected a word and 3 numbers, found 2"),
        (38, b"film 1 2 3\nplot 1 x 3\n", 4, "line 2: expected a number, found 'x'"),
        (38, b"3 3\nfilm 1 2 3\nplot 1 2 3\n", 4, "line 1: announces 3 words, but 2 follow"),
        (41, b"Film 1 2\nPlot 3 4\n", 3, "none of the vocabulary's "),
        (42, b"film 1 nan\n", 4, "line 1: expected a finite number, found 'nan'"),
        (42, b"film 1 -inf\n", 4, "line 1: expected a finite number, found '-inf'"),
    ],
)
def test_vectors_that_are_refused(project, number, content, code, words):
    vectors(content)
    run(project, "vectors@word").refused(code, "error: vectors: ", words)


def test_41_packed_vectors_that_are_cut_off(project):
    vectors(gzip.compress(b"film 1 2 3\n" * 99)[:-9], "w.vec.gz")
    run(project, "vectors@word").refused(4, "error: vectors: w.vec.gz: damaged")


@pytest.mark.parametrize(
    ("number", "content", "facts"),
    [
        (38, b"film 1 2\nplot 3 4\n", {"in_file": 2, "found": 2, "size": 2}),
        (39, b"film 1 2\nfilm 3 4\nplot 3 4\n", {"in_file": 3, "found": 2, "duplicates": 1}),
        (40, "film 1 2\r\n. . 3 4\r\na\u00a0b 5 6\r\n".encode(), {"in_file": 3, "found": 1, "size": 2}),
        (42, b"film 0 0\nplot 3 4\n", {"found": 2, "zeros": 1}),
    ],
)
def test_vectors_that_have_a_defined_result(project, number, content, facts):
    vectors(content)
    assert run(project, "vectors@word")[:2] == (0, "")
    assert read_json(Path("metrics/tokenizers/vectors-word.json")) | facts == read_json(
        Path("metrics/tokenizers/vectors-word.json")
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda words: [*words[:3], words[2], *words[4:]], "damaged tokenizer"),
        (lambda words: words[1:], "damaged tokenizer"),
        (lambda words: [*words[:2], None, *words[3:]], "vocabulary.2: expected a valid string, found None"),
        (lambda words: dict.fromkeys(words, 0), "vocabulary: expected a valid list"),
    ],
)
def test_43_a_vocabulary_that_was_edited(project, change, words):
    path = Path("data/vocab/word/tokenizer.json")
    spec = read_json(path)
    write_json(path, spec | {"vocabulary": change(spec["vocabulary"])})
    run(project, "encode@word").refused(4, "error: encode: data/vocab/word/tokenizer.json: ", words)


# --- models -----------------------------------------------------------------------------------------------------------


def rewritten(path: Path, change: Callable[[dict[str, np.ndarray]], object]) -> None:
    """Changes the arrays of a safetensors file and keeps its note."""
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        note = file.metadata()
    arrays = load_file(path)
    change(arrays)
    save_file(arrays, path, note)


@pytest.mark.parametrize("model", ["linear", "lstm"])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda arrays: arrays["ids"].__setitem__(0, 10**6), "has ids beyond the "),
        (lambda arrays: arrays["ids"].__setitem__(0, -1), "has ids beyond the "),
        (lambda arrays: arrays["offsets"].__setitem__(1, 0), "its offsets are not those of its documents"),
        (lambda arrays: arrays["offsets"].__setitem__(-1, 10**9), "its offsets are not those of its documents"),
        (lambda arrays: arrays.pop("labels"), "has no 'labels'"),
        (lambda arrays: arrays.update(ids=arrays["ids"].astype(np.float32)), "ids is not of whole numbers"),
    ],
)
def test_56_ids_that_no_vocabulary_has(project, model, change, words):
    rewritten(Path("data/encoded/word/train.safetensors"), change)
    run(project, f"train@{model}").refused(4, "error: train: data/encoded/word/train.safetensors: ", words)


def test_57_and_59_a_checkpoint_is_of_the_same_training_or_not_read(tmp_path):
    (tmp_path / "ids").write_bytes(b"a")
    entry, train = stagewise.PARAMS["models"]["lstm"], stagewise.PARAMS["train"]

    def folder(entry: dict[str, Any] = entry, train: dict[str, Any] = train, threads: int = 1) -> Path:
        return checkpoint_folders(tmp_path, "lstm", depends_on(entry, train, threads, [tmp_path / "ids"]))(42)

    before = folder()
    assert folder(train=train | {"seeds": [1, 42]}) == before  # another seed changes no other
    others = [folder(entry | {"hidden": 9}), folder(entry | {"family": "gru"}), folder(train=train | {"epochs": 1})]
    (tmp_path / "ids").write_bytes(b"b")
    assert len({before, *others, folder(threads=2), folder()}) == 6


def forged(change: Callable[[Path], object]) -> Path:
    """Returns a bundle with other files and the digests of these."""
    folder = Path(shutil.copytree(BUNDLE, "forged"))
    change(folder / bundle.WEIGHTS)
    config = read_json(folder / bundle.CONFIG) | {"weights": sha256(folder / bundle.WEIGHTS)}
    write_json(folder / bundle.CONFIG, bundle.signed(config))
    return folder


def headed(change: Callable[[dict[str, Any]], object], size: int | None = None) -> Callable[[Path], object]:
    """Returns a function that changes the header of a safetensors file, and the header's size."""

    def rewrite(path: Path) -> None:
        content = path.read_bytes()
        end = 8 + int.from_bytes(content[:8], "little")
        header = json.loads(content[8:end])
        change(header)
        written = json.dumps(header).encode()
        path.write_bytes(struct.pack("<Q", len(written) if size is None else size) + written + content[end:])

    return rewrite


def tensors(change: Callable[[dict[str, np.ndarray]], object]) -> Callable[[Path], object]:
    return lambda path: rewritten(path, change)


WEIGHT = "classify.weight"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (tensors(lambda arrays: arrays.pop(WEIGHT)), f"{WEIGHT} is missing"),
        (tensors(lambda arrays: arrays.update(more=np.ones(3, np.float32))), "more is not a weight of this model"),
        (tensors(lambda arrays: arrays[WEIGHT].__setitem__(0, np.nan)), f"{WEIGHT} contains NaN or infinity"),
        (tensors(lambda arrays: arrays[WEIGHT].__setitem__(0, np.inf)), f"{WEIGHT} contains NaN or infinity"),
        (
            tensors(lambda arrays: arrays.update({WEIGHT: arrays[WEIGHT].astype(np.float64)})),
            "expected float32 (1, 12)",
        ),
        (tensors(lambda arrays: arrays.update({WEIGHT: arrays[WEIGHT][:, 1:]})), f"{WEIGHT}: expected float32 (1, 12)"),
        (headed(lambda header: None, 2**63), "cannot be read"),
        (headed(lambda header: header[WEIGHT].update(data_offsets=[0, 48])), "cannot be read"),
        (lambda path: path.write_bytes(path.read_bytes()[:-5]), "cannot be read"),
        (lambda path: path.write_bytes(b""), "cannot be read"),
    ],
)
def test_58_weights_that_are_not_a_models(doors, change, words):
    folder = forged(change)
    doors.command("predict", folder, "a text").refused(4, "error: predict: forged/model.safetensors: ", words)


# --- evaluate ---------------------------------------------------------------------------------------------------------


def test_62_predictions_of_other_documents(project):
    rows = pl.read_parquet("data/split/test.parquet")
    rows.reverse().write_parquet("data/split/test.parquet")
    run(project, "evaluate@linear").refused(4, "data/encoded/word/test.safetensors: of other rows than data/split/test")
    rows[1:].write_parquet("data/split/test.parquet")
    run(project, "evaluate@linear").refused(4, "48 documents, but data/split/test.parquet has 47")


@pytest.mark.parametrize("table", ["predictions", "validation"])
def test_62_models_that_scored_other_documents(project, table):
    path = Path(f"metrics/models/lstm/{table}.parquet")
    rows = pl.read_parquet(path)
    rows.with_columns(pl.col("id").reverse()).write_parquet(path)
    run(project, "compare").refused(4, "error: compare: metrics/models/lstm/", "dvc repro")


@pytest.mark.parametrize("value", [np.nan, 0.9])
def test_64_probabilities_that_are_none(project, monkeypatch, value):
    first = pl.read_parquet("data/split/test.parquet")["id"][1]

    def broken(self: Calibrated, docs: Any) -> np.ndarray:
        scores = np.full((len(docs), 2), 0.5, np.float32)
        scores[1] = value
        return scores

    monkeypatch.setattr(Calibrated, "predict_proba", broken)
    run(project, "evaluate@linear").refused(6, f"document '{first}': probabilities do not sum to 1")


# --- the texts of `textmill predict` ----------------------------------------------------------------------------------

FORMS = [
    (19, "zuli " * 100_000, {"empty": False, "unknown": 0.0}),
    (20, "", {"empty": True, "unknown": 1.0}),
    (20, "<br />", {"empty": False, "unknown": 1.0}),
    (20, "👍", {"empty": False, "unknown": 1.0}),
    (21, "nothing of it", {"empty": False, "unknown": 1.0}),
    (22, "zuli", {"unknown": 0.0}),
    (22, "x", {"unknown": 1.0}),
    (24, "שלום \u202eabc\u2066 好电影", {"unknown": 1.0}),
    (25, "a < b &amp; <script>alert(1)</script> <i><b>zuli", {"empty": False}),
    (26, "<pad>", {"unknown": 1.0}),
    (72, " \n ", {"empty": True, "unknown": 1.0}),
]


@pytest.mark.parametrize("model", ["linear", "lstm"])
def test_texts_that_have_a_defined_result(model):
    texts = [text for _, text, _ in FORMS]
    words = ["predict", str(BUNDLE.with_name(model)), "--json", "--", *texts]
    done = CliRunner().invoke(app, words)
    assert (done.exit_code, done.stderr) == (0, "")
    for line, (_, text, facts) in zip(map(json.loads, done.stdout.splitlines()), FORMS, strict=True):
        assert line["text"] == text
        assert line | facts == line
        assert 0 < line["p:good"] < 1
        assert line["p:good"] + line["p:bad"] == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("model", ["linear", "lstm"])
def test_23_both_forms_of_a_letter_are_the_same_text(project, model):
    Path("data/input/r.csv").write_text(
        "text,label\n"
        + "".join(f"{word} n{n},{label}\n" for n in range(40) for word, label in (("été", "a"), ("où", "b")))
    )
    for name in ("download", "clean", "split", "vocab@word", "encode@word", "vectors@word", f"train@{model}"):
        assert run(project, name)[:2] == (0, ""), name
    found = project.command("predict", f"data/models/{model}", "--json", "été ⚙️", "e\u0301te\u0301 ⚙️")
    one, other = ({**json.loads(line), "text": ""} for line in found.out.splitlines())
    assert one == other


# --- where each row is held -------------------------------------------------------------------------------------------

HELD: dict[int, tuple[str, ...]] = {
    **dict.fromkeys((1, 2, 3, 4, 5, 8, 10, 14, 27, 33, 34, 35, 36), ("bad_data::test_data_that_is_refused",)),
    **dict.fromkeys((11, 12, 13, 15, 17, 32), ("bad_data::test_data_that_has_a_defined_result",)),
    **dict.fromkeys((6, 7, 9, 16, 18), ("bad_data::test_data_that_is_refused",
                                        "bad_data::test_data_that_has_a_defined_result")),
    19: ("bad_inputs::test_texts_that_have_a_defined_result", "batching::test_cut_keeps_the_end_that_is_asked_for"),
    **dict.fromkeys((20, 24, 25), ("bad_data::test_data_that_has_a_defined_result",
                                   "bad_inputs::test_texts_that_have_a_defined_result")),
    21: ("bad_inputs::test_texts_that_have_a_defined_result",),
    22: ("bad_inputs::test_texts_that_have_a_defined_result", "models::test_two_classes_and_a_one_id_document"),
    23: ("bad_inputs::test_23_both_forms_of_a_letter_are_the_same_text",
         "word_tokenizer::test_composed_and_decomposed_letters_are_the_same_words"),
    26: ("bad_inputs::test_texts_that_have_a_defined_result", "tokenizers::test_special_tokens_in_a_text_are_text"),
    28: ("bad_data::test_28_equal_texts_are_counted_and_stay_on_one_side",),
    29: ("bad_data::test_29_one_text_with_two_labels_is_kept_and_counted",),
    30: ("bad_data::test_30_sorted_labels_are_shuffled_by_the_seed",),
    31: ("bad_data::test_31_a_column_that_nobody_names_is_not_read",),
    37: ("bad_inputs::test_37_a_vocabulary_without_words", "bad_params::test_a_value_that_cannot_be_meant"),
    **dict.fromkeys((38, 42), ("bad_inputs::test_vectors_that_are_refused",
                               "bad_inputs::test_vectors_that_have_a_defined_result")),
    **dict.fromkeys((39, 40), ("bad_inputs::test_vectors_that_have_a_defined_result",)),
    41: ("bad_inputs::test_vectors_that_are_refused", "bad_inputs::test_41_packed_vectors_that_are_cut_off"),
    43: ("bad_inputs::test_43_a_vocabulary_that_was_edited",),
    **dict.fromkeys((44, 48, 49, 50, 51, 53), ("bad_params::test_a_value_that_cannot_be_meant",)),
    **dict.fromkeys((45, 46), ("bad_params::test_a_value_that_cannot_be_meant",
                               "params::test_a_value_out_of_range_is_refused_by_its_key")),
    47: ("bad_params::test_a_value_that_cannot_be_meant", "bad_params::test_a_value_that_may_be_meant"),
    52: ("bad_params::test_52_what_is_hardly_yaml",
         "mutated_params::test_text_that_is_hardly_yaml_is_refused_in_one_line"),
    54: ("bad_params::test_a_value_that_cannot_be_meant", "models::test_bad_params_are_named"),
    55: ("bad_inputs::test_55_a_file_in_what_dvc_deletes",),
    56: ("bad_inputs::test_56_ids_that_no_vocabulary_has",),
    **dict.fromkeys((57, 59), ("bad_inputs::test_57_and_59_a_checkpoint_is_of_the_same_training_or_not_read",)),
    58: ("bad_inputs::test_58_weights_that_are_not_a_models",),
    60: ("models::test_a_prediction_depends_on_nothing_but_its_document",
         "models::test_a_group_of_batches_is_one_step"),
    61: ("bad_params::test_a_value_that_cannot_be_meant", "bad_data::test_data_that_is_refused"),
    62: ("bad_inputs::test_62_predictions_of_other_documents",
         "bad_inputs::test_62_models_that_scored_other_documents"),
    63: ("scoring::test_a_class_that_is_neither_meant_nor_said_scores_0_without_a_warning",
         "scoring::test_scores_are_scikit_learns_and_consistent"),
    64: ("bad_inputs::test_64_probabilities_that_are_none",),
    65: ("tracking_server::test_a_uri_that_can_never_work_is_a_params_error",),
    66: ("tracking_faults::test_a_locked_store_is_named", "tracking_faults::test_a_full_disk_in_the_middle_is_one_line",
         "tracking_faults::test_a_store_that_cannot_be_used_is_one_line_that_names_it"),
    67: ("tracking::test_no_name_and_no_value_makes_mlflow_raise",),
    68: ("tracking::test_what_someone_deleted_comes_back",),
    69: ("tracking::test_a_run_holds_all_that_is_known",),
    **dict.fromkeys((70, 71), ("serving::test_a_frame_of_anything_but_texts_is_refused",)),
    **dict.fromkeys((72, 73), ("serving::test_72_and_73_any_number_of_texts_gets_the_scores_of_each_alone",)),
    74: ("serving::test_74_what_mlflows_server_answers",),
    **dict.fromkeys((75, 76), ("serving::test_75_threads_get_the_answers_of_one",)),
    77: ("labelling::test_what_is_closed_or_full_is_one_line", "labelling::test_rows_are_held_a_batch_at_a_time",
         "labelling::test_what_cannot_be_labelled_is_one_line_and_leaves_nothing"),
}  # fmt: skip


def test_every_row_is_held_by_a_test():
    assert sorted(HELD) == list(range(1, 78))
    for file, _, name in {one.partition("::") for tests in HELD.values() for one in tests}:
        tree = ast.parse((ROOT / f"tests/test_{file}.py").read_text())
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, (file, name)


def test_55_a_file_in_what_dvc_deletes(doors):
    shutil.copy(ROOT / "dvc.yaml", "dvc.yaml")
    for path, stage in (("data/raw/a.csv", "download"), ("metrics/models/lstm/fit.json", "train")):
        with_params(dataset={"name": "a", "source": "path", "path": path, "text": "text", "label": "label"})
        doors.stage("code", "dvc.yaml", "digests").refused(2, f"dataset.path: {path} is in an output of {stage}")
