"""Contract 10.1: the log's events, their levels and fields."""

import socket
from typing import Any

import pytest
import requests

from tests.support.diamonds import ARTIFACT, CSV
from tests.support.server import running

ALL_EVENTS = {"server started", "request succeeded", "request failed", "server stopped"}
SECRET = "my-secret-value"  # noqa: S105  # what the log must not contain


def collect_events(**env: str) -> list[dict[str, Any]]:
    """Return the events of a server that received valid, invalid and incomplete requests."""
    with running(ARTIFACT, **env) as server:
        assert server.post(CSV).status_code == 200
        assert server.post(CSV.replace("Ideal", SECRET, 1)).status_code == 400
        assert server.post(f'{{"{SECRET}": 1}}', "application/json").status_code == 400
        assert server.post(f'"{SECRET}"', "application/json").status_code == 400
        assert server.post(f'[["{SECRET}", 1]]', "application/json").status_code == 400
        assert server.post("1", "image/png").status_code == 415
        for rest in (
            "Transfer-Encoding: chunked\r\n\r\n" + SECRET + "\r\n",
            "Content-Length: 1\r\n\r\n1" + SECRET + ": 42\r\n\r\n",
        ):
            with socket.create_connection(server.address, timeout=5) as connection:
                connection.sendall(f"POST /invocations HTTP/1.1\r\nHost: x\r\n{rest}".encode())
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass
        assert requests.get(f"{server.url}/invocations", timeout=5).status_code == 405
        assert requests.get(f"{server.url}/scan.php", timeout=5).status_code == 404
    return server.events()


def test_startup_failures_and_shutdown_are_logged() -> None:
    """10.1: startup, failed requests and shutdown are logged; success, 404 and 405 are not."""
    events = collect_events()

    assert [event["event"] for event in events[:6]] == ["server started", *["request failed"] * 5]
    assert [event.get("status") for event in events[:6]] == [None, 400, 400, 400, 400, 415]
    assert events[-1]["event"] == "server stopped"
    assert {event.get("status") for event in events[6:-1]} == {400, None}
    for event in events[1:6]:
        assert len(event["request_id"]) == 32
        assert event["payload_bytes"] > 0
        assert event["milliseconds"]["read"] >= 0
        assert event["reason"]
        assert "{" not in event["reason"].replace('{"instances": [row, ...]}', "")
    assert events[1]["reason"].startswith('row 1, column "cut": unknown category [redacted]: ')


def test_payload_data_is_never_logged() -> None:
    """10.1: no event contains payload data, not even at DEBUG; a reason has row and column."""
    assert SECRET not in str(collect_events(SAGEMAKER_CONTAINER_LOG_LEVEL="DEBUG"))


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("10", ALL_EVENTS),
        ("0", ALL_EVENTS),
        ("debug", ALL_EVENTS),
        ("20", ALL_EVENTS - {"request succeeded"}),
        ("ERROR", set()),
    ],
)
def test_log_level_is_a_name_or_a_number(level: str, expected: set[str]) -> None:
    """8.3: SAGEMAKER_CONTAINER_LOG_LEVEL is a name or number; DEBUG adds successes, 404, 405."""
    events = collect_events(SAGEMAKER_CONTAINER_LOG_LEVEL=level)

    assert {
        event["event"]
        for event in events
        if not event["event"].startswith("Invalid request from ip=")
    } == expected
    assert ({404, 405} <= {event.get("status") for event in events}) == (
        "request succeeded" in expected
    )
