"""How far confidence can be trusted: what a temperature changed, and the accuracy of the most confident answers."""

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import polars as pl

from textmill import tally
from textmill.confidence import RISKS, Calibration, Step, at_temperature, least_risk, threshold
from textmill.judging.scoring import calibration_error, classes_of, probabilities_of
from textmill.records.scores import AtRisk, Covered, Scores, Tempered

SHARES = 10  # of the documents, for coverage


def with_confidence(
    scores: Scores, tables: Mapping[int, pl.DataFrame], shipped: int, calibrations: Mapping[int, Calibration]
) -> Scores:
    """Adds facts about confidence to `scoring.all_scores`. tables: of `predictions`, by seed."""
    steps = calibrations[shipped].steps
    found = {
        "temperatures": [change(tables[one.seed], scores, one.seed, calibrations[one.seed]) for one in scores.seeds],
        "coverage": coverage(tables[shipped]),
        "risks": at_risks(tables[shipped], steps),
        "least_risk": least_risk(steps),
    }
    return scores.model_copy(update=found)


def change(table: pl.DataFrame, scores: Scores, seed: int, calibration: Calibration) -> Tempered:
    """Returns what the temperature changed in one seed's scores. table: probabilities at the temperature."""
    after = cast("dict[str, float]", scores.of(seed))  # both are always defined
    before = at_temperature(probabilities_of(table, scores.labels), 1 / calibration.temperature)
    right = (table["label"] == table["prediction"]).to_numpy()
    return Tempered(
        seed=seed,
        temperature=calibration.temperature,
        documents=calibration.documents,
        too_few=calibration.too_few,
        log_loss_before=round(tally.log_loss(before, classes_of(table, "label", scores.labels)), 6),
        log_loss=after["log_loss"],
        calibration_error_before=round(calibration_error(before.max(1), right), 6),
        calibration_error=after["calibration_error"],
    )


def coverage(table: pl.DataFrame) -> list[Covered]:
    """Returns the accuracy of the most confident tenth, two tenths and so on of `predictions`; ties go by id."""
    falling = table.sort("confidence", "id", descending=[True, False])
    right = np.cumsum((falling["label"] == falling["prediction"]).to_numpy())
    counts = [round(number * len(right) / SHARES) for number in range(1, SHARES + 1)]
    return [
        Covered(share=round(count / len(right), 6), accuracy=round(float(right[count - 1] / count), 6))
        for count in counts
        if count
    ]


def at_risks(table: pl.DataFrame, steps: Sequence[Step]) -> list[AtRisk]:
    """Returns how many documents of a table of `predictions` are answered at each of RISKS, and how many wrongly."""
    confidence, wrong = table["confidence"].to_numpy(), (table["label"] != table["prediction"]).to_numpy()
    found = []
    for risk in RISKS:
        step = threshold(steps, risk)
        above = step.above if step else None
        kept = confidence > (1 if above is None else above)
        found.append(AtRisk(risk=risk, above=above, answered=int(kept.sum()), wrong=int((kept & wrong).sum())))
    return found
