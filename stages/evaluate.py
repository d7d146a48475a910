"""Score one model on the test split, and slice its errors: no other stage scores the test split."""

from functools import partial
from pathlib import Path

import polars as pl

from textmill import bundle, timings
from textmill.classifier import shipped_bytes
from textmill.config import PARAMS, Alpha, Threads, load_section
from textmill.console import say
from textmill.explain.terms import bundle_terms
from textmill.judging.confidence import with_confidence
from textmill.judging.scored import read_scored
from textmill.judging.scoring import all_scores, concat_seeds, mistakes, predict, summary
from textmill.judging.slices import slices, with_facts, wrong
from textmill.judging.slicing import EvaluateConfig
from textmill.parquet import read_batches, read_parquet
from textmill.processes import keep_memory, on_threads
from textmill.records.evaluation import Evaluation
from textmill.rows.columns import columns_of
from textmill.rows.splits import SplitConfig


def main(model: Path, encoded: Path, splits: Path, columns: Path, out: Path, params: Path = PARAMS) -> None:
    """Scores every test document with every seed. `columns`: what to slice by, for each document."""
    threads, alpha = load_section(params, "threads", Threads), load_section(params, "compare.alpha", Alpha)
    sliced, by = load_section(params, "evaluate", EvaluateConfig), load_section(params, "split", SplitConfig).by
    config, texts = bundle.read_config(model), partial(read_batches, splits / "test.parquet", ["id", "text"])
    paths = [(encoded / f"{split}.safetensors", splits / f"{split}.parquet") for split in ("test", "validation")]
    test, validation = (read_scored(*files, config.tokenizer, config.labels, by) for files in paths)
    keep_memory()
    with on_threads(threads):
        (tables, chosen), speed = predict(bundle.read_seeds(model, config), config.labels, test, validation)
    table = with_facts(tables[config.seed], test.documents, (some["text"] for some in texts()), sliced.negations)
    scores = all_scores(tables, config.seed, config.labels).model_copy(update={"bundle_bytes": shipped_bytes(model)})
    scores = with_confidence(scores, tables, config.seed, config.calibrations)
    by_column = slices(table, alpha, columns_of(table["id"], read_parquet(columns)))
    errors = (wrong(table, some) for some in texts())
    others, kept = concat_seeds(tables).filter(pl.col("seed") != config.seed), concat_seeds(chosen)
    line, worst = summary(scores, config.seed, config.validation), mistakes(table, texts())
    Evaluation(table, others, kept, scores, line, worst, by_column, bundle_terms(model), errors).write(out)
    timings.record(out, config.weights, timings.Timing(predict_documents_per_second=round(speed, 1)))
    say(f"evaluate: {config.name}: test accuracy {100 * scores.accuracy:.1f} %, macro-F1 {100 * scores.f1_macro:.1f} %")
