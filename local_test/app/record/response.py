"""Parse the endpoint's response to one record: the prediction and its explanation."""

import json
import math
from dataclasses import dataclass, replace
from typing import Any

from local_test.app.class_labels import ClassLabels, describe_count_mismatch
from local_test.app.endpoints.endpoint import Exchange, InvalidResponse
from local_test.app.number_format import format_amount, format_percent
from local_test.app.record.link_function import (
    LOGISTIC,
    SOFTMAX,
    LinkFunction,
    detect_link_function,
)
from local_test.app.schema import Target

ACCEPT = "application/json; explain=contributions+margin"
# What any JSON raises that is not a response.
INVALID = (
    *(ArithmeticError, AttributeError, LookupError, RecursionError, StopIteration),
    *(TypeError, ValueError),
)
UNKNOWN_SCORE = (
    "The class is not shown, because the response contains no margin: "
    "the score may be a probability or a margin."
)


@dataclass(frozen=True, slots=True)
class Explanation:
    """SHAP values: the bias plus one contribution per feature, in order, equals the margin.

    ``class_label`` is the class that they explain, if it is one.
    """

    bias: float
    contributions: tuple[float, ...]
    margin: float
    link: LinkFunction
    class_label: str = ""


@dataclass(frozen=True, slots=True)
class Prediction:
    """A prediction as the page shows it.

    ``probabilities`` pairs each class label with its probability; ``warning`` says what to correct
    in schema.json.
    """

    headline: str
    unit: str
    probabilities: tuple[tuple[str, float], ...]
    explanation: Explanation | None
    class_labels: ClassLabels | None = None
    warning: str = ""


def parse_prediction(exchange: Exchange, target: Target, names: list[str]) -> Prediction:
    """Return the prediction in the response to one record; raises InvalidResponse."""
    try:
        (record,) = json.loads(exchange.response_body)["predictions"]
        return _parse_record(record, target, names)
    except INVALID as error:
        raise InvalidResponse(
            'Expected {"predictions": [{"score": ...}]} with one prediction for the one record.',
            exchange,
        ) from error


def _parse_record(named: dict[str, Any], target: Target, names: list[str]) -> Prediction:
    record = _remove_class_names(named)
    score = record["score"]
    has_score_list = isinstance(score, list)
    scores = [_to_finite(value) for value in (score if has_score_list else [score])]
    warning = describe_count_mismatch(target.classes, _count_classes(record, scores))
    if warning:
        target = replace(target, classes=())
    explanation = _parse_explanation(record, names, scores, target)
    if has_score_list:
        prediction = _predict_from_scores(scores, target, explanation)
    else:
        prediction = _predict_from_score(scores[0], target, explanation)
    return replace(prediction, warning=warning or prediction.warning)


def _remove_class_names(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record whose margins and contributions are numbers, or lists in order of classes."""
    plain = {key: _list_values(value) for key, value in record.items() if key != "contributions"}
    if "contributions" in record:
        contributions = record["contributions"].items()
        plain["contributions"] = {name: _list_values(value) for name, value in contributions}
    return plain


def _list_values(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return list(value.values()) if len(value) > 1 else next(iter(value.values()))


def _to_finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"expected a finite number, got {number}")
    return number


def _count_classes(record: dict[str, Any], scores: list[float]) -> int | None:
    """Return the number of classes, or None if the model might not be a classifier."""
    if len(scores) > 1:
        return len(scores)
    margin = record.get("margin")
    if margin is None:
        return None
    return len(margin) if isinstance(margin, list) else 2


def _predict_from_scores(
    scores: list[float], target: Target, explanation: Explanation | None
) -> Prediction:
    if not target.classes:
        headline = ", ".join(map(format_amount, scores))
        return Prediction(headline, target.unit, (), explanation)
    return _predict_class(scores, ClassLabels(target.classes), scores, explanation)


def _predict_from_score(
    score: float, target: Target, explanation: Explanation | None
) -> Prediction:
    if not target.classes:
        return Prediction(format_amount(score), target.unit, (), explanation)
    if explanation is None and len(target.classes) == 2:
        return Prediction(format_amount(score), "", (), None, warning=UNKNOWN_SCORE)
    # If it is not a probability, it is a margin, and a positive one means the second class.
    is_probability = explanation is not None and explanation.link is LOGISTIC
    class_labels = ClassLabels(target.classes, is_probability, target.threshold)
    if is_probability and len(class_labels.labels) == 2:
        return _predict_class([score], class_labels, [1 - score, score], explanation)
    label = class_labels.predicted_label([score])
    return Prediction(label, "", (), explanation, class_labels)


def _predict_class(
    scores: list[float],
    class_labels: ClassLabels,
    probabilities: list[float],
    explanation: Explanation | None,
) -> Prediction:
    """Return the most probable class with its probability."""
    index = class_labels.predicted_index(scores)
    labeled = tuple(zip(class_labels.labels, probabilities, strict=True))
    return Prediction(
        class_labels.labels[index],
        format_percent(probabilities[index]),
        labeled,
        explanation,
        class_labels,
    )


def _parse_explanation(
    record: dict[str, Any], names: list[str], scores: list[float], target: Target
) -> Explanation | None:
    """Return the explanation in a record, of its most probable class if it has several."""
    index = _explained_index(record, scores)
    if "contributions" not in record or (index is not None and not target.classes):
        return None

    def select(value: Any) -> float:
        return _to_finite(value if index is None else value[index])

    margin = select(record["margin"])
    link = detect_link_function(margin, scores[0]) if index is None else SOFTMAX
    contributions = tuple(select(record["contributions"][name]) for name in names)
    label = _explained_label(target.classes, index)
    return Explanation(select(record["bias"]), contributions, margin, link, label)


def _explained_index(record: dict[str, Any], scores: list[float]) -> int | None:
    """Return the index of the most probable class, or None if a record has a single margin."""
    if len(scores) > 1:
        return scores.index(max(scores))
    return int(scores[0]) if isinstance(record.get("margin"), list) else None


def _explained_label(classes: tuple[str, ...], index: int | None) -> str:
    if index is not None:
        return classes[index]
    return classes[1] if len(classes) == 2 else ""
