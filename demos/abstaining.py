"""Mistake: the threshold at which few enough of the validation answers are wrong, taken as a promise for others. It was
chosen among all thresholds because the documents at hand suit it; on other documents more is wrong, every second time.

Run: `make repro`, then `python demos/abstaining.py`. What the models said of validation and test is cut in halves 200
times. One half finds the confidence above which a model answers, at a share of wrong answers (risk); the other half
shows how much is answered, and in how many of the cuts more was wrong than that. Thresholds: the plug-in one; that of
`textmill predict --risk`; and selection with guaranteed risk (SGR; Geifman & El-Yaniv 2017). The last two may fail in
5 % of all draws. Halves are cut by documents, of which the proofs speak, and by groups, in which documents come here.
"""

import math
from collections.abc import Callable

import numpy as np
from trained import trained
from trial import tell

from textmill import confidence
from textmill.confidence import DELTA, at_most

RISKS, CUTS, SEED = (0.05, 0.1, 0.15), 200, 0


def counted(above: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Confidences, the highest first, and how many answers are wrong up to each: (N,) both."""
    order = np.argsort(-above, kind="stable")
    return above[order], np.cumsum(~right[order])


def cut_off(falling: np.ndarray, answers: int) -> float | None:
    """The confidence above which there are so many."""
    if answers == 0:
        return None
    return float(falling[answers]) if answers < len(falling) else 0.0


def plug_in(sure: np.ndarray, right: np.ndarray, risk: float) -> float | None:
    """The lowest threshold at which no more is wrong on the documents at hand."""
    falling, wrong = counted(sure, right)
    held = np.flatnonzero(wrong / np.arange(1, len(wrong) + 1) <= risk)
    return cut_off(falling, int(held[-1]) + 1 if len(held) else 0)


def sgr(sure: np.ndarray, right: np.ndarray, risk: float) -> float | None:
    """Halving the search for a threshold, each step tested at its part of DELTA (their algorithm 2)."""
    falling, wrong = counted(sure, right)
    low, high, tests = 0, len(falling), math.ceil(math.log2(len(falling)))
    for _ in range(tests):
        middle = (low + high + 1) // 2
        if at_most(int(wrong[middle - 1]), middle, risk) <= DELTA / tests:
            low = middle
        else:
            high = middle
    return cut_off(falling, low)


def ours(sure: np.ndarray, right: np.ndarray, risk: float) -> float | None:
    """That of `textmill predict --risk`."""
    step = confidence.threshold(confidence.steps(sure, right), risk)
    return step and step.above


THRESHOLDS: dict[str, Callable[[np.ndarray, np.ndarray, float], float | None]] = {
    "plug-in": plug_in,
    "SGR": sgr,
    "--risk": ours,
}


def halved(
    sure: np.ndarray, right: np.ndarray, units: np.ndarray, rng: np.random.Generator
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """By threshold, for each of RISKS: the share of the other half that is answered, and whether too much is wrong."""
    order = rng.permutation(np.unique(units))
    first = np.isin(units, order[: len(order) // 2])
    found = {}
    for name, threshold in THRESHOLDS.items():
        shares, broken = np.zeros(len(RISKS)), np.zeros(len(RISKS), bool)
        for number, risk in enumerate(RISKS):
            above = threshold(sure[first], right[first], risk)
            kept = ~first & (sure > (1 if above is None else above))
            shares[number] = kept.sum() / (~first).sum()
            broken[number] = kept.any() and (~right[kept]).mean() > risk
        found[name] = shares, broken
    return found


def main() -> None:
    rows = []
    for model, told in trained().items():
        both = told.both
        sure, right = both.at(told.temperature)
        for unit, units in {"documents": np.arange(len(right)), "groups": both.groups}.items():
            rng = np.random.default_rng(SEED)
            cuts = [halved(sure, right, units, rng) for _ in range(CUTS)]
            for name in THRESHOLDS:
                shares, broken = (np.mean([cut[name][side] for cut in cuts], axis=0) for side in (0, 1))
                row = {"model": model, "halves of": unit, "threshold": name}
                for what, values in {"broken": broken, "answered": shares}.items():
                    row |= {f"{what} at {risk:.0%}": f"{of:.1%}" for risk, of in zip(RISKS, values, strict=True)}
                rows.append(row)
    tell("abstaining", f"Thresholds from one half, kept on the other? {CUTS} cuts", rows)


if __name__ == "__main__":
    main()
