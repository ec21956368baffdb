"""Infer how the model turns its margin into a prediction, and describe that on the page."""

import math
from collections.abc import Callable
from dataclasses import dataclass

RELATIVE_TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True)
class LinkFunction:
    """The name of the margin, and a clause on how it becomes the prediction.

    Both are empty if the margin is the prediction.
    """

    margin_name: str = ""
    explanation: str = ""


IDENTITY = LinkFunction()
LOGISTIC = LinkFunction("log-odds", "the logistic function converts them to a probability")
EXPONENTIAL = LinkFunction(
    "natural logarithm of the prediction", "its exponential is the prediction"
)
SOFTMAX = LinkFunction("raw score", "the softmax over all classes converts it to a probability")
UNKNOWN = LinkFunction("margin", "the model computes the prediction from it")
# A response does not contain the objective, so the margin and the score are compared.
FUNCTIONS: tuple[tuple[Callable[[float], float], LinkFunction], ...] = (
    (lambda margin: margin, IDENTITY),
    (lambda margin: 1 / (1 + math.exp(-margin)), LOGISTIC),
    (math.exp, EXPONENTIAL),
)


def detect_link_function(margin: float, score: float) -> LinkFunction:
    """Return the function that converts the margin to the score, or UNKNOWN."""
    for function, link in FUNCTIONS:
        try:
            if math.isclose(function(margin), score, rel_tol=RELATIVE_TOLERANCE):
                return link
        except OverflowError:
            continue
    return UNKNOWN
