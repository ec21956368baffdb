"""Run the artifact's self-test: predict its request, and compare with its expected response."""

import json

import numpy as np
from numpy.typing import NDArray

from serve.errors import BadArtifact, InvocationError
from serve.inference import infer
from serve.invocation import Invocation
from serve.media.types import CSV, JSON, SUFFIXES
from serve.model.files.reading import MAX_PAYLOAD_BYTES, read_file
from serve.model.model import Model
from serve.text import counted

# Another processor or XGBoost version may round the sum of a model's leaves differently.
RELATIVE_TOLERANCE = 1e-5
ABSOLUTE_TOLERANCE = 1e-6


def run_self_test(model: Model) -> int:
    """Return the number of records that the self-test compared, or 0 if the artifact has none.

    Raises BadArtifact if a prediction differs from the expected one.
    """
    self_test = model.file.self_test
    if self_test is None:
        return 0
    request, expected_response = self_test
    for path in self_test:
        if path.suffix not in SUFFIXES:
            raise BadArtifact(f"{path}: expected a file name ending in {', '.join(SUFFIXES)}")
    accept = SUFFIXES[expected_response.suffix]
    try:
        response = infer(
            model,
            Invocation(read_file(request, MAX_PAYLOAD_BYTES), SUFFIXES[request.suffix], {}, accept),
        )
        predictions = _parse_scores(response.body, accept)
        expected = _parse_scores(read_file(expected_response, MAX_PAYLOAD_BYTES), accept)
    except InvocationError as error:
        raise BadArtifact(f"self-test failed: {request}: {error}") from error
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise BadArtifact(
            f"{expected_response}: expected a response of this server in {accept}: "
            f"{type(error).__name__}: {error}"
        ) from error
    _compare(predictions, expected)
    return len(expected)


def _parse_scores(body: bytes, media_type: str) -> list[NDArray[np.float64]]:
    """Return the scores of each record in a response."""
    if media_type == CSV:
        records = [line.split(",") for line in body.decode().split()]
    elif media_type == JSON:
        records = [prediction["score"] for prediction in json.loads(body)["predictions"]]
    else:
        records = [json.loads(line)["score"] for line in body.splitlines()]
    return [np.atleast_1d(np.array(scores, dtype=np.float64)) for scores in records]


def _compare(predictions: list[NDArray[np.float64]], expected: list[NDArray[np.float64]]) -> None:
    """Raise BadArtifact at the first difference."""
    if len(predictions) != len(expected):
        raise BadArtifact(
            f"self-test failed: expected {counted(len(expected), 'prediction')}, "
            f"got {len(predictions)}"
        )
    for row, (got, wanted) in enumerate(zip(predictions, expected, strict=True), 1):
        is_close = got.shape == wanted.shape and np.allclose(
            got, wanted, RELATIVE_TOLERANCE, ABSOLUTE_TOLERANCE, equal_nan=True
        )
        if not is_close:
            raise BadArtifact(
                f"self-test failed: row {row}: expected {wanted.tolist()}, got {got.tolist()}: "
                "the model is damaged, or is not the one that the self-test was created with"
            )
