"""The classes of a classifier, and which of them the values of a record say."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClassLabels:
    """The labels, as many as the model has classes; ``probable`` tells whether one value is the second one's probability."""

    labels: tuple[str, ...]
    probable: bool = False

    def place(self, scores: Sequence[float]) -> int:
        """Return the place of the class that a record's values say; raises IndexError or ValueError if they say none."""
        if len(scores) > 1:
            return scores.index(max(scores))
        if len(self.labels) == 2:
            return int(scores[0] > (0.5 if self.probable else 0))
        return [float(place) for place in range(len(self.labels))].index(scores[0])

    def label(self, scores: Sequence[float]) -> str:
        """Return the label of that class."""
        return self.labels[self.place(scores)]


def wrong_count(labels: Sequence[str], count: int | None) -> str:
    """Return what is wrong with labels for so many classes, None if these are not known; nothing if they fit."""
    if not labels or count in (None, len(labels)):
        return ""
    return (
        f"The model has {count} classes, but schema.json names {len(labels)}, so that none is named here: "
        "mend “classes” of “prediction” in it, and start again."
    )
