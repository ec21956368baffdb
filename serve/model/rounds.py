"""Rounds: how many boosting rounds of a model predict, given its attribute ``best_iteration``.

The attribute does not prove an early stop, and no file says how long training waited for an
improvement. These write it:

- XGBoost's Python and R packages, with early stopping only; continued training then adds rounds,
  but does not remove the attribute;
- xgboost4j and Spark, for every watch list (dmlc/xgboost#6893).

docs/decisions/0019-rounds.md explains the rule.
"""

import re
from dataclasses import dataclass

import xgboost

from serve.model.booster import read_attribute
from serve.model.estimator import ESTIMATOR
from serve.text import counted, quoted

BEST_ITERATION = "best_iteration"
VARIABLE = "SERVE_EARLY_STOPPING"
WHOLE_NUMBER = re.compile(r"\d{1,9}", re.ASCII)
# Training with early stopping waits this many rounds for an improvement, in most projects.
MAX_USUAL_PATIENCE = 50
# People who wait longer choose one of these; training that stops leaves out exactly as many rounds.
LONG_PATIENCES = (60, 75, 100, 150, 200, 250, 300, 400, 500, 1000)
# Training that does not stop has a multiple of this many rounds, in most projects.
USUAL_ROUNDS_STEP = 10


@dataclass(frozen=True, slots=True)
class Rounds:
    """The number of rounds that predict, and a warning if another number may be the right one."""

    used: int
    warning: str | None = None


def choose_rounds(
    booster: xgboost.Booster,
    booster_type: str,
    honor_best_iteration: bool | None,  # noqa: FBT001
) -> Rounds:
    """Return the rounds up to the best iteration if an early stop is plausible, otherwise all.

    ``honor_best_iteration`` is the setting: None decides by plausibility, and warns if the two
    readings differ; True uses the best iteration, and False all rounds. A linear booster has no
    rounds to choose from: its weights are those of the last round.
    """
    total = booster.num_boosted_rounds()
    best_iteration = read_attribute(booster, BEST_ITERATION)
    if best_iteration is None or honor_best_iteration is False or booster_type == "gblinear":
        return Rounds(total)
    if not WHOLE_NUMBER.fullmatch(best_iteration) or int(best_iteration) >= total:
        return Rounds(total, _describe_invalid(best_iteration, total))
    best = int(best_iteration) + 1
    if best == total:
        return Rounds(total)
    if honor_best_iteration:
        return Rounds(best)
    # An estimator itself predicts with the best iteration.
    if read_attribute(booster, ESTIMATOR) or _could_be_early_stop(best, total):
        return Rounds(best, _describe_honored(best, total))
    return Rounds(total, _describe_ignored(best, total))


def _could_be_early_stop(best: int, total: int) -> bool:
    left_out = total - best
    if left_out <= MAX_USUAL_PATIENCE:
        return True
    return left_out in LONG_PATIENCES and total % USUAL_ROUNDS_STEP != 0


def _describe_invalid(best_iteration: str, total: int) -> str:
    return (
        f"all {counted(total, 'round')} predict, because the attribute {BEST_ITERATION} is "
        f"{quoted(best_iteration)}, not one of the rounds; set {VARIABLE}=false to confirm this"
    )


def _describe_honored(best: int, total: int) -> str:
    return (
        f"the first {best:,} of {counted(total, 'round')} predict, because the attribute "
        f"{BEST_ITERATION} is {best - 1:,}, although Booster.predict uses all rounds; "
        f"set {VARIABLE}=true if training stopped early, or {VARIABLE}=false to use all rounds"
    )


def _describe_ignored(best: int, total: int) -> str:
    return (
        f"all {counted(total, 'round')} predict, although the attribute {BEST_ITERATION} is "
        f"{best - 1:,}, because early stopping hardly leaves out {total - best:,} rounds; "
        f"set {VARIABLE}=true to use the first {best:,}, or {VARIABLE}=false to confirm all rounds"
    )
