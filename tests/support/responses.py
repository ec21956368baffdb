"""What a reply says, as float32, read by the rules of its media type."""

import io
import json
from typing import Any

import numpy as np
import requests
from numpy.typing import NDArray

from tests.support.protobuf import scores_of


def scores(response: requests.Response) -> NDArray[np.float32]:
    """Return the predictions of a reply, one for each record, float32 (n,) or (n, k)."""
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
                [each["score"] for each in strict(response.text)["predictions"]], dtype=np.float32
            )
        case "application/jsonlines":
            assert not response.text or response.text.endswith("\n")
            return np.array(
                [strict(line)["score"] for line in response.text.splitlines()], dtype=np.float32
            )
        case "application/x-recordio-protobuf":
            rows = scores_of(response.content)
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
    """Return the value of JSON as the standard has it, without NaN and Infinity."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refuse)


def error_of(response: requests.Response) -> str:
    """Return the message of an error after checking its form: one short line of JSON (contract 3.10)."""
    assert response.status_code >= requests.codes.bad_request, response.text
    assert response.headers["Content-Type"] == "application/json"
    assert len(response.content) <= 2048
    assert response.content.endswith(b"\n")
    assert response.content.count(b"\n") == 1
    error = strict(response.text)
    assert set(error) == {"error", "message"}
    message: str = error["message"]
    assert "Traceback" not in message
    assert "[bt]" not in message
    return message
