"""Map a record's scores to the label of the predicted class."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClassLabels:
    """The labels of a classifier, in the order of its classes.

    ``score_is_probability`` is true if a single score is the probability of the second class, which
    is predicted above ``threshold``.
    """

    labels: tuple[str, ...]
    score_is_probability: bool = False
    threshold: float = 0.5

    def predicted_index(self, scores: Sequence[float]) -> int:
        """Return the index of the predicted class; raises IndexError or ValueError if none fits."""
        if len(scores) > 1:
            return scores.index(max(scores))
        if len(self.labels) == 2:
            threshold = self.threshold if self.score_is_probability else 0.0
            return int(scores[0] > threshold)
        return [float(index) for index in range(len(self.labels))].index(scores[0])

    def predicted_label(self, scores: Sequence[float]) -> str:
        """Return the label of the predicted class; raises IndexError or ValueError if none fits."""
        return self.labels[self.predicted_index(scores)]


def describe_count_mismatch(labels: Sequence[str], class_count: int | None) -> str:
    """Return a warning if there are not as many labels as classes, else an empty string.

    ``class_count`` is None if the model's number of classes is unknown.
    """
    if not labels or class_count in (None, len(labels)):
        return ""
    return (
        f"The model has {class_count} classes, but schema.json lists {len(labels)}, "
        "so class names are not shown. "
        "Correct “classes” under “prediction” in schema.json and restart."
    )
