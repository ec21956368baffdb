"""What the endpoint's reply to one record says: the prediction, and what each feature added to it."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from local_test.app.class_labels import ClassLabels, wrong_count
from local_test.app.endpoint import Exchange, InvalidResponse
from local_test.app.schema import Prediction

ACCEPT = "application/json; explain=contributions+margin"
TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True)
class Link:
    """What to call a margin, which contributions add up to, and how it becomes a score; nothing where they are the same."""

    margin: str = ""
    sequel: str = ""


LOGISTIC = Link("log-odds", "the logistic function makes a probability of it")
SOFTMAX = Link("raw score", "the softmax over all classes makes a probability of it")
UNKNOWN = Link("margin", "the prediction follows from it")
# What the objective is, is not in a reply; its margin and score tell.
LINKS: tuple[tuple[Callable[[float], float], Link], ...] = (
    (lambda margin: margin, Link()),
    (lambda margin: 1 / (1 + math.exp(-margin)), LOGISTIC),
    (math.exp, Link("natural logarithm", "its exponential is the prediction")),
)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why: the bias and contributions (one for each feature, in order) add up to the margin, of ``outcome`` if of one class."""

    bias: float
    contributions: tuple[float, ...]
    margin: float
    link: Link
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A prediction in the user's terms, with all its numbers, its explanation if the endpoint gave one, and what to mend."""

    headline: str
    unit: str
    scores: tuple[tuple[str, float], ...]
    explanation: Explanation | None
    classes: ClassLabels | None = None
    warning: str = ""


def read(exchange: Exchange, prediction: Prediction, names: list[str]) -> Answer:
    """Read the reply to one record; raises InvalidResponse."""
    try:
        (record,) = json.loads(exchange.response_body)["predictions"]
        score = record["score"]
        several = isinstance(score, list)
        scores = [_finite(each) for each in score] if several else [_finite(score)]
        warning = wrong_count(prediction.classes, _count_of_classes(record, scores))
        if warning:
            prediction = replace(prediction, classes=())
        chosen = _explained_place(record, scores)
        explanation = _explanation(record, names, scores, chosen, prediction)
        answer = (
            _of_several(scores, prediction, explanation)
            if several
            else _of_one(scores[0], prediction, explanation)
        )
        return replace(answer, warning=warning)
    except (ValueError, KeyError, TypeError, IndexError, OverflowError, RecursionError) as error:
        raise InvalidResponse(
            'One record was sent, and {"predictions": [{"score": ...}]} was expected back.',
            exchange,
        ) from error


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{number} is no number")
    return number


def _count_of_classes(record: dict[str, Any], scores: list[float]) -> int | None:
    """Return how many classes there are if it is a classifier; its margins tell where there is one value."""
    if len(scores) > 1:
        return len(scores)
    margin = record.get("margin")
    return None if margin is None else len(margin) if isinstance(margin, list) else 2


def _explained_place(record: dict[str, Any], scores: list[float]) -> int | None:
    """Return the place of the value that is explained where a record has several: the likeliest class."""
    if len(scores) > 1:
        return scores.index(max(scores))
    return int(scores[0]) if isinstance(record.get("margin"), list) else None


def _of_several(
    scores: list[float], prediction: Prediction, explanation: Explanation | None
) -> Answer:
    if not prediction.classes:
        return Answer(", ".join(amount(each) for each in scores), prediction.unit, (), explanation)
    return _of_probabilities(scores, ClassLabels(prediction.classes), scores, explanation)


def _of_one(score: float, prediction: Prediction, explanation: Explanation | None) -> Answer:
    if not prediction.classes:
        return Answer(amount(score), prediction.unit, (), explanation)
    # A score that is no probability is of the second class if above 0.
    probable = explanation.link is LOGISTIC if explanation else 0 < score < 1
    classes = ClassLabels(prediction.classes, probable)
    if probable and len(classes.labels) == 2:
        return _of_probabilities([score], classes, [1 - score, score], explanation)
    return Answer(classes.label([score]), "", (), explanation, classes)


def _of_probabilities(
    scores: list[float],
    classes: ClassLabels,
    probabilities: list[float],
    explanation: Explanation | None,
) -> Answer:
    """Return the likeliest class with its probability."""
    place = classes.place(scores)
    named = tuple(zip(classes.labels, probabilities, strict=True))
    return Answer(classes.labels[place], percent(probabilities[place]), named, explanation, classes)


def _explanation(
    record: dict[str, Any],
    names: list[str],
    scores: list[float],
    chosen: int | None,
    prediction: Prediction,
) -> Explanation | None:
    if "contributions" not in record or (chosen is not None and not prediction.classes):
        return None

    def one(value: Any) -> float:
        return _finite(value if chosen is None else value[chosen])

    margin = one(record["margin"])
    link = _link(margin, scores[0]) if chosen is None else SOFTMAX
    contributions = tuple(one(record["contributions"][name]) for name in names)
    classes = prediction.classes
    place = 1 if chosen is None and len(classes) == 2 else chosen
    outcome = "" if place is None else classes[place]
    return Explanation(one(record["bias"]), contributions, margin, link, outcome)


def _link(margin: float, score: float) -> Link:
    for function, link in LINKS:
        try:
            if math.isclose(function(margin), score, rel_tol=TOLERANCE):
                return link
        except OverflowError:
            continue
    return UNKNOWN


def amount(value: float) -> str:
    """Return a number as one reads it: whole from 100 up, else four digits."""
    return f"{value:,.0f}" if 100 <= abs(value) < 1e15 else f"{value:.4g}"


def fixed(value: float, decimals: int) -> str:
    """Return a number with so many digits behind the point, so that several compare."""
    return f"{value:,.{decimals}f}".replace("-", "−")


def signed(value: float, decimals: int) -> str:
    """Return a number with so many digits behind the point, its sign in front in any case."""
    return f"{value:+,.{decimals}f}".replace("-", "−")


def percent(value: float) -> str:
    """Return a probability in per cent; certainty only where it is certain."""
    words = f"{100 * value:.1f}"
    words = {"100.0": "over 99.9", "0.0": "under 0.1"}.get(words, words) if 0 < value < 1 else words
    return f"{words} %"
