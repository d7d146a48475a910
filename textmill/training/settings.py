"""How neural models are trained: the `train` section, which a model's entry may override key by key."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from textmill.config import Count, Fraction, NonNegative, Positive, Section, Seed, like, validate


def _distinct(seeds: list[int]) -> list[int]:
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"a seed stands twice in {seeds}")
    return seeds


class TrainConfig(Section):
    """Settings of one training run. A step is one optimizer update on one batch."""

    seeds: Annotated[list[Seed], Field(min_length=1), AfterValidator(_distinct)]  # one training each
    epochs: Count
    batch_tokens: Count  # padded ids in a batch; a longer document is a batch of its own
    batch_documents: Count | None  # documents in a batch, at most
    accumulate: Count  # batches behind each step of the optimizer
    max_len: Count | None  # ids of a document that are read
    cut: Literal["head", "tail", "head+tail"]  # which ids a longer document keeps
    loss: Literal["cross_entropy", "bce"]  # bce: one logit, two classes
    class_weights: Literal["none", "balanced"]
    label_smoothing: Fraction  # share of each target spread over all classes (Szegedy et al. 2016)
    adversarial: Positive | None  # length of the step against each embedded text (Miyato et al. 2017)
    ema: Fraction | None  # of the weights' moving average that a step keeps; the average is what predicts
    optimizer: Literal["adam", "adamw", "adadelta", "sgd"]
    lr: Positive
    weight_decay: NonNegative
    schedule: Literal["constant", "linear", "cosine", "plateau"]
    warmup: Fraction  # share of all steps in which the rate rises from 0
    clip: Positive | None  # largest norm of the gradient
    monitor: Literal["accuracy", "f1_macro", "loss"]  # on validation: the best epoch is kept
    patience: Annotated[int, Field(ge=1)] | None  # epochs without a better one before training stops
    precision: Literal["auto", "float32", "bfloat16"]  # of the training step, see devices; predictions are float32
    device: Annotated[str, like(r"auto|cpu|cuda(:\d+)?", "auto, cpu, cuda or cuda:N")]

    @model_validator(mode="after")
    def _both_ends(self) -> "TrainConfig":
        if self.cut == "head+tail" and self.max_len == 1:
            raise ValueError("max_len: 1 leaves no room for cut: head+tail")
        return self


def overridden(entry: Mapping[str, Any], train: Mapping[str, Any], where: str) -> tuple[dict[str, Any], TrainConfig]:
    """An entry's own keys, and the training settings after its overrides.

    Raises ParamsError naming the key, in the section where it stands.
    """
    known = TrainConfig.model_fields
    validate(train, TrainConfig, f"{where.split(':')[0]}: train")
    overrides = {key: value for key, value in entry.items() if key in known}
    own = {key: value for key, value in entry.items() if key not in known}
    return own, validate({**train, **overrides}, TrainConfig, where)
