"""The metrics, tags and datasets of runs, as MLflow's entities."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import textmill
from textmill.judging.comparison import REPORTED
from textmill.judging.metrics import METRICS
from textmill.records.comparison import Entry
from textmill.records.fit import Fit, FittedSeed
from textmill.records.history import Epoch
from textmill.records.outcome import PREDICTIONS
from textmill.records.scores import OfSeed, Scores
from textmill.timings import Timing
from textmill.tracking.names import BUNDLE, KEY, KIND, MODEL, SEEDS
from textmill.tracking.safe import safe_metrics
from textmill.tracking.snapshot import Result

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput, Metric

DATASETS = {"train": "clean/docs", "validation": "split/validation", "test": "split/test"}  # files, by split
CONTEXTS = {"train": "training"}  # MLflow's word for a split, where it is another


def metrics_of(scores: Scores, fit: Fit, times: Timing, entry: Entry, metric: str) -> dict[str, float]:
    """Returns a model's metrics: what people sort runs by, F1 by class and the effect of calibration.

    Test scores are those of the seed in the bundle; a model with several seeds also has their mean and standard
    deviation. entry: the model's in the comparison by `metric`; its interval is the mean's.
    """
    own = scores.of(fit.seed)
    metrics: dict[str, float | None] = {f"test_{name}": own.get(name) for name in REPORTED}
    metrics |= interval_of(metric, entry)
    metrics |= {f"validation_{name}": value for name, value in fit.validation}
    if tempered := scores.tempered(fit.seed):
        metrics["calibration/temperature"] = tempered.temperature
        metrics["calibration/test_log_loss_before"] = tempered.log_loss_before
        metrics["calibration/test_calibration_error_before"] = tempered.calibration_error_before
    metrics |= {"parameters": fit.parameters, "best_epoch": fit.best_epoch}
    for name, decimals in {"train_seconds": 2, "predict_documents_per_second": 0}.items():
        if (measured := getattr(times, name)) is not None:
            metrics[name] = round(measured, decimals)
    metrics |= {f"test_f1/{label.replace('/', '_')}": of.f1 for label, of in scores.classes.items()}
    if len(scores.seeds) > 1:
        for name in METRICS:
            metrics |= {f"test_{name}_mean": scores.mean[name], f"test_{name}_sd": scores.sd[name]}
    return safe_metrics(metrics)


def interval_of(metric: str, entry: Entry) -> dict[str, float]:
    """Returns the ends of a test score's interval, if it has one."""
    return safe_metrics({f"test_{metric}_low": entry.low, f"test_{metric}_high": entry.high})


def metrics_of_seed(scores: OfSeed, fitted: FittedSeed | None) -> dict[str, float]:
    """Returns the metrics of one training."""
    metrics = {f"test_{name}": value for name, value in scores.scores.items()}
    if fitted:
        metrics |= {f"validation_{name}": value for name, value in fitted.validation}
        metrics |= {"best_epoch": fitted.best_epoch}
    return safe_metrics(metrics)


def metrics_of_entry(scores: Mapping[str, float | None], entry: Entry | None, metric: str) -> dict[str, float]:
    """Returns the metrics of an ensemble, or of the baseline, which has no entry."""
    metrics: dict[str, float | None] = {f"test_{name}": value for name, value in scores.items()}
    if entry:
        metrics |= interval_of(metric, entry)
        metrics |= {f"validation_{metric}": entry.validation, "parameters": entry.parameters}
    return safe_metrics(metrics)


def logged(
    metrics: Mapping[str, float], ended: float, inputs: Sequence["DatasetInput"] = (), model: str | None = None
) -> list["Metric"]:
    """Returns metrics as MLflow stores them; a model's are linked to the split that they were measured on."""
    from mlflow.entities import Metric

    by_split = {one.tags[0].value: one.dataset for one in inputs if model}
    found = []
    for name, value in metrics.items():
        on = by_split.get(next((split for split in ("validation", "test") if f"{split}_" in name), ""))
        about = {"dataset_name": on.name, "dataset_digest": on.digest} if on else {}
        found.append(Metric(name, value, int(ended * 1000), 0, model_id=model, **about))
    return found


def epoch_metrics(history: Sequence[Epoch], started: float, ended: float) -> list["Metric"]:
    """Returns the learning curves, one step an epoch. The time of the training is spread evenly over the epochs."""
    from mlflow.entities import Metric

    metrics = []
    for row in history:
        moment = started + (ended - started) * row.epoch / len(history)
        values = safe_metrics({f"epoch/{name}": value for name, value in row if name != "epoch"})
        metrics += [Metric(*item, int(moment * 1000), int(row.epoch)) for item in values.items()]
    return metrics


def tags_of(result: Result, fit: Fit) -> dict[str, str]:
    """Returns the tags of a model's run. `git log -S MD5 -- dvc.lock` finds the commits of each md5."""
    return {
        KEY: result.key,
        KIND: "model",
        MODEL: result.name,
        BUNDLE: result.bundle.md5,
        "dvc.docs": result.data["train"],
        "dvc.predictions": result.outs[PREDICTIONS].md5,
        "textmill.version": textmill.__version__,
        SEEDS: str(len(fit.seeds) if len(fit.seeds) > 1 else 0),
        "device": fit.device,
        "mlflow.source.name": f"train@{result.name}",
        "mlflow.source.type": "PROJECT",
    }


def inputs_of(data: Mapping[str, str], dataset: str) -> list["DatasetInput"]:
    """Returns the splits as datasets. Their digests are DVC's md5: the same rows have the same digest everywhere."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    columns = [{"name": name, "type": "string", "required": True} for name in ("text", "label")]
    schema = json.dumps({"mlflow_colspec": columns})
    found = []
    for split, file in DATASETS.items():
        if split in data:
            name = dataset if split == "train" else f"{dataset}-{split}"
            source = json.dumps({"uri": f"data/{file}.parquet"})
            entity = Dataset(name, data[split], "local", source, schema)
            found.append(DatasetInput(entity, [InputTag("mlflow.data.context", CONTEXTS.get(split, split))]))
    return found
