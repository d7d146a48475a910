"""Mistake: treating a threshold as a promise because few of the validation answers above it are wrong. It was chosen
among all thresholds to suit these documents; on other documents, the share of wrong answers is higher half of the time.

Run `make repro`, then `python demos/abstaining.py`. The models' answers for validation and test are split into halves
200 times. One half gives the confidence above which a model answers, for a given share of wrong answers (risk). The
other half shows how many documents are answered, and in how many splits more answers than promised are wrong.
Thresholds: the plug-in one; the one of `textmill predict --risk`; and selection with guaranteed risk (SGR; Geifman &
El-Yaniv 2017). The last two may fail in 5 % of all draws. Halves are split by documents, which the proofs assume, and
by groups, in which the documents come here.
"""

import math
from collections.abc import Callable

import numpy as np
from trained import trained
from trial import report

from textmill import confidence
from textmill.confidence import DELTA, binomial_cdf

RISKS, CUTS, SEED = (0.05, 0.1, 0.15), 200, 0


def counted(above: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns confidences, highest first, and the number of wrong answers up to each: (N,) both."""
    order = np.argsort(-above, kind="stable")
    return above[order], np.cumsum(~right[order])


def cut_off(falling: np.ndarray, answers: int) -> float | None:
    """Returns the confidence that this many answers exceed."""
    if answers == 0:
        return None
    return float(falling[answers]) if answers < len(falling) else 0.0


def plug_in(sure: np.ndarray, right: np.ndarray, risk: float) -> float | None:
    """Returns the lowest threshold at which no more than `risk` of the answers are wrong on these documents."""
    falling, wrong = counted(sure, right)
    held = np.flatnonzero(wrong / np.arange(1, len(wrong) + 1) <= risk)
    return cut_off(falling, int(held[-1]) + 1 if len(held) else 0)


def sgr(sure: np.ndarray, right: np.ndarray, risk: float) -> float | None:
    """Returns the threshold found by bisection, each step tested at its share of DELTA (their algorithm 2)."""
    falling, wrong = counted(sure, right)
    low, high, tests = 0, len(falling), math.ceil(math.log2(len(falling)))
    for _ in range(tests):
        middle = (low + high + 1) // 2
        if binomial_cdf(int(wrong[middle - 1]), middle, risk) <= DELTA / tests:
            low = middle
        else:
            high = middle
    return cut_off(falling, low)


def ours(sure: np.ndarray, right: np.ndarray, risk: float) -> float | None:
    """Returns the threshold of `textmill predict --risk`."""
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
    """Returns, by threshold and for each of RISKS, the share answered of the other half, and broken promises."""
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
    for model, result in trained().items():
        both = result.both
        sure, right = both.at(result.temperature)
        for unit, units in {"documents": np.arange(len(right)), "groups": both.groups}.items():
            rng = np.random.default_rng(SEED)
            cuts = [halved(sure, right, units, rng) for _ in range(CUTS)]
            for name in THRESHOLDS:
                shares, broken = (np.mean([cut[name][side] for cut in cuts], axis=0) for side in (0, 1))
                row = {"model": model, "halves of": unit, "threshold": name}
                for what, values in {"broken": broken, "answered": shares}.items():
                    row |= {f"{what} at {risk:.0%}": f"{of:.1%}" for risk, of in zip(RISKS, values, strict=True)}
                rows.append(row)
    report("abstaining", f"Thresholds from one half, kept on the other? {CUTS} cuts", rows)


if __name__ == "__main__":
    main()
