"""The command ``python -m local_test.app``: startup, shutdown and configuration errors."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import requests

from tests.support.application import application, form_values, visible_text
from tests.support.diamonds import ROWS, expected
from tests.support.server import ROOT, Server


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_starts_and_stops_an_endpoint(number: int) -> None:
    """Without --endpoint, it starts an endpoint, and a signal stops both with exit code 0."""
    with application(stop=number) as app:
        page = app.post(form_values(ROWS[0]))
    endpoint = re.search(r"endpoint: (http://127\.0\.0\.1:\d+)/invocations", app.output)

    assert f"{float(expected()[0]):,.0f} US dollars" in visible_text(page)
    assert f"Open {app.url} in a browser" in app.output
    assert app.output.endswith("Stopped\n")
    assert app.exit_codes == [0]
    assert "Traceback" not in app.output
    assert "Warning" not in app.output
    assert endpoint
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{endpoint[1]}/ping", timeout=5)


def run_expecting_error(
    *arguments: str, exit_code: int = 1, variables: Mapping[str, str] = os.environ
) -> str:
    """Run the application, check its exit code, and return what it printed to stderr."""
    command = [sys.executable, "-m", "local_test.app", *arguments]
    completed = subprocess.run(
        command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False, timeout=60
    )

    assert completed.returncode == exit_code
    assert "Traceback" not in completed.stderr
    return completed.stderr


def test_port_in_use() -> None:
    """A port in use is an error with the port and a command that chooses another."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        assert (
            f"cannot listen on 127.0.0.1:{port}: Address already in use; "
            "choose another port, such as: make app PORT=8001"
            in run_expecting_error("--port", str(port))
        )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "schema.json does not exist, and"),
        ("{", "expected a schema as described in docs/artifact.md"),
        ("[]", "expected a schema as described in docs/artifact.md"),
        ('{"features": []}', 'schema.json has no "features", and'),
        ('{"missing_value": -999}', 'schema.json has no "features", and'),
    ],
    ids=["missing", "invalid-json", "list", "empty", "without-features"],
)
def test_missing_or_invalid_schema(tmp_path: Path, text: str | None, message: str) -> None:
    """Without a model, a missing or invalid schema.json is an error that says what is wrong."""
    if text is not None:
        (tmp_path / "schema.json").write_text(text)

    assert message in run_expecting_error(
        "--port", "0", "--folder", str(tmp_path), "--endpoint", "http://127.0.0.1:9"
    )


def test_missing_folder(tmp_path: Path) -> None:
    """A missing folder is an error with its path and the variable that sets it."""
    assert f"{tmp_path / 'none'} is not a directory: set FOLDER" in run_expecting_error(
        "--port", "0", "--folder", str(tmp_path / "none")
    )


def test_invalid_endpoint_url() -> None:
    """An --endpoint that is not a URL is a usage error with an example of one."""
    stderr = run_expecting_error("--endpoint", "127.0.0.1:8080", exit_code=2)

    assert 'expected a URL such as http://127.0.0.1:8080, got "127.0.0.1:8080"' in stderr


def test_boto3_without_a_region() -> None:
    """Without a region, the error has boto3's message, and how to use a local endpoint instead."""
    pytest.importorskip("boto3", reason="boto3 is not installed: make test installs it")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {"AWS_CONFIG_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true"}
    stderr = run_expecting_error("--port", "0", "--via", "runtime", variables=environment)

    assert "boto3 cannot create a SageMaker Runtime client: You must specify a region." in stderr
    assert "ENDPOINT=http://127.0.0.1:8090" in stderr


def test_endpoint_url_with_its_path(diamonds: Server) -> None:
    """An --endpoint that ends with /invocations is the same endpoint."""
    with application("--endpoint", f"{diamonds.url}/invocations/") as app:
        page = app.post(form_values(ROWS[0]))

    assert f"{float(expected()[0]):,.0f} US dollars" in visible_text(page)
