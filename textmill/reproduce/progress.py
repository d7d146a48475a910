"""How far a model is, read from the lines that its stages print, so that stages do no extra work."""

import re
from dataclasses import dataclass

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
    """A running model. Times are in seconds, from the caller's clock."""

    began: float
    expected: float = float("inf")  # seconds of an earlier training; infinite: not known
    stage: str = ""  # that is running
    seed: tuple[int, int] = (1, 1)  # of how many
    kind: str = "epoch"
    epoch: tuple[int, int] = (0, 0)  # the last one that ended (0: none), of how many
    within: float = 0.0  # share of the current epoch that is done
    accuracy: float | None = None  # on validation, after the last epoch
    score: str = ""  # on the test split
    each: float | None = None  # seconds of an epoch of training
    first: tuple[int, float] | None = None  # the first epoch of this seed that was printed, and when
    last: float = 0.0  # when the last epoch ended

    def read(self, line: str, now: float) -> str:
        """Takes a line; returns its kind, `epoch`, `step` or `score`, or '' if it says nothing about progress."""
        if found := EPOCH.fullmatch(line):
            number = int(found["number"])
            self.epoch, self.within, self.last = (number, int(found["of"])), 0.0, now
            if found["kind"] != self.kind or self.first is None:
                before = self.each if found["kind"] == self.kind else None
                self.kind, self.first = found["kind"], (number, now)
                self.each = float(found["seconds"]) or before
            else:  # short ones print 0.0 s
                self.each = (now - self.first[1]) / max(number - self.first[0], 1)
            accuracy = ACCURACY.search(line)
            self.accuracy = float(accuracy[1]) if accuracy else None
            return "epoch"
        if found := WITHIN.fullmatch(line):
            done, of = (int(found[side].replace(",", "")) for side in ("done", "of"))
            self.within = done / max(of, 1)
            return "epoch"
        if found := SEED.fullmatch(line):
            self.seed, self.epoch = (int(found["number"]), int(found["of"])), (0, self.epoch[1])
            self.within, self.first = 0.0, None
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
        """Where it is, such as `seed 2/3, epoch 4/8`: the epoch that ended last."""
        if not self.stage.startswith("train@"):
            return self.stage.split("@")[0] or "starting"
        parts = [f"seed {self.seed[0]}/{self.seed[1]}"] if self.seed[1] > 1 else []
        if self.epoch[0]:
            parts.append(f"{self.kind} {self.epoch[0]}/{self.epoch[1]}")
        return ", ".join(parts) or "train"

    @property
    def share(self) -> float:
        """Share of all epochs of all seeds that are done, 0 to 1."""
        (number, seeds), (epoch, epochs) = self.seed, self.epoch
        if not self.stage.startswith("train@"):
            return 1.0 if self.stage else 0.0
        return (number - 1 + (epoch + self.within) / max(epochs, 1)) / seeds if epochs else 0.0

    def left(self, now: float) -> float | None:
        """Returns the seconds left of its training unless it stops early; None if not known."""
        if not self.stage.startswith("train@"):
            return None
        (number, seeds), (epoch, epochs) = self.seed, self.epoch
        if self.kind == "epoch" and self.each is not None:
            return max(0.0, self.each * ((seeds - number) * epochs + epochs - epoch) - (now - self.last))
        left = self.expected - (now - self.began)
        return left if 0 < left < float("inf") else None
