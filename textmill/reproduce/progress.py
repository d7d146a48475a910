"""How far a model is, from the lines that its stages print: they are read, so that telling it costs nothing there."""

import re
from dataclasses import dataclass, field

from textmill.reproduce.dvc import BEGINS

EPOCH = re.compile(r"(?P<kind>(pretraining )?epoch) (?P<number>\d+)/(?P<of>\d+): .*\((?P<seconds>[\d.]+) s\b.*\)")
ACCURACY = re.compile(r"accuracy ([\d.]+)")
WITHIN = re.compile(r"(?P<kind>(pretraining )?epoch) (?P<number>\d+): (?P<done>[\d,]+) of (?P<of>[\d,]+)")
SEED = re.compile(r"seed -?\d+ \((?P<number>\d+) of (?P<of>\d+)\)")
STAGE = re.compile(rf"(?P<name>\S+@\S+) {BEGINS}")
ENDED = re.compile(r"\S+@\S+: [\d.]+ s")
SCORED = re.compile(r"evaluate: \S+: (?P<score>.+)")


@dataclass
class Progress:
    """A model at work. Times are of a clock that the caller reads, in seconds."""

    began: float
    expected: float = float("inf")  # seconds of its training, as an earlier one took; infinite: not known
    stage: str = ""  # under way
    seed: tuple[int, int] = (1, 1)  # of how many
    kind: str = "epoch"
    epoch: tuple[int, int] = (0, 0)  # the last one that ended, of how many; 0: none
    within: float = 0.0  # share of the one under way
    accuracy: float | None = None  # on validation, after the last epoch
    score: str = ""  # on the test split
    seconds: list[float] = field(default_factory=list)  # of epochs
    told: float = 0.0  # when the last epoch ended

    def read(self, line: str, now: float) -> str:
        """Take in a line: what it is about, `epoch`, `step` or `score`; empty: it is for people alone."""
        if found := EPOCH.fullmatch(line):
            if found["kind"] != self.kind:
                self.kind, self.seconds = found["kind"], []
            self.epoch, self.within, self.told = (int(found["number"]), int(found["of"])), 0.0, now
            self.seconds.append(float(found["seconds"]))
            told = ACCURACY.search(line)
            self.accuracy = float(told[1]) if told else None
            return "epoch"
        if found := WITHIN.fullmatch(line):
            done, of = (int(found[side].replace(",", "")) for side in ("done", "of"))
            self.within = done / max(of, 1)
            return "epoch"
        if found := SEED.fullmatch(line):
            self.seed, self.epoch, self.within = (int(found["number"]), int(found["of"])), (0, self.epoch[1]), 0.0
            return "step"
        if found := STAGE.fullmatch(line):
            self.stage = found["name"]
            return "step"
        if found := SCORED.fullmatch(line):
            self.score = found["score"]
            return "score"
        return "step" if ENDED.fullmatch(line) else ""

    @property
    def at(self) -> str:
        """Such as `seed 2/3, epoch 4/8`: the epoch that ended last."""
        if not self.stage.startswith("train@"):
            return self.stage.split("@")[0] or "starts"
        parts = [f"seed {self.seed[0]}/{self.seed[1]}"] if self.seed[1] > 1 else []
        if self.epoch[0]:
            parts.append(f"{self.kind} {self.epoch[0]}/{self.epoch[1]}")
        return ", ".join(parts) or "train"

    @property
    def share(self) -> float:
        """Of all epochs of all seeds that are done: 0 to 1."""
        (number, seeds), (epoch, epochs) = self.seed, self.epoch
        if not self.stage.startswith("train@"):
            return 1.0 if self.stage else 0.0
        return (number - 1 + (epoch + self.within) / max(epochs, 1)) / seeds if epochs else 0.0

    def left(self, now: float) -> float | None:
        """Seconds of its training that are left, unless it stops early; None: not known."""
        if not self.stage.startswith("train@"):
            return None
        (number, seeds), (epoch, epochs) = self.seed, self.epoch
        if self.kind == "epoch" and self.seconds:
            each = sum(self.seconds) / len(self.seconds)
            return max(0.0, each * ((seeds - number) * epochs + epochs - epoch) - (now - self.told))
        left = self.expected - (now - self.began)
        return left if 0 < left < float("inf") else None
