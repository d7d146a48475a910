"""What a run holds beside its files: params, metrics, tags and the dataset, under names that a person compares by."""

import json
import subprocess
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import textmill
from textmill.bundle import Config
from textmill.errors import ParamsError
from textmill.judging.comparison import TOLD
from textmill.judging.metrics import METRICS
from textmill.results.fit import Fit
from textmill.results.history import Epoch
from textmill.results.outcome import PREDICTIONS
from textmill.results.scores import Scores
from textmill.sections import effective
from textmill.timings import Timing
from textmill.tracking.lookup import BUNDLE, KEY
from textmill.tracking.outputs import Result, flat
from textmill.tracking.sanitizing import safe_metrics, safe_params

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput, Metric, Param


def params_of(result: Result, config: Config) -> list["Param"]:
    """The model's and the training's own by their bare names (`hidden`), others below their section (`split.by`).

    All of them are what applied, defaults included. config: the bundle's; a linear model has no epochs, whatever
    `train` says.
    """
    from mlflow.entities import Param

    own = config.model | (config.train or {})
    shared = {
        key.replace(f"tokenizers.{own['tokenizer']}", "tokenizer"): _applied(key, value)
        for key, value in result.params.items()
        if key != "train" and not key.startswith("models.")
    }
    told = {key.replace("dataset.name", "dataset"): value for key, value in flat(shared).items()}
    return [Param(*item) for item in safe_params(told | flat(own)).items()]


def _applied(key: str, value: Any) -> Any:
    """A value of dvc.lock with its defaults; one that today's code would not take, as it stands."""
    try:
        return effective(key, value, key)
    except ParamsError:
        return value


def final_metrics(scores: Scores, fit: Fit, times: Timing, ended: float) -> list["Metric"]:
    """What one sorts runs by; F1 by class, and what calibration changed, as groups of their own.

    All other scores are in scores.json.
    Test scores are those of the shipped seed; of several seeds, mean, spread and each one's own follow.
    """
    from mlflow.entities import Metric

    own = scores.of(fit.seed)
    metrics: dict[str, float | None] = {f"test_{name}": own[name] for name in TOLD}
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
            metrics |= {f"test_{name}/seed_{one.seed}": one.scores[name] for one in scores.seeds}
    return [Metric(*item, int(ended * 1000), 0) for item in safe_metrics(metrics).items()]


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
    """Where a run comes from. Each md5 leads to its commits: `git log -S MD5 -- dvc.lock`."""
    commit = _git("rev-parse", "HEAD")
    # What `dvc repro` itself has just written does not make a run dirty.
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!dvc.lock", ":!metrics")
    return {
        KEY: result.key,
        BUNDLE: result.bundle.md5,
        "dvc.docs": result.docs.md5,
        "dvc.predictions": result.outs[PREDICTIONS].md5,
        "textmill.version": textmill.__version__,
        "device": fit.device,
        "mlflow.source.name": f"train@{result.name}",
        "mlflow.source.type": "PROJECT",
        **({"mlflow.source.git.commit": commit, "git.dirty": "yes" if changed else "no"} if commit else {}),
    }


def dataset_of(result: Result, dataset: str) -> "DatasetInput":
    """The documents under the digest by which DVC knows them: the same rows, the same digest, everywhere."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    columns = [{"name": name, "type": "string", "required": True} for name in ("text", "label")]
    source, schema = json.dumps({"uri": result.docs.path.as_posix()}), json.dumps({"mlflow_colspec": columns})
    entity = Dataset(dataset, result.docs.md5, "local", source, schema)
    return DatasetInput(entity, [InputTag("mlflow.data.context", "training")])


def _git(*words: str) -> str:
    try:
        return subprocess.run(["git", *words], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""  # no git, no repository, no commit yet
