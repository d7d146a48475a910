"""Score one bundle on the test split, and group its errors: the only stage that does.

Its validation predictions are kept for ensembles.
"""

import time
from pathlib import Path

import polars as pl
from threadpoolctl import threadpool_limits

from stages.run import run
from textmill import bundle, timings
from textmill.config import PARAMS, Alpha, Threads, load_section
from textmill.errors import ArtifactError
from textmill.files import atomic, read_batches, read_parquet, write_json, write_parquet
from textmill.judging import groups as analysis
from textmill.judging import scoring
from textmill.processes import keep_memory
from textmill.text import encoding
from textmill.text.encoding import Encoded
from textmill.training.task import Model


def main(model: Path, encoded: Path, splits: Path, out: Path, params: Path = PARAMS) -> None:
    """Every test document gets one row of predictions.parquet; all scores come from that table.

    That is the shipped seed's; seeds.parquet holds such rows of the other seeds, validation.parquet of all of them.
    """
    threads = load_section(params, "threads", Threads)
    config = load_section(params, "evaluate", analysis.EvaluateConfig)
    alpha = load_section(params, "compare.alpha", Alpha)
    described, shipped = bundle.read(model)
    labels = described.labels
    test, validation = (documents(encoded, splits, name, described.tokenizer) for name in ("test", "validation"))
    keep_memory()
    with threadpool_limits(threads):
        started = time.perf_counter()
        table = predicted(shipped, labels, *test)
        rate = len(table) / (time.perf_counter() - started)
        tables, chosen = {}, {}
        for seed in described.seeds:
            one = shipped if seed == described.seed else bundle.read(model, seed)[1]
            tables[seed] = table if seed == described.seed else predicted(one, labels, *test)
            chosen[seed] = predicted(one, labels, *validation)

    texts = splits / "test.parquet"
    negation = pl.concat(analysis.negated(some["text"], config.negations) for some in read_batches(texts, ["text"]))
    facts = pl.DataFrame({"id": test[0], "negation": negation, "unknown": analysis.unknown(test[1].docs)})
    table = table.join(facts, on="id", how="left", maintain_order="left")
    write_parquet(out / "predictions.parquet", table)
    write_parquet(out / "seeds.parquet", scoring.together(tables).filter(pl.col("seed") != described.seed))
    write_parquet(out / "validation.parquet", scoring.together(chosen))
    each = {seed: scoring.score(some, labels) for seed, some in tables.items()}
    scores = each[described.seed] | scoring.over_seeds(each)
    write_json(out / "scores.json", scores)
    write_json(out / "summary.json", scoring.summary(scores, described.validation))
    worst = scoring.worst(table)
    shown = [some.filter(pl.col("id").is_in(worst["id"].implode())) for some in read_batches(texts, ["id", "text"])]
    write_json(out / "errors.json", scoring.errors(worst, pl.concat(shown)))
    write_json(out / "analysis.json", analysis.groups(table, alpha))
    with atomic(out / "errors.csv") as temporary, open(temporary, "wb") as file:
        for number, some in enumerate(read_batches(texts, ["id", "text"])):
            analysis.wrong(table, some).write_csv(file, include_header=number == 0, float_precision=4)
    with atomic(out / "confusion.csv") as temporary:
        table.select(actual="label", predicted="prediction").write_csv(temporary)
    timings.note(described.name, described.weights, {"predict_documents_per_second": rate})


def documents(encoded: Path, splits: Path, name: str, tokenizer: str) -> tuple[pl.Series, Encoded]:
    """The ids of a split's documents, and the documents as the tokenizer with this digest encoded them."""
    data, ids = encoding.load(encoded / f"{name}.safetensors", tokenizer), splits / f"{name}.parquet"
    found = read_parquet(ids, columns=["id"])["id"]
    if len(found) != len(data.docs):
        raise ArtifactError(
            f"{encoded / name}.safetensors: {len(data.docs)} documents, but {ids} has {len(found)}; run `dvc repro`"
        )
    return found, data


def predicted(model: Model, labels: list[str], ids: pl.Series, data: Encoded) -> pl.DataFrame:
    """The table of `scoring.predictions`."""
    return scoring.predictions(ids, data.labels, labels, model.predict_proba(data.docs), data.docs.lengths)


if __name__ == "__main__":
    run(main)
