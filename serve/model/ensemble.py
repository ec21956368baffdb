"""Combine the predictions of several models."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

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
