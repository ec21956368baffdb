"""Invoking the endpoint with boto3, through an emulator of the SageMaker Runtime API."""

import html
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.application import application, form_values, visible_text
from tests.support.diamonds import CSV, ROWS
from tests.support.local_runtime import run_local_runtime
from tests.support.scripted_endpoint import ScriptedEndpoint, running_endpoint
from tests.support.server import ROOT, Server

pytest.importorskip("boto3", reason="boto3 is not installed: make test installs it")
FORM = form_values(ROWS[0])


def runtime_options(endpoint: ScriptedEndpoint, *arguments: str) -> tuple[str, ...]:
    return ("--via", "runtime", "--endpoint", endpoint.url, *arguments)


def test_invoke_endpoint() -> None:
    """The record is sent to the named endpoint and signed; the page does not show the signature."""
    body = b'{"predictions": [{"score": 1234.5}]}'
    emulator = running_endpoint(ScriptedEndpoint(200, body, {"Content-Type": "application/json"}))
    with (
        emulator as endpoint,
        application(*runtime_options(endpoint, "--endpoint-name", "diamonds")) as app,
    ):
        page = app.post(FORM)
    ((request_line, headers),) = endpoint.heads
    sent = dict(headers)
    shown = html.unescape(page.text)

    assert request_line == "POST /endpoints/diamonds/invocations HTTP/1.1"
    assert "explain=contributions" in sent["Accept"]
    assert json.loads(endpoint.bodies[0])["instances"][0]["cut"] == ROWS[0][1]
    assert "Price 1,234 US dollars" in visible_text(page)
    assert f"X-Amz-Date: {sent['X-Amz-Date']}" in shown
    assert sent["Authorization"].startswith("AWS4-HMAC-SHA256")
    assert "Authorization: AWS4-HMAC-SHA256" in shown
    assert "Signature=" not in shown


def test_the_local_runtime(diamonds: Server, tmp_path: Path) -> None:
    """Through the local runtime, the page shows the server's prediction and its explanation."""
    predicted = float(diamonds.post(CSV).text.split()[0])
    with (
        run_local_runtime(tmp_path, "--container", diamonds.url) as local,
        application("--via", "runtime", "--endpoint", local.url) as app,
    ):
        page = app.post(FORM)

    assert page.status_code == 200
    assert f"Price {predicted:,.0f} US dollars" in visible_text(page)
    assert "Average" in visible_text(page)
    assert "POST /endpoints/local/invocations" in visible_text(
        page
    ) or f"POST {local.url}/endpoints/local/invocations" in visible_text(page)


def test_model_error() -> None:
    """A ModelError (424) shows the container's own message, at the field of the column."""
    message = json.dumps(
        {"error": "SchemaMismatch", "message": 'row 1, column "carat": expected a number, got "x"'}
    )
    body = json.dumps(
        {"Message": "Received client error", "OriginalStatusCode": 400, "OriginalMessage": message}
    ).encode()
    with (
        running_endpoint(
            ScriptedEndpoint(424, body, {"x-amzn-ErrorType": "ModelError"})
        ) as endpoint,
        application(*runtime_options(endpoint)) as app,
    ):
        page = app.post(FORM)

    assert page.status_code == 422
    assert 'id="f0-error"' in page.text
    assert "expected a number" in visible_text(page)


def test_unknown_endpoint() -> None:
    """An error of the Runtime API itself is shown with its message."""
    body = json.dumps({"Message": "Endpoint local of account 1 not found."}).encode()
    with (
        running_endpoint(
            ScriptedEndpoint(400, body, {"x-amzn-ErrorType": "ValidationError"})
        ) as endpoint,
        application(*runtime_options(endpoint)) as app,
    ):
        page = app.post(FORM)

    assert "Endpoint local of account 1 not found." in visible_text(page)


def test_timeout() -> None:
    """A response that does not arrive within the timeout is a 504 without a retry."""
    with (
        running_endpoint(ScriptedEndpoint(), stalls=True) as endpoint,
        application(*runtime_options(endpoint, "--timeout", "0.5")) as app,
    ):
        page = app.post(FORM)

        assert page.status_code == 504
        assert "within 0.5 seconds" in visible_text(page)
        assert len(endpoint.heads) == 1


def test_without_boto3() -> None:
    """Without boto3, the program exits with the command that installs it."""
    program = (
        "import sys; sys.modules['boto3'] = None; from local_test.app.__main__ import main; main()"
    )
    command = [sys.executable, "-c", program, "--port", "0", "--via", "runtime"]
    completed = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )

    assert completed.returncode == 1
    assert completed.stderr == "--via runtime requires boto3: “make deploy-setup” installs it\n"
