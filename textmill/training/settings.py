"""The `train` section: how networks are trained. A model's entry may override any key."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, Field, model_validator

from textmill.config import Few, Fraction, Many, Positive, Rate, Section, Seed, like, unknown_key, validate


def _distinct(seeds: list[int]) -> list[int]:
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"a seed occurs twice in {seeds}")
    return seeds


T = TypeVar("T", bound=Section)
Seeds = Annotated[list[Seed], Field(min_length=1, max_length=1000), AfterValidator(_distinct)]
Decay = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]
Device = Annotated[str, like(r"auto|cpu|cuda(:\d{1,2})?", "auto, cpu, cuda or cuda:N")]


class Reading(Section):
    """How a network reads documents. Bundles keep these settings, which are all that predictions need."""

    # number of ids at which a document is truncated; null: never
    max_len: Annotated[int, Field(ge=1, le=1_000_000)] | None = 400
    cut: Literal["head", "tail", "head+tail"] = "tail"  # the part of a longer document to keep
    batch_tokens: Many = 4096  # padded ids in a batch, at most; a longer document is its own batch
    loss: Literal["cross_entropy", "bce"] = "cross_entropy"  # bce: binary cross-entropy on one logit, for two classes
    device: Device = "auto"  # where to compute; auto: the GPU if there is one

    @model_validator(mode="after")
    def _both_ends(self) -> "Reading":
        if self.cut == "head+tail" and self.max_len == 1:
            raise ValueError("max_len: 1 leaves no room for cut: head+tail")
        return self


class TrainConfig(Reading):
    """Settings of a training. A step is one update of the weights by the optimizer."""

    seeds: Seeds = [42]  # one training for each seed; several give a mean and a spread
    epochs: Few = 8  # epochs at most
    # updates at least; on small data, batches get smaller, down to 32 documents, then epochs and patience grow
    updates: Few | None = None
    batch_documents: Many | None = None  # documents in a batch, at most; null: no limit
    accumulate: Few = 1  # batches in each step, whose gradients are added up
    class_weights: Literal["none", "balanced"] = "none"  # balanced: every class has the same total weight in the loss
    label_smoothing: Fraction = 0.0  # share of each target spread over all classes (Szegedy et al. 2016)
    # length of the adversarial perturbation of each embedded text, such as 1.0 (Miyato et al. 2017); null: none
    adversarial: Positive | None = None
    # decay of an exponential moving average of the weights, used to predict, such as 0.999; null: the last weights
    ema: Fraction | None = None
    optimizer: Literal["adam", "adamw", "adadelta", "sgd"] = "adamw"  # sgd has momentum 0.9
    lr: Rate = 2e-3  # peak learning rate
    weight_decay: Decay = 0.01  # share of each weight, times the learning rate, that a step subtracts
    # the learning rate after the warm-up; plateau: it halves after each epoch that is not a new best
    schedule: Literal["constant", "linear", "cosine", "plateau"] = "cosine"
    warmup: Fraction = 0.1  # share of all steps in which the learning rate rises from 0
    clip: Positive | None = 1.0  # maximum norm of the gradient; null: no limit
    monitor: Literal["accuracy", "f1_macro", "loss"] = "accuracy"  # validation score that chooses the epoch to keep
    patience: Few | None = 3  # epochs without improvement after which training stops; null: it never stops early
    # precision of training (predictions use float32); auto: bfloat16 if it is faster on the device
    precision: Literal["auto", "float32", "bfloat16"] = "auto"


def overridden(
    entry: Mapping[str, Any], train: Mapping[str, Any], schema: type[T], where: str
) -> tuple[T, TrainConfig]:
    """Returns the config of an entry of `models:`, and the training settings with its overrides.

    Raises ParamsError with the key, in the section that contains it.
    """
    settings, own = TrainConfig.model_fields, schema.model_fields
    validate(train, TrainConfig, f"{where.split(':')[0]}: train")
    for key in entry:
        if key not in settings and key not in own:
            raise unknown_key(where, key, [*own, *settings])
    overrides = {key: value for key, value in entry.items() if key in settings}
    config = validate({key: value for key, value in entry.items() if key in own}, schema, where)
    return config, validate({**train, **overrides}, TrainConfig, where)
