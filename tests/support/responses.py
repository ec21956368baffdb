"""Read predictions and errors from responses."""

import io
import json
from typing import Any

import numpy as np
import requests
from numpy.typing import NDArray

from tests.support.protobuf import read_scores
from tests.support.server import Server


def scores(response: requests.Response) -> NDArray[np.float32]:
    """Return the predictions in a response, one per record, float32 (n,) or (n, k)."""
    assert response.status_code == requests.codes.ok, response.text
    match response.headers["Content-Type"]:
        case "text/csv":
            assert not response.text or response.text.endswith("\n")
            rows = [list(map(float, line.split(","))) for line in response.text.splitlines()]
            return np.array(
                [row[0] for row in rows] if all(len(row) == 1 for row in rows) else rows,
                dtype=np.float32,
            )
        case "application/json":
            return np.array(
                [row["score"] for row in strict(response.text)["predictions"]], dtype=np.float32
            )
        case "application/jsonlines":
            assert not response.text or response.text.endswith("\n")
            return np.array(
                [strict(line)["score"] for line in response.text.splitlines()], dtype=np.float32
            )
        case "application/x-recordio-protobuf":
            rows = read_scores(response.content)
            return np.array(
                [row[0] for row in rows] if all(len(row) == 1 for row in rows) else rows,
                dtype=np.float32,
            )
        case "application/x-npy":
            array: NDArray[np.float32] = np.load(io.BytesIO(response.content), allow_pickle=False)
            assert array.dtype == np.float32
            return array
        case other:
            raise AssertionError(other)


def strict(text: str) -> Any:
    """Return the value of standard JSON, which does not allow NaN and Infinity."""

    def reject(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    return json.loads(text, parse_constant=reject)


def error_of(response: requests.Response) -> str:
    """Return the message of an error, which must be one short line of JSON (contract 3.10)."""
    assert response.status_code >= requests.codes.bad_request, response.text
    assert response.headers["Content-Type"] == "application/json"
    assert len(response.content) <= 2048
    assert response.content.endswith(b"\n")
    assert response.content.count(b"\n") == 1
    error = strict(response.text)
    assert set(error) == {"error", "message", "request_id"}
    assert response.headers["X-Request-Id"] == error["request_id"]
    message: str = error["message"]
    assert "Traceback" not in message
    assert "[bt]" not in message
    return message


def get_execution_parameters(server: Server) -> dict[str, object]:
    """Return the response to GET /execution-parameters."""
    response = requests.get(f"{server.url}/execution-parameters", timeout=5)

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    parameters: dict[str, object] = strict(response.text)
    return parameters
