"""A model with several seeds, from training to the predictions of an ensemble."""

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from conftest import MODELS, TRAIN
from test_stages import KEPT, PARAMS, command, prepare, run_evaluate, run_train

from textmill import bundle, classifier, models, tally
from textmill.confidence import at_temperature, steps
from textmill.config import validate
from textmill.errors import ArtifactError, ParamsError
from textmill.files import read_json, sha256, write_json
from textmill.judging import comparison
from textmill.judging.comparison import CompareConfig, evaluated
from textmill.judging.ensembles import combine, member
from textmill.judging.scoring import classes_of, probabilities_of
from textmill.records.history import read_history
from textmill.records.outcome import Outcome
from textmill.records.scores import Scores
from textmill.training import calibration
from textmill.training.calibration import fitted_temperature
from textmill.training.settings import TrainConfig

pytestmark = pytest.mark.slow

SEEDS = [5, 2, 9]
SEVERAL = PARAMS | {
    "dataset": {"name": "reviews", "text": "text"},
    "train": {**TRAIN, "epochs": 3, "lr": 0.003},
    "models": {"linear": MODELS["linear"], "lstm": {**MODELS["lstm"], "seeds": SEEDS}, "gru": MODELS["gru"]},
    "compare": {
        "metric": "accuracy",
        "alpha": 0.05,
        "ensembles": {"both": ["gru", "lstm"], "pair": ["linear", "gru"]},
    },
}

SEEN = {"linear": 1, "lstm": 3, "gru": 1, "both": 3, "pair": 1}


@pytest.fixture(scope="module", autouse=True)
def calibrated():
    """Makes the few documents here enough for a temperature."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calibration, "ENOUGH", 0)
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory, reviews):
    """Returns a folder with three trained and evaluated models."""
    root = tmp_path_factory.mktemp("seeds")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        prepare(root, reviews, SEVERAL)
        for name in SEVERAL["models"]:
            run_train(root, name)
            run_evaluate(root, name)
    return root


def link_inputs(made, folder):
    """Links the inputs of training into another folder."""
    for path in made.iterdir():
        if path.name not in (*SEVERAL["models"], "data", "metrics", "params.yaml"):
            (folder / path.name).symlink_to(path)


def facts(made, name, file):
    return read_json(made / f"metrics/{name}/{file}.json")


def test_the_seed_that_is_best_on_validation_is_shipped(made):
    fit = facts(made, "lstm", "fit")
    assert [one["seed"] for one in fit["seeds"]] == sorted(SEEDS)
    each = {one["seed"]: one["validation"] for one in fit["seeds"]}
    assert len({one["log_loss"] for one in each.values()}) == 3  # the seeds differ
    good = {seed: (one["accuracy"], -one["log_loss"]) for seed, one in each.items()}
    assert good[fit["seed"]] == max(good.values())
    config = read_json(made / "lstm/config.json")
    assert (config["seed"], config["validation"]) == (fit["seed"], each[fit["seed"]])
    for key, mean in fit["validation"].items():
        assert mean == pytest.approx(np.mean([one[key] for one in each.values()]), abs=1e-6)
    curve = read_history(made / "metrics/lstm/history.csv")
    best = curve[fit["best_epoch"] - 1]
    assert best.validation_loss > each[fit["seed"]]["log_loss"]  # the curve is for temperature 1
    assert best.validation_accuracy == pytest.approx(each[fit["seed"]]["accuracy"], rel=1e-5)


def test_every_seed_is_what_it_is_alone(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for seed in SEEDS:
        folder = tmp_path / str(seed)
        folder.mkdir()
        link_inputs(made, folder)
        lstm = {**MODELS["lstm"], "seeds": [seed]}
        write_json(tmp_path / "params.yaml", SEVERAL | {"models": {"lstm": lstm}})
        run_train(folder, "lstm")
        run_evaluate(folder, "lstm")
        assert sha256(folder / "lstm/model.safetensors") == digest_of(made, seed)
        assert not (folder / "lstm/seeds").exists()
        (alone,) = facts(folder, "lstm", "scores")["seeds"]
        assert alone in facts(made, "lstm", "scores")["seeds"]
        assert "test_accuracy_sd" not in facts(folder, "lstm", "summary")


def digest_of(made, seed: int) -> str:
    """Returns the digest of one seed's weights, as its bundle records it."""
    config = read_json(made / "lstm/config.json")
    others = {other["seed"]: other["weights"] for other in config["others"]}
    assert bundle.read_config(made / "lstm").seeds == sorted(SEEDS)
    assert sorted(others) == sorted(set(SEEDS) - {config["seed"]})
    return others.get(seed, config["weights"])


def test_every_seed_is_scored(made):
    scores, shipped = facts(made, "lstm", "scores"), facts(made, "lstm", "fit")["seed"]
    others = pl.read_parquet(made / "metrics/lstm/seeds.parquet")
    test = pl.read_parquet(made / "split/test.parquet").sort("id")
    assert others["seed"].unique().to_list() == sorted(set(SEEDS) - {shipped})
    for one in scores["seeds"]:
        table = others.filter(seed=one["seed"])
        table = table if len(table) else pl.read_parquet(made / "metrics/lstm/predictions.parquet")
        assert table.select("id", "label").equals(test.select("id", "label"))
        assert one["accuracy"] == pytest.approx((table["label"] == table["prediction"]).mean(), abs=1e-6)
    accuracies = [one["accuracy"] for one in scores["seeds"]]
    assert scores["mean"]["accuracy"] == pytest.approx(np.mean(accuracies), abs=1e-6)
    assert scores["sd"]["accuracy"] == pytest.approx(np.std(accuracies, ddof=1), abs=1e-6)
    line = facts(made, "lstm", "summary")
    assert (line["test_accuracy_mean"], line["test_accuracy_sd"]) == (
        scores["mean"]["accuracy"],
        scores["sd"]["accuracy"],
    )
    assert (
        line["test_accuracy"]
        == scores["accuracy"]
        == next(s for s in scores["seeds"] if s["seed"] == shipped)["accuracy"]
    )


def test_the_validation_predictions_are_those_that_chose(made):
    for name in SEVERAL["models"]:
        table = pl.read_parquet(made / f"metrics/{name}/validation.parquet")
        for one in facts(made, name, "fit")["seeds"]:
            own = table.filter(seed=one["seed"])
            assert len(own) == len(pl.read_parquet(made / "split/validation.parquet"))
            assert one["validation"]["accuracy"] == pytest.approx((own["label"] == own["prediction"]).mean(), abs=1e-6)


def test_every_seed_is_calibrated_on_its_validation_predictions(made):
    for name in SEVERAL["models"]:
        config, scores = bundle.read_config(made / name), Scores.read(made / f"metrics/{name}/scores.json")
        said = {one["seed"]: one["validation"]["log_loss"] for one in facts(made, name, "fit")["seeds"]}
        assert [one.seed for one in scores.temperatures] == config.seeds
        for told in scores.temperatures:
            known = config.calibrations[told.seed]
            table = pl.read_parquet(made / f"metrics/{name}/validation.parquet").filter(seed=told.seed)
            proba, actual = probabilities_of(table, scores.labels), classes_of(table, "label", scores.labels)
            plain = at_temperature(proba, 1 / told.temperature)
            assert fitted_temperature(plain, actual) == pytest.approx(told.temperature, rel=2e-3) != 1
            assert known.temperature == told.temperature
            assert known.steps == steps(table["confidence"].to_numpy(), proba.argmax(1) == actual)
            assert said[told.seed] == known.log_loss == pytest.approx(tally.log_loss(proba, actual), abs=2e-6)
            assert told.log_loss == scores.of(told.seed)["log_loss"]


def test_a_model_without_settings_is_fitted_once(made):
    fit = facts(made, "linear", "fit")
    assert (fit["seed"], len(fit["seeds"])) == (SEVERAL["seed"], 1)
    assert facts(made, "linear", "scores")["sd"]["accuracy"] is None
    assert len(pl.read_parquet(made / "metrics/linear/seeds.parquet")) == 0


def test_damaged_weights_of_another_seed_are_named(made, tmp_path):
    shutil.copytree(made / "lstm", tmp_path / "lstm")
    path = next((tmp_path / "lstm/seeds").iterdir())
    path.write_bytes(path.read_bytes()[:-1])
    assert classifier.load(tmp_path / "lstm").predict(["a great film"])
    with pytest.raises(ArtifactError, match=rf"seeds/{path.stem}.safetensors: its checksum"):
        classifier.load(tmp_path / "lstm", seed=int(path.stem))


def test_a_killed_stage_does_not_train_a_finished_seed_again(made, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    link_inputs(made, tmp_path)
    write_json(tmp_path / "params.yaml", SEVERAL)
    family = models.model_entry(SEVERAL["models"]["lstm"], SEVERAL["train"], "models.lstm").family
    whole = family.fit

    def killed(config, settings, data, validation, task, folder):
        if task.seed == 9:
            raise KeyboardInterrupt
        return whole(config, settings, data, validation, task, folder)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(family, "fit", killed)
        run_train(tmp_path, "lstm")
    assert not (tmp_path / "lstm").exists()
    assert capsys.readouterr().out.count("epoch 1/3") == 2
    run_train(tmp_path, "lstm")
    assert capsys.readouterr().out.count("epoch 1/3") == 1
    assert (tmp_path / "lstm/config.json").read_bytes() == (made / "lstm/config.json").read_bytes()
    assert (tmp_path / "metrics/lstm/fit.json").read_bytes() == (made / "metrics/lstm/fit.json").read_bytes()
    assert not list(KEPT[0].iterdir())


def test_an_older_run_leaves_no_seeds(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    link_inputs(made, tmp_path)
    shutil.copytree(made / "lstm", tmp_path / "lstm")
    write_json(tmp_path / "params.yaml", SEVERAL | {"models": {"lstm": {**MODELS["lstm"], "epochs": 1}}})
    run_train(tmp_path, "lstm")
    assert not (tmp_path / "lstm/seeds").exists()


def test_the_comparison_judges_means_and_ensembles(made, tmp_path):
    models = {name: Outcome.read(made / f"metrics/{name}") for name in SEVERAL["models"]}
    judged = {name: evaluated(model) for name, model in models.items()}
    for name, members in SEVERAL["compare"]["ensembles"].items():
        judged[name] = combine({each: member(models[each]) for each in members})
    config = CompareConfig(**SEVERAL["compare"])
    result = comparison.compare(config, 1, "reviews", {"good": 2, "bad": 1}, judged)
    entries = {model.name: model for model in result.models}
    assert {name: entry.seeds for name, entry in entries.items()} == SEEN
    assert entries["lstm"].score == facts(made, "lstm", "scores")["mean"]["accuracy"]
    assert entries["lstm"].validation == facts(made, "lstm", "fit")["validation"]["accuracy"]
    test = pl.read_parquet(made / "split/test.parquet").sort("id")
    shipped = classifier.Averaged({Path(name): classifier.load(made / name) for name in ("linear", "gru")})
    right = shipped.predict_proba(test["text"].to_list()).argmax(1) == (test["label"] == "good").to_numpy()
    assert entries["pair"].score == pytest.approx(right.mean(), abs=1e-6)


def test_seeds_of_other_documents_are_refused(made, tmp_path):
    folder = shutil.copytree(made / "metrics/lstm", tmp_path / "lstm")
    pl.read_parquet(folder / "seeds.parquet")[:-1].write_parquet(folder / "seeds.parquet")
    with pytest.raises(ArtifactError, match=r"lstm/seeds.parquet: seed \d has other documents than \d"):
        evaluated(Outcome.read(folder))


def test_a_seed_stands_once(made):
    with pytest.raises(ParamsError, match=r"train.seeds: a seed occurs twice in \[1, 1\]"):
        validate({**TRAIN, "seeds": [1, 1]}, TrainConfig, "params.yaml: train")
    with pytest.raises(ParamsError, match=r"train.seeds: expected a length of 1 or more"):
        validate({**TRAIN, "seeds": []}, TrainConfig, "params.yaml: train")


def test_bundles_that_predict_together(made, tmp_path):
    texts = ["a great lovely film", "the plot was dull"]
    one, two = (classifier.load(made / name).predict_proba(texts) for name in ("lstm", "gru"))
    both = classifier.Averaged({made / name: classifier.load(made / name) for name in ("lstm", "gru")})
    np.testing.assert_allclose(both.predict_proba(texts), (one + two) / 2, atol=1e-7)
    shown = command("predict", made / "lstm", *texts, "--with", made / "gru")
    assert shown.exit_code == 0
    assert [float(line.split()[-1]) for line in shown.stdout.splitlines()] == pytest.approx(
        both.predict_proba(texts)[:, 1], abs=1e-4
    )
    again = command("predict", made / "lstm", "x", "--with", made / "lstm")
    assert (again.exit_code, again.stderr.count("\n")) == (2, 1)
    other = shutil.copytree(made / "gru", tmp_path / "other")
    turned = bundle.signed(read_json(other / "config.json") | {"labels": ["good", "bad"]})
    write_json(other / "config.json", turned)
    refused = command("predict", made / "lstm", "x", "--with", other)
    assert refused.exit_code == 2
    assert "labels are good, bad, " in refused.stderr
