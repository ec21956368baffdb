"""Combine the predictions of several models, which must agree in their inputs and outputs."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from serve.errors import BadArtifact
from serve.text import quoted

Floats = NDArray[np.float32]
# These objectives predict class labels, which cannot be averaged.
VOTING_OBJECTIVES = ("multi:softmax", "binary:hinge")


def mean(predictions: Sequence[Floats]) -> Floats:
    """Return the mean of the members' predictions, summed as float64 in the members' order."""
    total = np.zeros(predictions[0].shape)
    for member_predictions in predictions:
        total += member_predictions
    return (total / len(predictions)).astype(np.float32)


def majority_vote(predictions: Sequence[Floats]) -> Floats:
    """Return the class that most members predict; the smallest class wins a tie."""
    votes = np.stack(predictions)
    classes = np.unique(votes)
    counts = (votes[..., np.newaxis] == classes).sum(axis=0)
    winners: Floats = classes[counts.argmax(axis=-1)]
    return winners


def standard_deviation(predictions: Sequence[Floats]) -> Floats:
    """Return the population standard deviation of the members' predictions."""
    values = np.stack(predictions).astype(np.float64)
    deviations: Floats = np.std(values, axis=0).astype(np.float32)
    return deviations


def check_members_agree(members: Mapping[Path, Mapping[str, object]]) -> None:
    """Raise BadArtifact, with the first difference, if the properties of the members differ.

    ``members`` maps the path of each member to its properties.
    """
    (first_path, expected), *others = members.items()
    for path, properties in others:
        for name, value in properties.items():
            if value != expected[name]:
                difference = _describe_difference(name, expected[name], first_path, value, path)
                raise BadArtifact(
                    f"the models of an ensemble differ in {difference}: "
                    "remove the model that does not belong to the ensemble"
                )


def _describe_difference(
    name: str, first: object, first_path: Path, second: object, second_path: Path
) -> str:
    """Return the values that differ; for lists of equal length, only the first such elements."""
    if isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        pairs = enumerate(zip(first, second, strict=True), 1)
        number, (first, second) = next(item for item in pairs if item[1][0] != item[1][1])
        name = f"{name}, column {number}"
    return f"{name}: {first_path} has {quoted(first)}, {second_path} has {quoted(second)}"
