"""How neural models are trained: the `train` section, which a model's entry may override key by key."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, Field, model_validator

from textmill.config import Few, Fraction, Many, Positive, Rate, Section, Seed, like, unknown_key, validate


def _distinct(seeds: list[int]) -> list[int]:
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"a seed stands twice in {seeds}")
    return seeds


T = TypeVar("T", bound=Section)
Seeds = Annotated[list[Seed], Field(min_length=1, max_length=1000), AfterValidator(_distinct)]
Decay = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]
Device = Annotated[str, like(r"auto|cpu|cuda(:\d{1,2})?", "auto, cpu, cuda or cuda:N")]


class Reading(Section):
    """How a network reads documents. A bundle keeps it: to predict takes no other setting."""

    max_len: Annotated[int, Field(ge=1, le=1_000_000)] | None = 400  # ids of a document that are read; null: all
    cut: Literal["head", "tail", "head+tail"] = "tail"  # which end of a longer document is read
    batch_tokens: Many = 4096  # padded ids in a batch; a longer document is a batch of its own
    loss: Literal["cross_entropy", "bce"] = "cross_entropy"  # bce: one logit, for two classes
    device: Device = "auto"  # auto: the GPU if there is one

    @model_validator(mode="after")
    def _both_ends(self) -> "Reading":
        if self.cut == "head+tail" and self.max_len == 1:
            raise ValueError("max_len: 1 leaves no room for cut: head+tail")
        return self


class TrainConfig(Reading):
    """Settings of one training run. A step is one optimizer update on one batch."""

    seeds: Seeds = [42]  # one training each; several give a mean and a spread
    epochs: Few = 8  # at most
    # In all, at least: on small data batches get smaller, down to 32 documents, then epochs and patience grow.
    updates: Few | None = None
    batch_documents: Many | None = None  # documents in a batch, at most
    accumulate: Few = 1  # batches behind each step of the optimizer
    class_weights: Literal["none", "balanced"] = "none"  # balanced: each class weighs the same in sum
    label_smoothing: Fraction = 0.0  # share of each target spread over all classes (Szegedy et al. 2016)
    adversarial: Positive | None = None  # length of the step against each embedded text, say 1.0 (Miyato et al. 2017)
    ema: Fraction | None = None  # share that a moving average of the weights keeps at a step; the average predicts
    optimizer: Literal["adam", "adamw", "adadelta", "sgd"] = "adamw"  # sgd: with momentum 0.9
    lr: Rate = 2e-3  # learning rate, at its highest
    weight_decay: Decay = 0.01  # share of each weight, times lr, that a step takes away
    # Of the rate after the warm-up; plateau: half as much after each epoch without a new best one.
    schedule: Literal["constant", "linear", "cosine", "plateau"] = "cosine"
    warmup: Fraction = 0.1  # share of all steps in which the rate rises from 0
    clip: Positive | None = 1.0  # largest norm of the gradient
    monitor: Literal["accuracy", "f1_macro", "loss"] = "accuracy"  # on validation: the best epoch is kept
    patience: Few | None = 3  # epochs without a better one before training stops
    # Of a training step; predictions are float32. auto: bfloat16 where the device gains by it.
    precision: Literal["auto", "float32", "bfloat16"] = "auto"


def overridden(
    entry: Mapping[str, Any], train: Mapping[str, Any], schema: type[T], where: str
) -> tuple[T, TrainConfig]:
    """An entry of `models:` as its own config, and the training settings after its overrides.

    Raises ParamsError naming the key, in the section where it stands.
    """
    settings, own = TrainConfig.model_fields, schema.model_fields
    validate(train, TrainConfig, f"{where.split(':')[0]}: train")
    for key in entry:
        if key not in settings and key not in own:
            raise unknown_key(f"{where}.{key}", key, [*own, *settings])
    overrides = {key: value for key, value in entry.items() if key in settings}
    config = validate({key: value for key, value in entry.items() if key in own}, schema, where)
    return config, validate({**train, **overrides}, TrainConfig, where)
