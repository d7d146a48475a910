"""Compare the models of params.yaml on the test split; write the report; print one table of them all."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from stages.run import run
from textmill.comparison import CompareConfig, Evaluated, compare, standing
from textmill.config import PARAMS, Name, Seed, load_section
from textmill.console import say, table
from textmill.errors import ArtifactError
from textmill.files import read_history, read_json, read_parquet, write_json, write_text
from textmill.report.page import count, decimals, percent, render
from textmill.timings import TIMINGS, recall

WRITERS = {
    "fit.json": "train",
    "history.csv": "train",
    "scores.json": "evaluate",
    "predictions.parquet": "evaluate",
    "errors.json": "evaluate",
    "analysis.json": "evaluate",
}
NAMES = Annotated[dict[Name, Any], Field(min_length=1)]


def main(metrics: Path, comparison: Path, page: Path, params: Path = PARAMS, timings: Path = TIMINGS) -> None:
    """The models are those of params.yaml: what a removed one left on the disk is not looked at."""
    config = load_section(params, "compare", CompareConfig)
    seed = load_section(params, "seed", Seed)
    dataset = load_section(params, "dataset.name", str)
    models = {name: read_model(metrics / name) for name in load_section(params, "models", NAMES)}
    encoded = {name: read_tokenizer(metrics, name) for name in load_section(params, "tokenizers", NAMES)}
    clean, split = read_json(metrics / "clean.json"), read_json(metrics / "split.json")

    evaluated = {
        name: Evaluated(model["fit"], model["scores"], *read_predictions(metrics / name / "predictions.parquet"))
        for name, model in models.items()
    }
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


def read_predictions(path: Path) -> tuple[Any, Any, Any]:
    """ids, labels and predictions (N,) of a predictions.parquet."""
    frame = read_parquet(path, columns=["id", "label", "prediction"])
    return tuple(frame[column].to_numpy() for column in frame.columns)


def tell(result: dict[str, Any], timings: dict[str, dict[str, float]], page: Path) -> None:
    """Print the table of all models, the champion's standing, and where to look next."""
    header = ["model", "validation", "test", "interval", "macro-F1", "log-loss", "calibration", "parameters"]
    rows = []
    for model in result["models"]:
        timing = timings[model["name"]]
        scores = [
            percent(model["score"]),
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
    table(title, [*header, "train s", "docs/s"], rows)

    words = {"beats": "beats", "ties": "ties with", "loses": "is beaten on the test split by"}
    found = [f"{words[verb]} {', '.join(names)}" for verb, names in standing(result).items() if names]
    told = "; ".join(found) or "nothing to compare it with"
    say(f"Champion by {result['champion_by']}: {result['champion']} ({told})")
    say(f"Look next: {page} (curves, confusion, errors) · `make ui` (runs) · `dvc metrics diff` (what changed)")


if __name__ == "__main__":
    run(main)
