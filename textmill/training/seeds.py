"""A model fitted once a seed: which seed is shipped, and what is told of them all."""

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from textmill import environment
from textmill.console import say
from textmill.files import digest
from textmill.records.fit import Fit, FittedSeed, Pretraining, Validation
from textmill.text.encoding import Encoded
from textmill.timings import Timing, machine
from textmill.training.calibration import Calibrated, calibrated
from textmill.training.task import EpochRow, Family, Fitted, Task
from textmill.training.validation import GOODNESS


@dataclass(frozen=True)
class Runs:
    """What came of each seed, in ascending order, its model with its temperature, and the seed that is shipped."""

    each: dict[int, Fitted]
    models: dict[int, Calibrated]
    shipped: int

    @property
    def best(self) -> Fitted:
        """The shipped seed's."""
        return self.each[self.shipped]

    @property
    def others(self) -> dict[int, Calibrated]:
        """The models that are not shipped."""
        return {seed: model for seed, model in self.models.items() if seed != self.shipped}

    def validated(self, seed: int) -> Validation:
        """Validation scores of a seed's best epoch, the log-loss at its temperature."""
        row = _best_row(self.each[seed])
        return Validation(
            accuracy=round(row["validation_accuracy"], 6),
            f1_macro=round(row["validation_f1"], 6),
            log_loss=cast("float", self.models[seed].calibration.log_loss),
        )

    def described(self, entry: Mapping[str, Any], threads: int, processes: int, weights: str) -> Fit:
        """How the shipped seed was fitted, `validation` as the mean over all seeds, and what is each seed's own.

        entry: of `models:`; weights: the digest of the shipped ones.
        """
        own, each = self.best, {seed: self.validated(seed) for seed in self.each}
        names = Validation.model_fields
        mean = {name: round(sum(getattr(one, name) for one in each.values()) / len(each), 6) for name in names}
        told = own.pretraining
        read = Pretraining(**{key: told[key] for key in Pretraining.model_fields}) if told else None
        return Fit(
            family=entry["family"],
            tokenizer=entry["tokenizer"],
            threads=threads,
            processes=processes,
            parameters=sum(int(tensor.size) for tensor in own.model.tensors().values()),
            epochs=len(own.history),
            best_epoch=own.best_epoch,
            device=own.device,
            precision=own.precision,
            weights=weights,
            validation=Validation(**mean),
            seed=self.shipped,
            seeds=[
                FittedSeed(seed=seed, epochs=len(one.history), best_epoch=one.best_epoch, validation=each[seed])
                for seed, one in self.each.items()
            ],
            pretraining=read,
            learning=own.learning,
            solver=own.solver,
        )

    def timing(self) -> Timing:
        """Seconds of all seeds together, which end now, and where; a resumed run counts the epochs before, too."""
        seconds, ended = round(sum(map(_seconds, self.each.values())), 3), round(time.time(), 3)
        read = self.best.pretraining
        card = gpu() if self.best.device == "cuda" else None
        return Timing(
            machine=machine(card),
            train_seconds=seconds,
            pretrain_seconds=None if read is None else round(read["seconds"], 3),
            started=round(ended - seconds, 3),
            ended=ended,
            environment=environment.here(card),
        )


def fit_seeds(
    family: Family,
    config: Any,
    settings: Any,
    data: Encoded,
    validation: Encoded,
    task: Task,
    places: Callable[[int], Path],
) -> Runs:
    """A model of each seed, calibrated. Without settings there is one, with the task's own seed.

    places: the folder of each seed's checkpoints. Those of a finished seed stay until all are done, so that a killed
    stage does not train it again.
    """
    seeds = sorted(settings.seeds) if settings else [task.seed]
    each = {}
    for number, seed in enumerate(seeds, 1):
        if len(seeds) > 1:
            say(f"seed {seed} ({number} of {len(seeds)})")
        each[seed] = family.fit(config, settings, data, validation, replace(task, seed=seed), places(seed))
    models = {seed: calibrated(fitted.model, validation) for seed, fitted in each.items()}
    return Runs(each, models, best_seed(each, settings.monitor) if settings else seeds[0])


def best_seed(each: Mapping[int, Fitted], monitor: str) -> int:
    """The seed whose best epoch is the best on validation, by what is monitored; the lowest among equals."""
    goodness = GOODNESS[monitor]
    return max(each, key=lambda seed: goodness(_best_row(each[seed])))


def places_of(folder: Path, name: str, key: Sequence[Any]) -> Callable[[int], Path]:
    """Where each seed of a model keeps its checkpoints; key: all that a fit depends on beside its seed."""
    return lambda seed: folder / f"{name}-{digest([seed, *key])[:16]}"


def forget(folder: Path, name: str) -> None:
    """Delete a model's checkpoints, those of runs with other params, too."""
    for left in folder.glob(f"{name}-{'?' * 16}"):
        shutil.rmtree(left)


def _best_row(fitted: Fitted) -> EpochRow:
    return fitted.history[fitted.best_epoch - 1]


def gpu() -> str:
    """What the GPU is called."""
    import torch

    return torch.cuda.get_device_name()


def _seconds(fitted: Fitted) -> float:
    """Of pretraining and training."""
    return (fitted.pretraining or {}).get("seconds", 0.0) + sum(row["seconds"] for row in fitted.history)
