"""Score one bundle on the test split, and group its errors: the only stage that does."""

import time
from pathlib import Path

import polars as pl
from threadpoolctl import threadpool_limits

from stages.run import run
from textmill import analysis, bundle, encoding, scoring, timings
from textmill.config import PARAMS, Alpha, Count, load_section
from textmill.errors import ArtifactError
from textmill.files import atomic, read_batches, read_parquet, write_json, write_parquet
from textmill.processes import keep_memory


def main(model: Path, encoded: Path, test: Path, out: Path, params: Path = PARAMS) -> None:
    """Every test document gets one row of predictions.parquet; all scores come from that table."""
    threads = load_section(params, "threads", Count)
    config = load_section(params, "evaluate", analysis.EvaluateConfig)
    alpha = load_section(params, "compare.alpha", Alpha)
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
    negation = pl.concat(analysis.negated(some["text"], config.negations) for some in read_batches(test, ["text"]))
    facts = pl.DataFrame({"id": ids, "negation": negation, "unknown": analysis.unknown(data.docs)})
    table = table.join(facts, on="id", how="left", maintain_order="left")
    write_parquet(out / "predictions.parquet", table)
    scores = scoring.score(table, classifier.labels)
    write_json(out / "scores.json", scores)
    write_json(out / "summary.json", scoring.summary(scores, classifier.config["validation"]))
    worst = scoring.worst(table)
    texts = [some.filter(pl.col("id").is_in(worst["id"].implode())) for some in read_batches(test, ["id", "text"])]
    write_json(out / "errors.json", scoring.errors(worst, pl.concat(texts)))
    write_json(out / "analysis.json", analysis.groups(table, alpha))
    with atomic(out / "errors.csv") as temporary, open(temporary, "wb") as file:
        for number, some in enumerate(read_batches(test, ["id", "text"])):
            analysis.wrong(table, some).write_csv(file, include_header=number == 0, float_precision=4)
    with atomic(out / "confusion.csv") as temporary:
        table.select(actual="label", predicted="prediction").write_csv(temporary)
    timings.note(classifier.config["name"], classifier.config["weights"], {"predict_documents_per_second": rate})


if __name__ == "__main__":
    run(main)
