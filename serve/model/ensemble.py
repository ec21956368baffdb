"""Ensemble: one prediction of the predictions of several models that agree in what they take and predict."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from serve.errors import BadArtifact
from serve.text import quoted

Floats = NDArray[np.float32]
# Their predictions are classes, of which no mean can be taken.
VOTING = ("multi:softmax", "binary:hinge")


def mean(members: Sequence[Floats]) -> Floats:
    """Return the mean of the members' predictions, added up as float64 in their order."""
    total = np.zeros(members[0].shape)
    for each in members:
        total += each
    return (total / len(members)).astype(np.float32)


def vote(members: Sequence[Floats]) -> Floats:
    """Return the class that most members predict, of several the smallest."""
    ballots = np.stack(members)
    classes = np.unique(ballots)
    counts = (ballots[..., np.newaxis] == classes).sum(axis=0)
    elected: Floats = classes[counts.argmax(axis=-1)]
    return elected


def deviation(members: Sequence[Floats]) -> Floats:
    """Return the standard deviation of the members' predictions, that of a population."""
    deviations: Floats = np.std(np.stack(members).astype(np.float64), axis=0).astype(np.float32)
    return deviations


def check_agreement(members: Mapping[Path, Mapping[str, object]]) -> None:
    """Raise BadArtifact if what is known of the members, each under its path, differs; it names what does."""
    (first, known), *others = members.items()
    for path, facts in others:
        for what, value in facts.items():
            if value != known[what]:
                raise BadArtifact(
                    f"the models of an ensemble must agree, but the {what} of {path} is {quoted(value)}, "
                    f"and of {first} {quoted(known[what])}"
                )
