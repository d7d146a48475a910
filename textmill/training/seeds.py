"""A model fitted once per seed: the choice of the seed to ship, and the record of all."""

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
from textmill.training.calibration import Calibrated, calibrate
from textmill.training.task import EpochRow, Family, Fitted, Task
from textmill.training.validation import GOODNESS


@dataclass(frozen=True)
class FittedSeeds:
    """The result of each seed, in ascending order, its calibrated model, and the seed that is shipped."""

    each: dict[int, Fitted]
    models: dict[int, Calibrated]
    shipped: int

    @property
    def best(self) -> Fitted:
        """The shipped seed's result."""
        return self.each[self.shipped]

    @property
    def others(self) -> dict[int, Calibrated]:
        """The models that are not shipped."""
        return {seed: model for seed, model in self.models.items() if seed != self.shipped}

    def validated(self, seed: int) -> Validation:
        """Returns the validation scores of a seed's best epoch; the log-loss is after calibration."""
        row = _best_row(self.each[seed])
        return Validation(
            accuracy=round(row["validation_accuracy"], 6),
            f1_macro=round(row["validation_f1"], 6),
            log_loss=cast("float", self.models[seed].calibration.log_loss),
        )

    def record(self, entry: Mapping[str, Any], threads: int, processes: int, weights: str) -> Fit:
        """Returns how the shipped seed was fitted, mean validation scores over all seeds, and each seed's scores.

        entry: the model's entry of `models:`; weights: the digest of the shipped weights.
        """
        own, each = self.best, {seed: self.validated(seed) for seed in self.each}
        names = Validation.model_fields
        mean = {name: round(sum(getattr(one, name) for one in each.values()) / len(each), 6) for name in names}
        facts = own.pretraining
        read = Pretraining(**{key: facts[key] for key in Pretraining.model_fields}) if facts else None
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
        """Returns the time of all seeds together, which end now, and the machine; includes epochs before a resume."""
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
) -> FittedSeeds:
    """Fits and calibrates a model for each seed; without settings, one with the task's seed.

    places: returns the folder of a seed's checkpoints. A finished seed's stay until all seeds are done, so that a
    killed stage does not train it again.
    """
    seeds = sorted(settings.seeds) if settings else [task.seed]
    each = {}
    for number, seed in enumerate(seeds, 1):
        if len(seeds) > 1:
            say(f"seed {seed} ({number} of {len(seeds)})")
        each[seed] = family.fit(config, settings, data, validation, replace(task, seed=seed), places(seed))
    models = {seed: calibrate(fitted.model, validation) for seed, fitted in each.items()}
    return FittedSeeds(each, models, best_seed(each, settings.monitor) if settings else seeds[0])


def best_seed(each: Mapping[int, Fitted], monitor: str) -> int:
    """Returns the seed with the best epoch on validation, by `monitor`; the lowest seed among equals."""
    goodness = GOODNESS[monitor]
    return max(each, key=lambda seed: goodness(_best_row(each[seed])))


def checkpoint_folders(folder: Path, name: str, key: Sequence[Any]) -> Callable[[int], Path]:
    """Returns a function from a seed to the folder of its checkpoints. key: all that a fit depends on but its seed."""
    return lambda seed: folder / f"{name}-{digest([seed, *key])[:16]}"


def delete_checkpoints(folder: Path, name: str) -> None:
    """Deletes a model's checkpoints, including those of runs with other params."""
    for left in folder.glob(f"{name}-{'?' * 16}"):
        shutil.rmtree(left)


def _best_row(fitted: Fitted) -> EpochRow:
    return fitted.history[fitted.best_epoch - 1]


def gpu() -> str:
    """Returns the GPU's name."""
    import torch

    return torch.cuda.get_device_name()


def _seconds(fitted: Fitted) -> float:
    """Returns the seconds of pretraining and training."""
    return (fitted.pretraining or {}).get("seconds", 0.0) + sum(row["seconds"] for row in fitted.history)
