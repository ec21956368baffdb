"""Batch transform: suggested parameters, and the variables that SageMaker sets."""

import numpy as np
import pytest

from tests.support.diamonds import ARTIFACT, CSV, expected
from tests.support.responses import get_execution_parameters, scores
from tests.support.server import running


@pytest.mark.parametrize(
    ("env", "expected_parameters"),
    [
        ({"SAGEMAKER_MODEL_SERVER_WORKERS": "3"}, (3, 6)),
        (
            {"SAGEMAKER_MODEL_SERVER_WORKERS": "1", "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "40"},
            (40, 2),
        ),
        ({"SAGEMAKER_MODEL_SERVER_WORKERS": "3", "SAGEMAKER_MAX_PAYLOAD_IN_MB": "50"}, (2, 50)),
        ({"SAGEMAKER_MODEL_SERVER_WORKERS": "3", "SAGEMAKER_MAX_PAYLOAD_IN_MB": "500"}, (1, 100)),
        ({"SAGEMAKER_MODEL_SERVER_WORKERS": "3", "SAGEMAKER_MAX_PAYLOAD_IN_MB": "0"}, (3, 0)),
        ({"SAGEMAKER_MODEL_SERVER_WORKERS": "3", "MAX_CONTENT_LENGTH": "19922944"}, (3, 19)),
        ({"SAGEMAKER_MODEL_SERVER_WORKERS": "3", "MAX_CONTENT_LENGTH": str(50 << 20)}, (2, 50)),
        ({"SAGEMAKER_MODEL_SERVER_WORKERS": "1", "MAX_CONTENT_LENGTH": str(1 << 30)}, (1, 100)),
        ({"SAGEMAKER_MODEL_SERVER_WORKERS": "1", "MAX_CONTENT_LENGTH": "1000"}, (1, 1)),
        (
            {
                "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
                "MAX_CONTENT_LENGTH": "19922944",
                "SAGEMAKER_MAX_PAYLOAD_IN_MB": "7",
            },
            (1, 7),
        ),
        (
            {
                "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
                "MAX_CONTENT_LENGTH": "3000000",
                "SAGEMAKER_BATCH_STRATEGY": "MULTI_RECORD",
            },
            (1, 2),
        ),
    ],
)
def test_execution_parameters_follow_the_settings(
    env: dict[str, str], expected_parameters: tuple[int, int]
) -> None:
    """5.2, 5.3 and 12.5: one invocation per worker, at most 100 MB in total; no BatchStrategy."""
    with running(ARTIFACT, **env) as server:
        assert get_execution_parameters(server) == {
            "MaxConcurrentTransforms": expected_parameters[0],
            "MaxPayloadInMB": expected_parameters[1],
        }


@pytest.mark.parametrize(
    ("text", "batch"), [("True", True), ("true", True), ("false", False), ("0", False)]
)
def test_batch_is_a_boolean(text: str, *, batch: bool) -> None:
    """8.2: SAGEMAKER_BATCH accepts True, as SageMaker and local mode set it, and false."""
    with running(ARTIFACT, SAGEMAKER_BATCH=text) as server:
        response = server.post(CSV)

    assert server.events()[0]["batch"] is batch
    assert response.text.endswith("\n")
    np.testing.assert_array_equal(scores(response), expected())
