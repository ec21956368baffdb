"""Compare the predictions of a regression with the target in the sample."""

import numpy as np

from model.schema.findings import Findings
from model.schema.scores import Scores
from serve.text import counted, is_number

PREFIXES = ("reg:", "count:")
MIN_EXPLAINED = 0.1
MIN_ROWS = 2


def compare_values(objective: str, target: str, scores: Scores, findings: Findings) -> None:
    """Note how much of the target's variance the model explains, which confirms the columns."""
    if not objective.startswith(PREFIXES) or scores.predictions.ndim > 1:
        return
    if not all(map(is_number, scores.targets)):
        findings.unknown.append(
            f"what the model predicts: the objective is {objective}, but {target} contains text"
        )
        return
    actual = np.array(scores.targets, dtype=float)
    if len(actual) < MIN_ROWS or not actual.std():
        return
    residuals = actual - scores.predictions
    explained = 1 - float((residuals**2).mean() / actual.var())
    rows = counted(len(actual), "row")
    if explained < MIN_EXPLAINED:
        findings.unknown.append(
            f"whether {target} is what the model predicts: it explains "
            f"{100 * max(explained, 0):.0f}% of its variance in {rows}: check TARGET, the order "
            "of the columns, and whether training transformed the target"
        )
        return
    findings.inferred.append(
        f"prediction: the model explains {100 * explained:.1f}% of the variance of "
        f"{target} in {rows}"
    )
