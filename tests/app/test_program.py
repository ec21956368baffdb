"""The program: it starts what is missing, says where it is, and stops what it started."""

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
def test_it_starts_and_stops_its_own_endpoint(number: int) -> None:
    """Without an endpoint it starts one; at its end that one is gone, too, and nothing went wrong."""
    with application(stop=number) as app:
        page = app.post(form_values(ROWS[0]))
    endpoint = re.search(r"its endpoint at (http://127\.0\.0\.1:\d+)/invocations", app.printed)

    assert f"{float(expected()[0]):,.0f} US dollars" in visible_text(page)
    assert f"The application is at {app.url}" in app.printed
    assert app.printed.endswith("Stopped\n")
    assert app.exit_codes == [0]
    assert "Traceback" not in app.printed
    assert "Warning" not in app.printed
    assert endpoint
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{endpoint[1]}/ping", timeout=5)


def refused(*arguments: str, exit_code: int = 1, variables: Mapping[str, str] = os.environ) -> str:
    command = [sys.executable, "-m", "local_test.app", *arguments]
    outcome = subprocess.run(
        command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False, timeout=60
    )

    assert outcome.returncode == exit_code
    assert "Traceback" not in outcome.stderr
    return outcome.stderr


def test_a_port_that_is_taken() -> None:
    """The port is named, and how to take another."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        assert (
            f"cannot listen on 127.0.0.1:{port} (Address already in use): PORT=8001 make app"
            in refused("--port", str(port))
        )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "is not there, and the form is made from it: docs/artifact.md"),
        ("{", "expected a schema as in docs/artifact.md"),
        ("[]", "expected a schema as in docs/artifact.md"),
        ('{"features": []}', '"features" is empty'),
    ],
    ids=["none", "no-json", "list", "empty"],
)
def test_a_folder_without_a_schema(tmp_path: Path, text: str | None, words: str) -> None:
    """Without a schema.json that can be read there is no form, and the program says so."""
    if text is not None:
        (tmp_path / "schema.json").write_text(text)

    assert words in refused(
        "--port", "0", "--folder", str(tmp_path), "--endpoint", "http://127.0.0.1:9"
    )


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """The folder is named, and what names another."""
    assert f"{tmp_path / 'none'} is no folder: FOLDER=" in refused(
        "--port", "0", "--folder", str(tmp_path / "none")
    )


def test_an_endpoint_that_is_no_url() -> None:
    """What is no URL is refused at the start, with an example of one."""
    words = refused("--endpoint", "127.0.0.1:8080", exit_code=2)

    assert "expected a URL such as http://127.0.0.1:8080, got '127.0.0.1:8080'" in words


def test_boto3_without_a_region() -> None:
    """On the way to AWS without a region, boto3's own words say that it is missing, and ours how to stay on this machine."""
    pytest.importorskip("boto3", reason="boto3 is not installed: make test does it")
    elsewhere = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    nowhere = elsewhere | {"AWS_CONFIG_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true"}
    words = refused("--port", "0", "--via", "runtime", variables=nowhere)

    assert "boto3 makes no client of the runtime: You must specify a region." in words
    assert "ENDPOINT=http://127.0.0.1:8090" in words


def test_an_address_with_its_path(diamonds: Server) -> None:
    """What names /invocations, too, is the same endpoint."""
    with application("--endpoint", f"{diamonds.url}/invocations/") as app:
        page = app.post(form_values(ROWS[0]))

    assert f"{float(expected()[0]):,.0f} US dollars" in visible_text(page)
