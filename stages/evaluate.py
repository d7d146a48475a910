"""Score one bundle on the test split: the only stage that does."""

import time
from pathlib import Path

import polars as pl
from threadpoolctl import threadpool_limits

from stages.run import run
from textmill import bundle, encoding, scoring, timings
from textmill.config import PARAMS, Count, load_section
from textmill.errors import ArtifactError
from textmill.files import atomic, read_batches, read_parquet, write_json, write_parquet
from textmill.processes import keep_memory


def main(model: Path, encoded: Path, test: Path, out: Path, params: Path = PARAMS) -> None:
    """Every test document gets one row of predictions.parquet; all scores come from that table."""
    threads = load_section(params, "threads", Count)
    classifier = bundle.load(model)
    data = encoding.load(encoded, classifier.config["tokenizer"])
    ids = read_parquet(test, columns=["id"])["id"]
    if len(ids) != len(data.docs):
        raise ArtifactError(f"{encoded}: {len(data.docs)} documents, but {test} has {len(ids)}; run `dvc repro`")
    keep_memory()
    started = time.perf_counter()
    with threadpool_limits(threads):
        probabilities = classifier.model.predict_proba(data.docs)
    rate = len(ids) / (time.perf_counter() - started)

    table = scoring.predictions(ids, data.labels, classifier.labels, probabilities, data.docs.lengths)
    write_parquet(out / "predictions.parquet", table)
    scores = scoring.score(table, classifier.labels)
    write_json(out / "scores.json", scores)
    write_json(out / "summary.json", scoring.summary(scores, classifier.config["validation"]))
    worst = scoring.worst(table)
    texts = [some.filter(pl.col("id").is_in(worst["id"].implode())) for some in read_batches(test, ["id", "text"])]
    write_json(out / "errors.json", scoring.errors(worst, pl.concat(texts)))
    with atomic(out / "confusion.csv") as temporary:
        table.select(actual="label", predicted="prediction").write_csv(temporary)
    timings.note(classifier.config["name"], classifier.config["weights"], {"predict_documents_per_second": rate})


if __name__ == "__main__":
    run(main)
