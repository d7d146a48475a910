"""Compare the models of params.yaml on the test split; write the report; print a table of all models."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from textmill.config import PARAMS, Name, Seed, load_section
from textmill.files import write_text
from textmill.judging.comparison import CompareConfig, compare
from textmill.judging.ensembles import with_ensembles
from textmill.judging.naming import check_names
from textmill.lockfile import hash_of
from textmill.parquet import read_batches
from textmill.records.findings import Findings
from textmill.report.experiment import Asked, experiment
from textmill.report.page import render
from textmill.report.plots import draw
from textmill.report.table import print_table
from textmill.sources import load_dataset

NAMES = Annotated[dict[Name, dict[str, Any]], Field(min_length=1)]


def main(
    texts: Path, clean: Path, split: Path, suspects: Path, tokenized: Path, scored: Path,
    comparison: Path, page: Path, pictures: Path, params: Path = PARAMS,
) -> None:  # fmt: skip
    """Compares the models of params.yaml; results of a model that was removed from it are ignored.

    texts: the test split. tokenized, scored: the folders of tokenizers' and models' results. pictures: for `dvc plots`.
    """
    config, seed = load_section(params, "compare", CompareConfig), load_section(params, "seed", Seed)
    models, tokenizers = load_section(params, "models", NAMES), load_section(params, "tokenizers", NAMES)
    dataset, train = load_dataset(params), load_section(params, "train", dict[str, Any])
    check_names(config, models, f"{params}: compare")
    found = Findings.read(models, scored, tokenizers, tokenized, clean, split, suspects)
    judged = with_ensembles(found.models, config.ensembles)
    result = compare(config, seed, dataset.name, found.split.splits["train"].labels, judged, found.split.by)
    result.write(comparison)
    asked = Asked(models, train, dataset.licence, hash_of(comparison))
    shown = experiment(result, found, read_batches(texts, ["id", "text"]), asked)
    write_text(page, render(shown))
    draw(pictures, result, found.models)
    print_table(result, found.models, page, shown.doubts)
