import json
from pathlib import Path

import numpy as np
import pytest
from conftest import MODELS, TRAIN, toy
from typer.testing import CliRunner

from textmill import bundle
from textmill.classifier import Classifier
from textmill.cli import app
from textmill.confidence import Calibration
from textmill.errors import ParamsError
from textmill.explain import as_dict, explain
from textmill.explain.gradients import MISS
from textmill.explain.occlusion import EVALUATIONS, log_odds
from textmill.models import model_entry
from textmill.text.ragged import Ragged
from textmill.tokenizers import save
from textmill.tokenizers.word import WordTokenizer
from textmill.training.calibration import Calibrated
from textmill.training.task import Task

pytestmark = pytest.mark.slow

LABELS = ["bad", "good", "odd"]
WARM = 1.6  # the temperature of all models here
VOCABULARY = 40  # ids 2, 3, 4 are the words that make a document bad, good or odd
NETWORKS = [name for name in MODELS if name != "linear"]


def fitted(name: str, classes: int = 2, entry: dict | None = None, **train) -> Classifier:
    """A model that learned which word makes a class; its tokenizer knows the words w2, w3, ..."""
    own = {**MODELS[name], **(entry or {})}
    checked = model_entry(own, {**TRAIN, "epochs": 4, **train}, "test")
    data = toy(160, VOCABULARY, classes)
    found = checked.family.fit(checked.config, checked.settings, data, data, Task(VOCABULARY, classes, 3))
    words = WordTokenizer(True, "strip", r"\w+", tuple(f"w{number}" for number in range(2, VOCABULARY)))
    settings = checked.settings and checked.settings.model_dump()
    facts = {"name": name, "labels": LABELS[:classes], "text": ["text"], "train": settings}
    facts |= {"model": checked.config.model_dump()}
    config = bundle.Config.model_construct(**facts, vocabulary=VOCABULARY, seed=3, validation={})
    return Classifier(config, words, Calibrated(found.model, Calibration(temperature=WARM)))


def saved(folder: Path, classifier: Classifier, tokenizer: Path, **changes) -> None:
    bundle.save(folder, classifier.model, tokenizer, {**vars(classifier.config), **changes}, {})


@pytest.fixture(scope="module")
def classifiers() -> dict[str, Classifier]:
    slow = {name: {"epochs": 10} for name in ("rnn", "gru", "lstm")}  # they find the words later
    return {name: fitted(name, **slow.get(name, {})) for name in MODELS}


def score(classifier: Classifier, text: str, label: str) -> float:
    return float(log_odds(classifier.predict_proba([text]), classifier.labels.index(label))[0])


TEXT = "w20 w3 w17 w9 w30 w17"


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("method", ["weights", "occlusion", "gradients"])
def test_the_planted_word_weighs_most(classifiers, name, method):
    if method == ("gradients" if name == "linear" else "weights"):
        with pytest.raises(ParamsError, match=f"method '{method}': expected one of"):
            explain(classifiers[name], TEXT, method=method)
        return
    without = classifiers[name].predict([TEXT.replace("w3 ", "")])[0]
    turned, planted = {"good": ("bad", "w2"), "bad": ("good", "w3")}[without]  # a word that turns the prediction
    text = TEXT.replace("w3", planted)
    found = explain(classifiers[name], text, method=method)
    assert found.label == max(found.probabilities, key=found.probabilities.get) == turned
    assert found.tokens == text.split()
    assert np.argmax(found.attributions) == 1
    against = explain(classifiers[name], text, without, method)
    np.testing.assert_allclose(against.attributions, -found.attributions, atol=1e-4)  # there are two classes


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("loss", ["cross_entropy", "bce"])
def test_gradients_add_up_to_the_log_odds(name, loss):
    classifier = fitted(name, loss=loss)
    for label in classifier.labels:
        found = explain(classifier, TEXT, label, "gradients")
        expected = score(classifier, TEXT, label)
        moved = abs(expected - found.start)
        assert moved > 0.1
        assert found.start + found.attributions.sum() == pytest.approx(expected, abs=MISS + 1e-3)


def gradients_of(classifier: Classifier) -> list[float]:
    return [
        float(weight.grad.sum()) for weight in classifier.model.model.network.parameters() if weight.grad is not None
    ]


def test_gradients_leave_the_network_as_it_was(classifiers):
    classifier = classifiers["lstm"]
    before, slopes = classifier.predict_proba([TEXT]), gradients_of(classifier)
    explain(classifier, TEXT, method="gradients")
    assert np.array_equal(classifier.predict_proba([TEXT]), before)
    assert gradients_of(classifier) == slopes


def test_gradients_do_not_depend_on_how_many_points_go_at_once(classifiers):
    classifier = classifiers["gru"]
    whole = explain(classifier, TEXT, method="gradients").attributions
    settings = classifier.model.model.settings
    try:
        classifier.model.model.settings = settings.model_copy(update={"batch_tokens": 1})
        np.testing.assert_allclose(explain(classifier, TEXT, method="gradients").attributions, whole, atol=1e-5)
    finally:
        classifier.model.model.settings = settings


@pytest.mark.parametrize("weighting", ["nb", "tfidf"])
@pytest.mark.parametrize("classes", [2, 3])
def test_weights_are_the_models_own_sum(weighting, classes):
    classifier = fitted("linear", classes, {"weighting": weighting, "ngrams": 3})
    for text in (TEXT, "w3", "w3 w3 w3 w17 unheard w17", "unheard"):
        logits = []
        for label in classifier.labels:
            found = explain(classifier, text, label)
            assert found.method == "weights"
            logits.append(found.start + found.attributions.sum())
            assert found.known.tolist() == [token != "unheard" for token in found.tokens]
            assert not found.attributions[~found.known].any()
        logits = np.array(logits) * WARM  # as the model has them
        odds = (np.exp(logits) if weighting == "tfidf" and classes > 2 else 1 / (1 + np.exp(-logits))) ** (1 / WARM)
        np.testing.assert_allclose(odds / odds.sum(), classifier.predict_proba([text])[0], atol=1e-5)


def test_occlusion_is_the_fall_without_the_token(classifiers):
    classifier, words = classifiers["rnn"], TEXT.split()
    found = explain(classifier, TEXT, "good", "occlusion")
    without = [score(classifier, " ".join(words[:at] + words[at + 1 :]), "good") for at in range(len(words))]
    np.testing.assert_allclose(found.attributions, score(classifier, TEXT, "good") - np.array(without), atol=1e-4)


@pytest.mark.parametrize("name", ["linear", "lstm"])
def test_a_single_word_and_an_unheard_one_have_explanations(classifiers, name):
    for text in ("w3", "unheard", "..."):
        for method in ("occlusion", "weights" if name == "linear" else "gradients"):
            found = explain(classifiers[name], text, method=method)
            assert np.isfinite(found.attributions).all()
            assert len(found.tokens) == 1


class Counter:
    """A model whose score is the number of 3s, and which counts what it is asked."""

    def __init__(self):
        self.config, self.asked = None, 0

    def predict_proba(self, docs: Ragged) -> np.ndarray:
        self.asked += len(docs)
        second = 1 / (1 + np.exp(-np.array([float((docs[row] == 3).sum()) for row in range(len(docs))])))
        return np.stack([1 - second, second], 1)


def test_a_long_text_is_left_out_in_spans():
    from textmill.explain.occlusion import occlusion

    ids = np.full(5 * EVALUATIONS - 3, 7, np.int32)
    ids[[0, 1000]] = 3
    model = Counter()
    found, start = occlusion(model, ids, 1)
    assert (model.asked <= EVALUATIONS + 1, start, len(found)) == (True, None, len(ids))
    assert found.sum() == pytest.approx(2)
    assert np.flatnonzero(np.abs(found) > 1e-9).tolist() == [*range(5), *range(1000, 1005)]


@pytest.mark.parametrize(("cut", "kept"), [("head", [0, 1, 2]), ("tail", [7, 8, 9]), ("head+tail", [0, 1, 9])])
@pytest.mark.parametrize("method", ["occlusion", "gradients"])
def test_what_a_model_does_not_read_has_no_attribution(classifiers, cut, kept, method):
    classifier = classifiers["lstm"]
    settings = classifier.model.model.settings
    try:
        classifier.model.model.settings = settings.model_copy(update={"max_len": 3, "cut": cut})
        assert classifier.model.positions(10).tolist() == kept
        found = explain(classifier, " ".join(["w9", "w3"] * 5), method=method)
    finally:
        classifier.model.model.settings = settings
    assert np.flatnonzero(np.isfinite(found.attributions)).tolist() == kept
    assert [token["attribution"] is None for token in as_dict(found)["tokens"]] == [at not in kept for at in range(10)]


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("length", [33, 39])  # batches of which are padded a little further
def test_a_longer_text_is_explained_to_its_end(classifiers, name, length):
    classifier = classifiers[name]
    assert classifier.model.positions(length).tolist() == list(range(length))
    for method in ("occlusion", "gradients"):
        found = explain(classifier, " ".join(["w9"] * (length - 1) + ["w3"]), method=method)
        assert np.isfinite(found.attributions).all()
        assert len(found.attributions) == length


@pytest.fixture(scope="module")
def folder(classifiers, tmp_path_factory):
    """Bundles of two families on the disk."""
    root = tmp_path_factory.mktemp("bundles")
    for name in ("linear", "lstm"):
        save(root / "tokenizer.json", classifiers[name].tokenizer)
        saved(root / name, classifiers[name], root / "tokenizer.json")
    return root


def command(*words, stdin=None, **environment):
    return CliRunner().invoke(app, ["explain", *map(str, words)], input=stdin, env=environment)


@pytest.mark.parametrize("name", ["linear", "lstm"])
def test_the_terminal_tells_for_and_against(folder, name):
    shown = command(folder / name, TEXT)
    assert shown.exit_code == 0
    assert shown.stdout.startswith("good 0.")
    assert TEXT in shown.stdout
    assert "for good" in shown.stdout
    assert "w17 x2" in shown.stdout
    assert "\x1b" not in shown.stdout  # no terminal, no colours
    assert command(folder / name, "-", stdin=TEXT + "\n").stdout == shown.stdout


def test_half_of_a_surrogate_pair_is_explained_as_it_is_predicted(classifiers):
    found = explain(classifiers["linear"], "w3 \ud800 w2")
    assert found.tokens == ["w3", "w2"]


def test_unknown_words_are_told_by_name(folder):
    shown = command(folder / "lstm", "w3 unheard w2 unseen").stdout
    assert "w3 unheard w2 unseen" in shown
    assert "unheard (unknown)" in shown
    assert "unseen (unknown)" in shown


def test_json_holds_every_token(folder):
    found = json.loads(command(folder / "lstm", TEXT, "--json", "--label", "bad", "--method", "gradients").stdout)
    assert [token["token"] for token in found["tokens"]] == TEXT.split()
    assert all(token["known"] for token in found["tokens"])
    assert (found["label"], found["method"], set(found["probabilities"])) == ("bad", "gradients", {"bad", "good"})


def test_what_weighs_most_is_painted(classifiers):
    from textmill.explain.view import coloured

    styles = [str(part.style) for part in coloured(explain(classifiers["linear"], "w2 w3 w3 w30 w30"))]
    assert any("on blue" in style for style in styles)
    assert any("on yellow" in style for style in styles)


def test_a_token_cannot_drive_the_terminal(folder, classifiers, tmp_path):
    words = classifiers["linear"].tokenizer.vocabulary
    evil = WordTokenizer(True, "strip", r"\S+", ("\x1b[31mred\u202e[b]", *words[1:]))
    save(tmp_path / "tokenizer.json", evil)
    saved(tmp_path / "evil", classifiers["linear"], tmp_path / "tokenizer.json", labels=["bad[/b]\x1b[0m", "good"])
    shown = command(tmp_path / "evil", "\x1b[31mred\u202e[b] w5")
    assert shown.exit_code == 0
    assert not {"\x1b", "\u202e"} & set(shown.stdout)
    assert "[31mred[b]" in shown.stdout
    assert "for bad[/b][0m" in shown.stdout


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["none", "x"], 4, "none: not a model's folder"),
        (["lstm", " \n"], 2, "the text is empty"),
        (["lstm", "x", "--label", "goood"], 2, "label 'goood': did you mean 'good'?"),
        (["lstm", "x", "--label", "zzz"], 2, "label 'zzz': expected one of bad, good"),
        (["lstm", "x", "--method", "weights"], 2, "expected one of occlusion, gradients for family lstm"),
        (["linear", "x", "--method", "gradients"], 2, "expected one of weights, occlusion for family linear"),
        (["linear", "x", "--method", "magic"], 2, "method 'magic'"),
    ],
)
def test_a_wrong_command_is_one_line(folder, words, code, message):
    done = command(folder / words[0], *words[1:])
    assert done.exit_code == code
    assert done.stderr.startswith("error: explain: ")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
