"""Compare the models of params.yaml on the test split; write the report; print one table of them all."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from textmill import timings
from textmill.config import PARAMS, Name, Seed, load_section
from textmill.files import write_text
from textmill.judging.comparison import CompareConfig, compare
from textmill.judging.doubts import doubts
from textmill.judging.ensembles import with_ensembles
from textmill.judging.naming import check_names
from textmill.lockfile import hash_of
from textmill.parquet import read_batches
from textmill.records.data import Clean, Split, Tokenized, Vectors
from textmill.records.labels import Labels
from textmill.records.outcome import Outcome
from textmill.report.answers import answers
from textmill.report.experiment import Asked, Experiment
from textmill.report.page import render
from textmill.report.plots import draw
from textmill.report.ranking import rankings
from textmill.report.table import tell
from textmill.sources import load_dataset
from textmill.stage import run

NAMES = Annotated[dict[Name, dict[str, Any]], Field(min_length=1)]


def main(
    texts: Path, cleaned: Path, parted: Path, suspected: Path, tokenized: Path, scored: Path,
    comparison: Path, page: Path, pictures: Path, params: Path = PARAMS,
) -> None:  # fmt: skip
    """The models are those of params.yaml: what a removed one left on the disk is not looked at.

    texts: the test split. tokenized: the folder of what was counted of each tokenizer;
    scored: that of each model's results; pictures: that of what `dvc plots` shows.
    """
    config, seed = load_section(params, "compare", CompareConfig), load_section(params, "seed", Seed)
    named, tokenizers = load_section(params, "models", NAMES), load_section(params, "tokenizers", NAMES)
    dataset, train = load_dataset(params), load_section(params, "train", dict[str, Any])
    check_names(config, named, f"{params}: compare")
    models = {name: Outcome.read(scored / name) for name in named}
    clean, split = Clean.read(cleaned), Split.read(parted)
    encoded = {name: Tokenized.read(tokenized / Tokenized.FILE.format(name)) for name in tokenizers}
    vectors = {name: Vectors.read(tokenized / Vectors.FILE.format(name)) for name in tokenizers}
    judged = with_ensembles(models, config.ensembles)
    result = compare(config, seed, dataset.name, split.splits["train"].labels, judged, split.by)
    result.write(comparison)
    found, labels = doubts(result, models), Labels.read(suspected, scored, named)
    errors = answers(models, read_batches(texts, ["id", "text"]), result.champion)
    asked = Asked(named, train, dataset.licence, hash_of(comparison))
    ranked = rankings(models, result.labels)
    told = Experiment(result, models, clean, split, encoded, vectors, found, labels, errors, asked, ranked)
    write_text(page, render(told))
    draw(pictures, result, models)
    seconds = {name: timings.recall(scored / name, model.fit.weights) for name, model in models.items()}
    tell(result, seconds, page, found)  # they differ from run to run: printed, never written into an output


if __name__ == "__main__":
    run(main)
