import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textmill.judging.answers import Answers as Said
from textmill.judging.comparison import CompareConfig, Evaluated, compare
from textmill.judging.doubts import doubts
from textmill.records.curve import Curve, Forecast, Size
from textmill.records.data import Clean, Split, Tokenized, Vectors
from textmill.records.findings import Findings
from textmill.records.fit import Fit
from textmill.records.history import Epoch
from textmill.records.labels import Labels
from textmill.records.mistakes import Mistake
from textmill.records.outcome import Outcome
from textmill.records.scores import Scores
from textmill.records.slices import Slices
from textmill.records.suspects import Suspect, Suspects
from textmill.records.terms import Terms
from textmill.report import page as report_page
from textmill.report.answers import Answer, Answers, Document
from textmill.report.experiment import Asked, Experiment
from textmill.report.numbers import count, decimals, interval, percent, points
from textmill.report.page import hash_of, render, ticks
from textmill.report.plots import PALETTE, confusion_figure, curves_figure
from textmill.report.side_by_side import side_by_side

ATTACKS = ["<script>alert(1)</script>", "</script>", '"onerror="alert(1)', "{{7*7}}", "<img src=x onerror=alert(1)>"]
VOID = {"meta", "br", "input"}
LABELS = Labels(Suspects(documents=60, judged=0, fitted=0, drawn=False, listed=0, top=[]), {})
SIZES = [Size(rows=rows, scores=scores) for rows, scores in ((50, [0.6, 0.7]), (100, [0.7, 0.72]), (200, [0.75]))]
TWICE, FOUR = (Forecast(times=times, score=0.7 + times / 25, low=0.7, high=0.9) for times in (2, 4))


def one_slice(name, accuracy=0.75, rows=30, **more):
    """Returns a slice of analysis.json."""
    if not rows:
        return {"slice": name, "rows": 0, "accuracy": None, "low": None, "high": None}
    return {"slice": name, "rows": rows, "accuracy": accuracy, "low": accuracy - 0.1, "high": accuracy + 0.1, **more}


def made_up(names=("linear", "lstm"), labels=("rotten", "fresh"), rows=60, errors=("A film.",), lacks=None):
    """Returns what the stages write about models that are right on about three of four documents."""
    random = np.random.default_rng(0)
    ids = [f"{i:016x}" for i in range(rows)]
    actual = random.choice([label for label in labels if label != lacks], rows).astype(object)
    models, predictions = {}, {}
    wrong = {"id": ids[0], "label": labels[0], "prediction": labels[1], "confidence": 0.99, "tokens": 2, "unknown": 0.0}
    sides = [f"{side}_{of}" for of in ("macro", "weighted") for side in ("precision", "recall", "f1")]
    for number, name in enumerate(names):
        guess = random.choice(labels, rows).astype(object)
        predictions[name] = predicted = np.where(random.random(rows) < 0.75, actual, guess)
        hit = float(np.mean(actual == predicted))
        some = {"accuracy": hit, "f1_macro": hit, "log_loss": 0.5}
        told = some | {"roc_auc": None, "calibration_error": 0.04}
        epochs = range(1, 2 if name == "linear" else 4)
        models[name] = {
            "fit": {"family": name, "tokenizer": "word", "parameters": 1234, "epochs": len(epochs), "best_epoch": 1}
            | {"threads": 1, "processes": 1, "device": "cpu", "precision": "float32", "pretraining": None}
            | {"weights": f"{number:064x}", "validation": some, "seed": 7}
            | {"seeds": [{"seed": 7, "epochs": len(epochs), "best_epoch": 1, "validation": some}]},
            "scores": dict.fromkeys(sides, hit)
            | told
            | {"seeds": [{"seed": 7} | told], "mean": told, "sd": dict.fromkeys(told)}
            | {"labels": list(labels), "rows": rows}
            | {"confusion": [[int(((actual == a) & (predicted == b)).sum()) for b in labels] for a in labels]}
            | {"classes": {x: {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 9.0} for x in labels}}
            | {"calibration": [{"confidence": x, "accuracy": x - 0.05, "rows": 30} for x in (0.55, 0.95)]},
            "analysis": {
                "length": [one_slice(f"part {x}", **{"from": x, "to": x + 9}) for x in (1, 2)],
                "negation": [one_slice("without"), one_slice("with", 0.2)],
                "unknown": [one_slice("none"), one_slice("up to 5 %"), one_slice("more than 10 %", rows=0)],
            },
            "errors": [wrong | {"text": text} for text in errors],
            "terms": {label: [{"text": f"so {label}", "weight": 1.5}] for label in labels} if name == "linear" else {},
            "history": [
                {"epoch": float(e), "train_loss": None if name == "linear" else 1 / e, "validation_loss": 0.5}
                | {"validation_accuracy": hit, "validation_f1": hit, "learning_rate": None}
                for e in epochs
            ],
        }
    words = {"mean": 9.5, "percentiles": {"50": 9, "100": 30}, "histogram": {"edges": [0, 10, 20], "counts": [40, 20]}}
    part = {"rows": rows, "labels": dict.fromkeys(labels, rows // len(labels)), "duplicates": 0, "words": words}
    empty = {"rows": 0, "labels": dict.fromkeys(labels, 0), "duplicates": 0}
    empty["words"] = {"mean": 0, "percentiles": {}, "histogram": {"edges": [], "counts": []}}
    overlap = {"train-validation": 0, "train-test": 0, "validation-test": 0}
    split = {"seed": 42, "by": "text", "overlap": overlap, "unlabelled_in_test": 0, "conflicts": 0}
    split["left_out"] = dict.fromkeys(("train", "validation", "test"), 0)
    split["splits"] = dict.fromkeys(("train", "validation", "test"), part) | {"unlabelled": empty}
    clean = {"rows": 70, "kept": 60, "dropped": {"empty text": 10}, "repaired": {}, "labels": part["labels"]}
    ids_of_split = {"tokens": 100, "unknown": 0.05, "lengths": words}
    encoded = {"word": {"vocabulary": 99, "splits": dict.fromkeys(("train", "validation", "test"), ids_of_split)}}
    return models, predictions, actual, ids, clean, split, encoded


def outcome(name, model) -> Outcome:
    """Returns one of the models of `made_up` as the stages read it."""
    parts = Fit(**model["fit"]), Scores(**model["scores"]), Slices(**model["analysis"])
    mistakes, history = ([of(**row) for row in model[key]] for of, key in ((Mistake, "errors"), (Epoch, "history")))
    return Outcome(Path("metrics") / name, *parts, mistakes, history, Terms(model["terms"]).root)


def page(
    metric="accuracy",
    change=None,
    vectors=None,
    seeds=None,
    ensembles=None,
    told=LABELS,
    licence=None,
    tell=None,
    **made,
) -> str:
    """Returns a page. seeds: their number, by model; ensembles: their members, with the first one's answers.

    tell: is called with the comparison.
    """
    models, predictions, actual, ids, clean, split, encoded = made_up(**made)
    if change:
        change(models, clean, split)
    config = CompareConfig(metric=metric, alpha=0.05, ensembles=ensembles or {})
    labels, known = list(made.get("labels", ("rotten", "fresh"))), pl.Series(ids)
    numbers = {label: number for number, label in enumerate(labels)}

    def said(runs) -> Said:
        each = [np.array([numbers[label] for label in run]) for run in (actual, *runs)]
        return Said(known, each[0], np.stack(each[1:]), np.arange(len(known)))

    def chosen(share) -> Said:
        truth = np.arange(1000) % len(labels)
        wrong = np.arange(1000) >= round(1000 * share)
        return Said(pl.Series(truth.astype(str)), truth, ((truth + wrong) % len(labels))[None], np.arange(1000))

    evaluated = {}
    for name, model in models.items():
        fit, scores = model["fit"], model["scores"]
        size = fit["family"], fit["tokenizer"], fit["parameters"]
        of = fit["validation"]["log_loss"], scores["mean"], labels, chosen(fit["validation"]["accuracy"])
        evaluated[name] = Evaluated(Path("metrics") / name, *size, *of, said([predictions[name]]))
    for name, number in (seeds or {}).items():
        runs = {7 + i: np.roll(predictions[name], i) for i in range(number)}
        (own,) = models[name]["fit"]["seeds"]
        models[name]["fit"]["seeds"] = [own | {"seed": seed} for seed in runs]
        evaluated[name] = replace(evaluated[name], test=said(runs.values()))
    for name, members in config.ensembles.items():
        evaluated[name] = replace(evaluated[members[0]], family="ensemble", validation=chosen(0.97))
    result = compare(config, 42, labels[0], split["splits"]["train"]["labels"], evaluated)
    if tell:
        tell(comparison=result)
    outcomes = {name: outcome(name, model) for name, model in models.items()}
    tokenized = {name: Tokenized(**facts) for name, facts in encoded.items()}
    sources = {"word": Vectors(**(vectors or {"source": None}))}
    found = Findings(outcomes, Clean(**clean), Split(**split), tokenized, sources, told)
    entries = {name: {"family": name, "tokenizer": "word"} for name in models}
    asked = Asked(entries, {"lr": 0.002}, licence, "c0ffee" * 5)
    errors = wrong(list(models), ids, labels, made.get("errors", ("A film.",)))
    return render(Experiment(result, found, doubts(result, outcomes), errors, asked))


def wrong(names, ids, labels, errors) -> Answers:
    """Returns documents with these texts, which all models get wrong."""
    answers = [Answer(labels[1], 0.99, False) for _ in names]
    shown = [Document(one, text, labels[0], answers) for one, text in zip(ids, errors, strict=False)]
    return Answers(names, len(shown), shown, {a: {b: 3 for b in names if b != a} for a in names})


class Reader(HTMLParser):
    """Collects a page's text, tags and attributes; fails on a tag that is not closed."""

    def __init__(self, html: str):
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], set(), [], []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes += attributes
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes += attributes

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_nothing_in_a_text_becomes_markup_or_template():
    def change(models, clean, split):
        clean["dropped"], split["conflicts"] = dict.fromkeys(ATTACKS, 1), 1

    html = page(labels=ATTACKS, errors=ATTACKS, change=change, licence=ATTACKS[0])
    read = Reader(html)
    assert not read.tags & {"img", "iframe", "link", "object"}
    assert not [name for name, _ in read.attributes if name.startswith("on")]
    assert html.count("<script") == html.count("</script") == 1
    texts = {text.strip() for text in read.text}
    assert {*ATTACKS, (Path(report_page.__file__).parent / "page.js").read_text().strip()} <= texts


def test_the_page_needs_and_may_load_nothing():
    html = page()
    read = Reader(html)
    script = html.partition("<script>")[2].partition("</script>")[0]
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src '{hash_of(script)}'; img-src data:; "
    assert ("content", policy + "base-uri 'none'; form-action 'none'") in read.attributes
    links = [value for name, value in read.attributes if name in ("href", "src")]
    assert links
    assert all(link.startswith("#") for link in links)
    assert "url(" not in "".join(read.text)


def test_every_link_of_the_contents_has_its_section():
    read = Reader(page())
    assert {v for n, v in read.attributes if n == "href"} <= {f"#{v}" for n, v in read.attributes if n == "id"}


def test_calibration_counts_its_documents():
    def change(models, clean, split):
        for one in models["linear"]["scores"]["calibration"]:
            one["rows"] = 4321

    assert page(change=change).count('">4,321</text>') == 2


CASES = {
    "one model": {"names": ["linear"]},
    "twelve models": {"names": [f"lstm-{i}" for i in range(12)]},
    "twenty classes": {"labels": [f"comp.sys.with-a-long-name-{i}" for i in range(20)], "rows": 300},
    "no errors": {"errors": []},
    "seeds and an ensemble": {"seeds": {"lstm": 3}, "ensembles": {"both": ["linear", "lstm"]}},
    "macro-F1": {"metric": "f1_macro", "names": ["linear", "gru", "lstm"]},
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_page_is_whole_and_the_same_twice(case):
    html = page(**case)
    assert html == page(**case)
    read = Reader(html)
    assert not re.search(r"\b(None|nan|inf|Undefined)\b", html)
    shown = set(read.text)
    assert set(case.get("names", ["linear", "lstm"])) <= shown
    assert any("A film." in text for text in read.text) == (case.get("errors") != [])


def test_a_single_model_has_no_pairs():
    html = page(names=["linear"])
    assert 'id="pairs"' not in html
    assert "nothing to compare it with" in html


SEVERAL = {"names": ["linear", "gru", "lstm"], "seeds": {"lstm": 3}, "ensembles": {"both": ["lstm", "gru"]}}


def test_several_seeds_have_a_mean_and_a_spread():
    def lstm_is_best(models, clean, split):
        models["lstm"]["fit"]["validation"] = {"accuracy": 0.9, "f1_macro": 0.9, "log_loss": 0.1}

    text = "".join(Reader(page(change=lstm_is_best, **SEVERAL)).text)
    assert "is the mean of 3 seeds (standard deviation" in text
    assert "data/models holds the seed that was best on validation, seed 7, which scores" in text
    assert re.search(r"± \d+\.\d\d, 3 seeds", text)
    assert "and to the luck of the seeds" in text
    assert "seed 7, best epoch 1 of 3" in text
    for single in (page(), page(metric="f1_macro", names=["gru", "lstm"])):
        assert not re.search(r"± \d|mean of \d|seed 7|seeds, ", "".join(Reader(single).text))


def test_an_ensemble_is_named_next_to_the_champion():
    html = page(**SEVERAL)
    text = "".join(Reader(html).text)
    assert "<h1>both" not in html
    assert "The ensemble both, the mean of lstm and gru, scored higher on validation (97.0" in text
    assert "mean of lstm, gru" in text
    assert "Of 3 models," in text
    many = {"names": [f"lstm-{i}" for i in range(5)], "ensembles": {"both": ["lstm-1", "lstm-2"]}}
    assert "The other 10 pairs" in page(**many)  # of 15; the champion's 5 come first


def test_a_tie_is_called_a_tie():
    html = page(names=["gru", "lstm"])
    assert "The test documents cannot separate it from" in html
    assert "by more than chance explains" not in html


def test_documents_left_out_are_reported():
    def leave(models, clean, split):
        split["left_out"] = {"train": 12_000, "validation": 0, "test": 7}

    assert "Left out at random because of <code>split.sizes</code>: 12,000 of train, 0 of validation, 7 of test." in (
        page(change=leave)
    )
    assert "Left out" not in page()


def test_coverage_of_vectors_is_reported_if_there_are_any():
    assert "Word vectors of" not in page()
    found = {"source": "trained", "from": "word2vec", "size": 100, "words": 2000, "found": 1500}
    text = page(vectors=found | {"coverage": 0.75, "running": 0.981})
    expected = "Word vectors of word: 1,500 of 2,000 words (75.0 %), which cover 98.1 % of the running words of train; "
    assert expected + "100 dimensions, trained here by word2vec." in text.replace("\u00a0", " ")


def test_unlabelled_documents_left_out_are_reported():
    def leave(models, clean, split):
        split["unlabelled_in_test"] = 270

    assert "270 unlabelled documents were left out" in page(change=leave)
    assert "were left out" not in page()


def test_a_leak_between_given_splits_is_reported():
    def leak(models, clean, split):
        split["overlap"]["train-test"] = 15

        split["near"] = {"train-test": 7}

    assert "Leak" not in page()
    assert "Near copies" not in page()
    text = "".join(Reader(page(change=leak)).text)
    assert "Leak: 15 of 60 test documents (25.0\N{NO-BREAK SPACE}%) are also in train." in text
    assert "Near copies: 7 of 60 test documents are nearly the same as one in train" in text


def test_absent_classes_and_texts_encoded_twice_are_reported():
    def found(models, clean, split):
        clean["twice_encoded"] = 12

    text = "".join(Reader(page(change=found)).text)
    assert "12 texts look encoded twice" in text
    assert "macro averages" not in text
    lacking = page(labels=("a", "b"), lacks="b")
    assert "The test split has no document of &#39;b&#39;: macro averages cover only the classes it has." in lacking


def test_slices_are_side_by_side_and_only_real_differences_are_marked():
    models, *_ = made_up()
    models["lstm"]["analysis"]["length"] = [one_slice("part 1", rows=40, **{"from": 1, "to": 70})]
    models["lstm"]["analysis"]["negation"] = [one_slice("without", sign=1), one_slice("with", 0.2, sign=-1)]
    length, negation, unknown = side_by_side([outcome(name, models[name]) for name in ("lstm", "linear")])
    assert [row.slice for row in length.rows] == ["part 1", "part 2"]
    assert ((length.rows[0].rows, length.rows[0].longest), length.rows[1].cells[0]) == (((30, 40), (10, 70)), None)
    assert [[cell.sign for cell in row.cells] for row in negation.rows] == [[1, 0], [-1, 0]]
    assert [row.slice for row in unknown.rows] == ["none", "up to 5 %"]
    signed = page(change=lambda made, *_: made["lstm"].update(models["lstm"]))
    assert (signed.count("▼ 20.0"), signed.count("▲ 75.0")) == (1, 1)
    for model in models.values():
        model["analysis"]["negation"][1] = one_slice("with", rows=0)
    models["lstm"]["analysis"]["columns"] = {"country": [one_slice("fr", 0.4, sign=-1), one_slice("es")]}
    tables = side_by_side([outcome("lstm", models["lstm"])])
    assert [table.title for table in tables] == ["By country", "By tokens outside the vocabulary"]
    assert [(row.slice, row.cells[0].accuracy) for row in tables[0].rows] == [("fr", 0.4), ("es", 0.75)]


def test_a_model_keeps_its_colour_when_the_ranking_changes():
    def better(name):
        def change(models, clean, split):
            models[name]["fit"]["validation"] = {"accuracy": 0.99, "f1_macro": 0.99, "log_loss": 0.1}

        return change

    for winner in ("linear", "lstm"):
        html = page(change=better(winner))
        assert f"<h1>{winner}: " in html
        for name, colour in zip(("linear", "lstm"), PALETTE, strict=False):
            assert set(re.findall(rf"--c: (#\w+)\">{name}<", html)) == {colour}


def test_numbers_as_text():
    assert percent(0.7812) == "78.1\N{NO-BREAK SPACE}%"
    assert [points(x) for x in (0.0212, -0.0212, -0.0001)] == ["+2.1", "\N{MINUS SIGN}2.1", "0.0"]
    assert [count(12345), decimals(0.5), percent(None), count(None), decimals(None)] == ["12,345", "0.500", *"–––"]
    assert [interval(0.7612, 0.801), interval(None, None), points(None)] == ["76.1 – 80.1", "–", "–"]


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3))
def test_ticks_are_few_and_within_the_axis(low, length):
    marks = ticks(low, low + length)
    assert 1 <= len(marks) <= 6
    assert all(low - 1e-6 <= mark <= low + length + 1e-6 for mark in marks)
    assert np.allclose(np.diff(marks, n=2), 0, atol=1e-6)


def test_the_palette_can_be_seen_in_both_schemes():
    def luminance(colour: str) -> float:
        parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        return float(
            np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]
        )

    assert len(set(PALETTE)) == 12
    for colour in PALETTE:
        assert (luminance("#fdfdfb") + 0.05) / (luminance(colour) + 0.05) > 2.8
        assert (luminance(colour) + 0.05) / (luminance("#16181c") + 0.05) > 2.7


def png(figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


@pytest.mark.parametrize("classes", [2, 20])
def test_confusion_figure(classes):
    labels = [f"{i}: costs $x and has a long name" for i in range(classes)]
    counts = [[i * j for j in range(classes)] for i in range(classes)]
    figure = confusion_figure(labels, counts)
    assert png(figure) == png(confusion_figure(labels, counts))
    axes = figure.axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "actual")
    assert [text.get_text() for text in axes.get_yticklabels()] == [label[:23] + "…" for label in labels]
    shares = axes.images[0].get_array()
    assert np.allclose(shares.sum(axis=1), [0] + [1] * (classes - 1))
    assert [text.get_text() for text in axes.texts] == (["0", "0", "0", "1"] if classes == 2 else [])


@pytest.mark.parametrize("name", ["linear", "lstm"])
def test_curves_figure(name):
    history = outcome(name, made_up()[0][name]).history
    figure = curves_figure(history, "costs $x and $y")
    assert png(figure) == png(curves_figure(history, "costs $x and $y"))
    loss, accuracy = figure.axes
    assert [line.get_label() for line in loss.lines] == ["train", "validation"]
    assert list(accuracy.lines[0].get_ydata()) == [row.validation_accuracy for row in history]
    assert np.isnan(loss.lines[0].get_ydata()).all() == (name == "linear")


def test_the_page_shows_temperatures_and_thresholds():
    def change(models, clean, split):
        warm = {"seed": 7, "temperature": 2.5, "documents": 400, "too_few": False}
        warm |= {"log_loss_before": 0.815, "log_loss": 0.52, "calibration_error_before": 0.179}
        cold = warm | {"temperature": 1.0, "documents": 123, "too_few": True}
        risks = [
            {"risk": 0.05, "above": None, "answered": 0, "wrong": 0},
            {"risk": 0.2, "above": 0.9, "answered": 30, "wrong": 3},
            {"risk": 0.3, "above": 0.9999, "answered": 0, "wrong": 0},
        ]
        for model, told in zip(models.values(), (cold, warm), strict=True):
            model["scores"] |= {
                "temperatures": [told | {"calibration_error": 0.028}],
                "risks": risks,
                "least_risk": 0.12,
            }
            model["scores"] |= {"coverage": [{"share": 0.5, "accuracy": 0.9}, {"share": 1.0, "accuracy": 0.8}]}

    html = page(change=change)
    read = Reader(html)
    shown = "|".join(text.strip() for text in read.text if text.strip())
    assert "lstm|2.50|0.815|0.520|0.179|0.028" in shown
    assert "linear|1.00|too few validation documents (123) to find a better one|0.815" in shown
    row = "linear|none|above 90.0\xa0%|answers 50\xa0%|10.0\xa0% wrong|above 100.0\xa0%|answers 0\xa0%|– wrong|12\xa0%"
    assert f"At most wrong|5\xa0%|20\xa0%|30\xa0%|Least|{row}|lstm|none" in shown
    assert "For at most 5\xa0% wrong, validation shows no confidence of" in shown
    assert "must be above 90.0\xa0%; it then answers 50\xa0% of the test documents." in shown
    assert {"#thresholds", "#calibration"} <= {value for name, value in read.attributes if name == "href"}
    without = Reader(page())
    assert not {"Temperature", "At most wrong"} & {text.strip() for text in without.text}


def told_of(attack="A film.", forecasts=(TWICE, FOUR), line=None, **more) -> Labels:
    top = [Suspect(id="1", split="test", label="fresh", would_be=attack, probability=0.9, text=attack)]
    facts = {"documents": 60, "judged": 60, "fitted": 48, "drawn": False, "listed": 17, "top": top}
    curve = Curve(metric="accuracy", by="text", sizes=SIZES, forecasts=list(forecasts), no_forecast=line)
    return Labels(Suspects(**facts | more), {"linear": curve})


def test_suspects_and_forecasts_are_on_the_page():
    text = " ".join(Reader(page(told=told_of())).text)
    assert "Twice the labels would bring about +3.0 points of accuracy (−5.0 to +15.0), four times +11.0 points" in text
    assert "lists 17" in text
    assert "50 100 200 400 800" in " ".join(text.split())
    nothing = page()
    assert 'id="suspects"' not in nothing
    assert 'id="more-labels"' not in nothing


def test_a_curve_without_a_forecast_says_why():
    html = page(told=told_of(forecasts=(), line="the score does not grow with the documents", drawn=True))
    text = " ".join(Reader(html).text)
    assert "What more labels would bring is unknown: the score does not grow with the documents." in text
    assert "Each model was trained on 48 documents at most" in text


@pytest.mark.parametrize("attack", ATTACKS)
def test_suspicious_texts_are_only_text(attack):
    html = page(told=told_of(attack))
    reader = Reader(html)
    assert html.count("<script") == 1
    assert attack in " ".join(reader.text)
