"""The way through the SageMaker runtime's API, with boto3, against a stand-in for the runtime."""

import html
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.application import application, form_values, visible_text
from tests.support.diamonds import CSV, ROWS
from tests.support.local_runtime import runtime
from tests.support.scripted_endpoint import ScriptedEndpoint, running_endpoint
from tests.support.server import ROOT, Server

pytest.importorskip("boto3", reason="boto3 is not installed: make test does it")
FORM = form_values(ROWS[0])


def by_runtime(endpoint: ScriptedEndpoint, *arguments: str) -> tuple[str, ...]:
    return ("--via", "runtime", "--endpoint", endpoint.url, *arguments)


def test_invoke_endpoint() -> None:
    """The record goes to the endpoint's name, signed; the page shows all headers, and of the signature only the beginning."""
    reply = b'{"predictions": [{"score": 1234.5}]}'
    runtime = running_endpoint(ScriptedEndpoint(200, reply, {"Content-Type": "application/json"}))
    with (
        runtime as endpoint,
        application(*by_runtime(endpoint, "--endpoint-name", "diamonds")) as app,
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
    """Through the local runtime the page shows what the server itself predicts, and why."""
    predicted = float(diamonds.post(CSV).text.split()[0])
    with (
        runtime(tmp_path, "--container", diamonds.url) as local,
        application("--via", "runtime", "--endpoint", local.url) as app,
    ):
        page = app.post(FORM)

    assert page.status_code == 200
    assert f"Price {predicted:,.0f} US dollars" in visible_text(page)
    assert "On average" in visible_text(page)
    assert "POST /endpoints/local/invocations" in visible_text(
        page
    ) or f"POST {local.url}/endpoints/local/invocations" in visible_text(page)


def test_model_errors_are_the_containers() -> None:
    """Of the runtime's 424 the container's own line is told, at the field that it names."""
    message = json.dumps(
        {"error": "SchemaMismatch", "message": 'row 1, column "carat": "x" is not a number'}
    )
    body = json.dumps(
        {"Message": "Received client error", "OriginalStatusCode": 400, "OriginalMessage": message}
    ).encode()
    with (
        running_endpoint(
            ScriptedEndpoint(424, body, {"x-amzn-ErrorType": "ModelError"})
        ) as endpoint,
        application(*by_runtime(endpoint)) as app,
    ):
        page = app.post(FORM)

    assert page.status_code == 422
    assert 'id="f0-error"' in page.text
    assert "is not a number" in visible_text(page)


def test_an_unknown_endpoint() -> None:
    """What the runtime itself says is told as it is."""
    body = json.dumps({"Message": "Endpoint local of account 1 not found."}).encode()
    with (
        running_endpoint(
            ScriptedEndpoint(400, body, {"x-amzn-ErrorType": "ValidationError"})
        ) as endpoint,
        application(*by_runtime(endpoint)) as app,
    ):
        page = app.post(FORM)

    assert "Endpoint local of account 1 not found." in visible_text(page)


def test_no_reply_in_time() -> None:
    """A runtime that does not answer in time is a 504, asked once."""
    with (
        running_endpoint(ScriptedEndpoint(), silent=True) as endpoint,
        application(*by_runtime(endpoint, "--timeout", "0.5")) as app,
    ):
        page = app.post(FORM)

        assert page.status_code == 504
        assert "within 0.5 seconds" in visible_text(page)
        assert len(endpoint.heads) == 1


def test_without_boto3() -> None:
    """Where boto3 is not installed, the program says what installs it."""
    program = (
        "import sys; sys.modules['boto3'] = None; from local_test.app.__main__ import main; main()"
    )
    command = [sys.executable, "-c", program, "--port", "0", "--via", "runtime"]
    outcome = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )

    assert outcome.returncode == 1
    assert (
        outcome.stderr == "the way through the runtime needs boto3: make deploy-setup installs it\n"
    )
