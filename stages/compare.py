"""Compare the models of params.yaml on the test split; write the report; print one table of them all."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from textmill.config import PARAMS, Name, Seed, load_section
from textmill.console import say, table
from textmill.errors import ArtifactError
from textmill.files import read_history, read_json, read_parquet, write_json, write_text
from textmill.judging.comparison import CompareConfig, Evaluated, ahead, compare, standing
from textmill.judging.ensembles import Member, check_ensembles, combine
from textmill.report.page import count, decimals, percent, render
from textmill.stage import run
from textmill.timings import TIMINGS, recall

WRITERS = {
    "fit.json": "train",
    "history.csv": "train",
    "scores.json": "evaluate",
    "predictions.parquet": "evaluate",
    "seeds.parquet": "evaluate",
    "validation.parquet": "evaluate",
    "errors.json": "evaluate",
    "analysis.json": "evaluate",
}
NAMES = Annotated[dict[Name, Any], Field(min_length=1)]


def main(metrics: Path, comparison: Path, page: Path, params: Path = PARAMS, timings: Path = TIMINGS) -> None:
    """The models are those of params.yaml: what a removed one left on the disk is not looked at."""
    config = load_section(params, "compare", CompareConfig)
    seed = load_section(params, "seed", Seed)
    dataset = load_section(params, "dataset.name", str)
    named = load_section(params, "models", NAMES)
    check_ensembles(config.ensembles, named, f"{params}: compare.ensembles")
    models = {name: read_model(metrics / name) for name in named}
    encoded = {name: read_tokenizer(metrics, name) for name in load_section(params, "tokenizers", NAMES)}
    clean, split = read_json(metrics / "clean.json"), read_json(metrics / "split.json")

    evaluated = {name: read_evaluated(metrics / name, model) for name, model in models.items()}
    for name, members in config.ensembles.items():
        evaluated[name] = combine({member: read_member(metrics / member, models[member]) for member in members})
    result = compare(config, seed, dataset, split["splits"]["train"]["labels"], evaluated)
    write_json(comparison, result)
    write_text(page, render(result, models, clean, split, encoded))
    # Seconds are of this machine: printed, never written into an output.
    tell(result, {name: recall(name, model["fit"]["weights"], timings) for name, model in models.items()}, page)


def read_model(folder: Path) -> dict[str, Any]:
    """What train and evaluate told about one model. Raises ArtifactError naming the stage that did not run."""
    for file, stage in WRITERS.items():
        if not (folder / file).is_file():
            raise ArtifactError(f"{folder / file}: missing; run `dvc repro {stage}@{folder.name}`, which makes it")
    facts = {name: read_json(folder / f"{name}.json") for name in ("fit", "scores", "errors", "analysis")}
    return facts | {"history": read_history(folder / "history.csv")}


def read_tokenizer(metrics: Path, name: str) -> dict[str, Any]:
    """What encode and vectors told about one tokenizer."""
    return read_json(metrics / f"encode-{name}.json") | {"vectors": read_json(metrics / f"vectors-{name}.json")}


def read_tests(folder: Path, shipped: int, columns: list[str] | None = None) -> dict[int, Any]:
    """Predictions of the test split by seed. Raises ArtifactError if the seeds scored different documents."""
    first = read_parquet(folder / "predictions.parquet", columns=columns)
    tables = {shipped: first} | by_seed(read_parquet(folder / "seeds.parquet", columns=columns and ["seed", *columns]))
    for seed, one in tables.items():
        if not one["id"].equals(first["id"]):
            what = f"seed {seed} has other documents than {shipped}"
            raise ArtifactError(f"{folder / 'seeds.parquet'}: {what}; run `dvc repro -f evaluate@{folder.name}`")
    return tables


def by_seed(table: Any) -> dict[int, Any]:
    """Tables by seed of one with the column `seed`."""
    return {part["seed"][0]: part.drop("seed") for part in table.partition_by("seed", maintain_order=True)}


def read_evaluated(folder: Path, model: dict[str, Any]) -> Evaluated:
    """What `compare` judges of a model."""
    tables = read_tests(folder, model["fit"]["seed"], ["id", "label", "prediction"])
    ids, actual = (tables[model["fit"]["seed"]][column].to_numpy() for column in ("id", "label"))
    predicted = {seed: table["prediction"].to_numpy() for seed, table in tables.items()}
    return Evaluated(model["fit"], model["scores"], ids, actual, predicted)


def read_member(folder: Path, model: dict[str, Any]) -> Member:
    """What an ensemble needs of a model: its probabilities."""
    validation = by_seed(read_parquet(folder / "validation.parquet"))
    fit = model["fit"]
    return Member(fit, model["scores"]["labels"], read_tests(folder, fit["seed"]), validation)


def tell(result: dict[str, Any], timings: dict[str, dict[str, float]], page: Path) -> None:
    """Print the table of all models, the champion's standing, and where to look next."""
    header = ["model", "validation", "test", "interval", "macro-F1", "log-loss", "calibration", "parameters"]
    rows = []
    for model in result["models"]:
        timing = timings.get(model["name"], {})  # an ensemble has none
        scores = [
            percent(model["score"]) + (f" ± {100 * model['sd']:.2f}" if model["seeds"] > 1 else ""),
            f"{100 * model['low']:.1f} – {100 * model['high']:.1f}",
            percent(model["f1_macro"]),
        ]
        errors = [decimals(model["log_loss"]), decimals(model["calibration_error"]), count(model["parameters"])]
        speed = decimals(timing.get("train_seconds"), 1), count(timing.get("predict_documents_per_second"))
        rows.append([model["name"], percent(model["validation"]), *scores, *errors, *speed])
    base = result["baseline"]
    guess = [percent(base[result["metric"]]), "", percent(base["f1_macro"])]
    rows.append([f"always {base['label'][:20]}", "", *guess, *[""] * 5])
    title = f"{result['dataset']}: {result['metric']} on {result['rows']:,} test documents"
    if any(model["seeds"] > 1 for model in result["models"]):
        title += "; of several seeds mean ± standard deviation"
    table(title, [*header, "train s", "docs/s"], rows)

    words = {"beats": "beats", "ties": "ties with", "loses": "is beaten on the test split by"}
    found = [f"{words[verb]} {', '.join(names)}" for verb, names in standing(result).items() if names]
    told = "; ".join(found) or "nothing to compare it with"
    say(f"Champion by {result['champion_by']}: {result['champion']} ({told})")
    for model in ahead(result):
        members = " and ".join(model["members"])
        say(f"Ahead of it on validation: {model['name']}, the ensemble of {members} ({percent(model['validation'])})")
    say(f"Look next: {page} (curves, confusion, errors) · `make ui` (runs) · `dvc metrics diff` (what changed)")


if __name__ == "__main__":
    run(main)
