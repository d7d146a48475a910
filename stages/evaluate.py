"""Score one bundle on the test split, and slice its errors: the only stage that does."""

from pathlib import Path

import polars as pl

from textmill import bundle, timings
from textmill.classifier import shipped
from textmill.config import PARAMS, Alpha, Threads, load_section
from textmill.console import say
from textmill.explain.terms import learnt
from textmill.files import write_csv, write_json
from textmill.judging.confidence import with_confidence
from textmill.judging.scoring import all_scores, mistakes, predict, summary, together
from textmill.judging.slices import slices, with_facts, wrong
from textmill.judging.slicing import EvaluateConfig
from textmill.parquet import read_batches, read_parquet, write_parquet
from textmill.processes import keep_memory, on_threads
from textmill.records.mistakes import Mistakes
from textmill.records.outcome import PREDICTIONS, SEEDS, VALIDATION
from textmill.records.scores import Scores
from textmill.records.slices import Slices
from textmill.records.terms import Terms
from textmill.rows.columns import columns_of
from textmill.rows.splits import SplitConfig, pieces
from textmill.stage import run
from textmill.text.encoding import documents


def main(model: Path, encoded: Path, splits: Path, columns: Path, out: Path, params: Path = PARAMS) -> None:
    """Every test document gets one row of predictions.parquet, the shipped seed's; all its scores come from there.

    seeds.parquet holds such rows of the other seeds, and validation.parquet, for ensembles, of all seeds. columns: what
    the data say of each document beside its text, of which the test split's is read.
    """
    threads, alpha = load_section(params, "threads", Threads), load_section(params, "compare.alpha", Alpha)
    sliced, by = load_section(params, "evaluate", EvaluateConfig), load_section(params, "split", SplitConfig).by
    config, texts = bundle.read_config(model), splits / "test.parquet"
    paths = {name: splits / f"{name}.parquet" for name in ("test", "validation")}
    parts = [documents(encoded / f"{name}.safetensors", path, config.tokenizer) for name, path in paths.items()]
    units = [pieces(read_batches(path, ["text", "label", "group"]), config.labels, by) for path in paths.values()]
    keep_memory()
    with on_threads(threads):
        models = bundle.read_seeds(model, config)
        (tables, chosen), speed = predict(models, config.labels, *zip(parts, units, strict=True))
    read = (some["text"] for some in read_batches(texts, ["text"]))
    table = with_facts(tables[config.seed], parts[0], read, sliced.negations)
    write_parquet(out / PREDICTIONS, table)
    write_parquet(out / SEEDS, together(tables).filter(pl.col("seed") != config.seed))
    write_parquet(out / VALIDATION, together(chosen))
    scores = all_scores(tables, config.seed, config.labels).model_copy(update={"bundle_bytes": shipped(model)})
    with_confidence(scores, tables, config.seed, config.calibrations).write(out / Scores.FILE)
    write_json(out / "summary.json", summary(scores, config.seed, config.validation))
    mistakes(table, read_batches(texts, ["id", "text"])).write(out / Mistakes.FILE)
    slices(table, alpha, columns_of(table["id"], read_parquet(columns))).write(out / Slices.FILE)
    learnt(model).write(out / Terms.FILE)
    write_csv(out / "errors.csv", (wrong(table, some) for some in read_batches(texts, ["id", "text"])))
    write_csv(out / "confusion.csv", [table.select(actual="label", predicted="prediction")])
    timings.note(out, config.weights, timings.Timing(predict_documents_per_second=round(speed, 1)))
    accuracy, f1 = 100 * scores.accuracy, 100 * scores.f1_macro
    say(f"evaluate: {config.name}: test accuracy {accuracy:.1f} %, macro-F1 {f1:.1f} %")


if __name__ == "__main__":
    run(main)
