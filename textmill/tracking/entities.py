"""What a run holds beside its files: params, metrics, tags and datasets, under names that a person compares by."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import textmill
from textmill.bundle import Config
from textmill.errors import ParamsError
from textmill.judging.comparison import TOLD
from textmill.judging.metrics import METRICS
from textmill.records.comparison import Entry
from textmill.records.fit import Fit, FittedSeed
from textmill.records.history import Epoch
from textmill.records.outcome import PREDICTIONS
from textmill.records.scores import OfSeed, Scores
from textmill.sections import SCHEMAS, effective
from textmill.timings import Timing
from textmill.tracking.lookup import BUNDLE, KEY, KIND, MODEL, SEEDS
from textmill.tracking.outputs import Result, flat
from textmill.tracking.sanitizing import safe_metrics, safe_params

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput, Metric

CONTEXTS = {"train": "training", "validation": "validation", "test": "test"}
SHARED = ("seed", "threads", "clean", "split", "tokenizer")  # sections whose changes one compares runs by


def params_of(result: Result, config: Config) -> dict[str, str]:
    """The model's and the training's own by their bare names (`hidden`), others below their section (`split.by`).

    All of them are what applied, defaults included. config: the bundle's; a linear model has no epochs, whatever
    `train` says.
    """
    own = config.model | (config.train or {})
    shared = {
        key.replace(f"tokenizers.{own['tokenizer']}", "tokenizer"): _applied(key, value)
        for key, value in result.params.items()
        if key != "train" and not key.startswith("models.")
    }
    told = {key.replace("dataset.name", "dataset"): value for key, value in flat(shared).items()}
    return safe_params(told | flat(own))


def _applied(key: str, value: Any) -> Any:
    """A value of dvc.lock with its defaults; one that today's code would not take, as it stands."""
    try:
        return effective(key, value, key)
    except ParamsError:
        return value


def told_params(all_params: Mapping[str, Mapping[str, str]], results: Mapping[str, Result]) -> set[str]:
    """The params that one compares runs by: where models differ, and where params.yaml has another than the default.

    all_params: of each model, what `params_of` gives. The others are in an artifact.
    """
    names = {name for params in all_params.values() for name in params}
    differ = {name for name in names if len({params[name] for params in all_params.values() if name in params}) > 1}
    return {"seed"} | differ | {name for result in results.values() for name in _set(result)} & names


def _set(result: Result) -> Collection[str]:
    """Names of the params that params.yaml gives another value than their default."""
    names: list[str] = []
    for key, value in result.params.items():
        section = key.partition(".")[0]
        given = value if isinstance(value, dict) else {"": value}
        fields = SCHEMAS[key].model_fields if key in SCHEMAS else {}
        changed = flat({one: of for one, of in given.items() if one not in fields or fields[one].default != of})
        if section in ("train", "models"):
            names += changed
        elif (shared := section.replace("tokenizers", "tokenizer")) in SHARED:
            names += [f"{shared}.{one}" if one else shared for one in changed]
    return names


def metrics_of(scores: Scores, fit: Fit, times: Timing, entry: Entry, metric: str) -> dict[str, float]:
    """What one sorts runs by; F1 by class, and what calibration changed, as groups of their own.

    All other scores are in scores.json. entry: the model's in the comparison, by `metric`.
    Test scores are those of the shipped seed; of several seeds, mean and spread follow. The interval is the mean's.
    """
    own = scores.of(fit.seed)
    metrics: dict[str, float | None] = {f"test_{name}": own.get(name) for name in TOLD}
    metrics |= interval_of(metric, entry)
    metrics |= {f"validation_{name}": value for name, value in fit.validation}
    if told := scores.tempered(fit.seed):
        before = {"log_loss": told.log_loss_before, "calibration_error": told.calibration_error_before}
        metrics["calibration/temperature"] = told.temperature
        metrics |= {f"calibration/test_{name}_before": value for name, value in before.items()}
    metrics |= {"parameters": fit.parameters, "best_epoch": fit.best_epoch}
    speeds = {"train_seconds": 2, "predict_documents_per_second": 0}  # and their decimals
    known = {name: getattr(times, name) for name in speeds}
    metrics |= {name: round(value, speeds[name]) for name, value in known.items() if value is not None}
    metrics |= {f"test_f1/{label.replace('/', '_')}": of.f1 for label, of in scores.classes.items()}
    if len(scores.seeds) > 1:
        for name in METRICS:
            metrics |= {f"test_{name}_mean": scores.mean[name], f"test_{name}_sd": scores.sd[name]}
    return safe_metrics(metrics)


def interval_of(metric: str, entry: Entry) -> dict[str, float]:
    """The ends of a test score's interval, where it has one."""
    return safe_metrics({f"test_{metric}_low": entry.low, f"test_{metric}_high": entry.high})


def metrics_of_seed(scores: OfSeed, fitted: FittedSeed | None) -> dict[str, float]:
    """One training's."""
    metrics = {f"test_{name}": value for name, value in scores.scores.items()}
    if fitted:
        metrics |= {f"validation_{name}": value for name, value in fitted.validation}
        metrics |= {"best_epoch": fitted.best_epoch}
    return safe_metrics(metrics)


def metrics_of_entry(scores: Mapping[str, float | None], entry: Entry | None, metric: str) -> dict[str, float]:
    """Those of an ensemble, or of the baseline, which has no entry."""
    metrics: dict[str, float | None] = {f"test_{name}": value for name, value in scores.items()}
    if entry:
        metrics |= interval_of(metric, entry)
        metrics |= {f"validation_{metric}": entry.validation, "parameters": entry.parameters}
    return safe_metrics(metrics)


def logged(
    metrics: Mapping[str, float], ended: float, inputs: Sequence["DatasetInput"] = (), model: str | None = None
) -> list["Metric"]:
    """As MLflow keeps them; each of a model's is linked to the documents that it was measured on."""
    from mlflow.entities import Metric

    by_split = {context: one.dataset for one in inputs for context in [one.tags[0].value]}
    found = []
    for name, value in metrics.items():
        on = by_split.get(next((split for split in ("validation", "test") if f"{split}_" in name), ""))
        about = {"dataset_name": on.name, "dataset_digest": on.digest} if model and on else {}
        found.append(Metric(name, value, int(ended * 1000), 0, model_id=model, **about))
    return found


def epoch_metrics(history: Sequence[Epoch], started: float, ended: float) -> list["Metric"]:
    """The learning curves as a group, a step an epoch; the time of the training is spread evenly over them."""
    from mlflow.entities import Metric

    metrics = []
    for row in history:
        moment = started + (ended - started) * row.epoch / len(history)
        values = safe_metrics({f"epoch/{name}": value for name, value in row if name != "epoch"})
        metrics += [Metric(*item, int(moment * 1000), int(row.epoch)) for item in values.items()]
    return metrics


def tags_of(result: Result, fit: Fit) -> dict[str, str]:
    """What a run is of. Each md5 leads to its commits: `git log -S MD5 -- dvc.lock`."""
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
    """The splits under the digests by which DVC knows them: the same rows, the same digest, everywhere."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    columns = [{"name": name, "type": "string", "required": True} for name in ("text", "label")]
    schema = json.dumps({"mlflow_colspec": columns})
    found = []
    for split, context in CONTEXTS.items():
        if split in data:
            name, file = (dataset, "clean/docs") if split == "train" else (f"{dataset}-{split}", f"split/{split}")
            source = json.dumps({"uri": f"data/{file}.parquet"})
            entity = Dataset(name, data[split], "local", source, schema)
            found.append(DatasetInput(entity, [InputTag("mlflow.data.context", context)]))
    return found
