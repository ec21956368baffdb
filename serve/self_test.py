"""Self-test: a request of the artifact's own, answered at the start as any caller's would be."""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from serve.errors import BadArtifact, InvocationError
from serve.inference import Invocation, infer
from serve.media_types import CSV, JSON, SUFFIXES
from serve.model.artifact import self_test_files
from serve.model.model import Model

# Other processors and other versions of XGBoost may add a model's leaves up with other last bits.
RELATIVE_TOLERANCE = 1e-5
ABSOLUTE_TOLERANCE = 1e-6


def run_self_test(model: Model, folder: Path) -> int:
    """Return how many records of the self-test came out as expected, 0 without one; raises BadArtifact if some did not."""
    for request, expected in self_test_files(folder):
        for path in (request, expected):
            if path.suffix not in SUFFIXES:
                raise BadArtifact(f"{path}: expected a name that ends in {', '.join(SUFFIXES)}")
        accept = SUFFIXES[expected.suffix]
        try:
            reply = infer(
                model, Invocation(request.read_bytes(), SUFFIXES[request.suffix], {}, accept)
            )
            got, due = _numbers(reply.body, accept), _numbers(expected.read_bytes(), accept)
        except InvocationError as error:
            raise BadArtifact(f"the self-test failed: {request}: {error}") from error
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise BadArtifact(
                f"{expected}: expected a reply of this server, as {accept}: {error!r}"
            ) from error
        _compare(got, due)
        return len(due)
    return 0


def _numbers(reply: bytes, media_type: str) -> list[NDArray[np.float64]]:
    """Return the values of each record of a reply."""
    if media_type == CSV:
        rows = [line.split(",") for line in reply.decode().split()]
    elif media_type == JSON:
        rows = [each["score"] for each in json.loads(reply)["predictions"]]
    else:
        rows = [json.loads(line)["score"] for line in reply.splitlines()]
    return [np.atleast_1d(np.array(row, dtype=np.float64)) for row in rows]


def _compare(got: list[NDArray[np.float64]], due: list[NDArray[np.float64]]) -> None:
    if len(got) != len(due):
        raise BadArtifact(
            f"the self-test failed: {len(due)} predictions are expected, {len(got)} came"
        )
    for row, (values, expected) in enumerate(zip(got, due, strict=True), 1):
        fits = values.shape == expected.shape and np.allclose(
            values, expected, RELATIVE_TOLERANCE, ABSOLUTE_TOLERANCE, equal_nan=True
        )
        if not fits:
            raise BadArtifact(
                f"the self-test failed: row {row}: expected {expected.tolist()}, got {values.tolist()}; "
                "the model is not the one that the test was made with, or it is damaged"
            )
