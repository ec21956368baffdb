"""Starts the local runtime for tests, and a container that misbehaves on request."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import boto3
import requests
from botocore.config import Config

from tests.support.server import ROOT, free_port

TIMEOUT_SECONDS = 60.0
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@dataclass(frozen=True)
class LocalRuntime:
    """A running local runtime: its URL, its process, and the folder it uses instead of S3."""

    url: str
    s3: Path
    process: "subprocess.Popen[str]"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a client process that calls this runtime."""
        return os.environ | CREDENTIALS | {"AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": self.url}

    def create_client(self) -> Any:
        """Return a boto3 client of this runtime that does not retry."""
        return boto3.client(
            "sagemaker-runtime",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106  # the runtime accepts any credentials
            config=Config(retries={"total_max_attempts": 1}),
        )

    def object_path(self, uri: str) -> Path:
        """Return the file of an S3 object."""
        return self.s3 / uri.removeprefix("s3://")

    def wait_for_object(self, uri: str) -> bytes:
        """Return the content of an S3 object once it exists."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not self.object_path(uri).exists():
            assert time.monotonic() < deadline, f"{uri} does not exist"
            time.sleep(0.02)
        return self.object_path(uri).read_bytes()


@contextmanager
def run_local_runtime(s3: Path, *options: str) -> Iterator[LocalRuntime]:
    """Run a local runtime with the given command-line options."""
    port = free_port()
    command = [sys.executable, "-m", "local_test.runtime", "--port", str(port), "--s3", str(s3)]
    process = subprocess.Popen(
        [*command, *options],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_ready(process, url)
        yield LocalRuntime(url, s3, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(TIMEOUT_SECONDS)


def _wait_until_ready(process: "subprocess.Popen[str]", url: str) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, "the runtime exited"
        try:
            requests.get(url, timeout=5)
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"the runtime was not ready within {TIMEOUT_SECONDS:.0f} s")


class FaultyContainer(BaseHTTPRequestHandler):
    """A container whose behavior is the payload's first word; it records the headers received."""

    protocol_version = "HTTP/1.1"
    received_headers: ClassVar[list[dict[str, str]]] = []

    def do_POST(self) -> None:
        """Run the command in the payload: its name, then its arguments."""
        payload = self.rfile.read(int(self.headers["Content-Length"])).decode()
        command, _, arguments = payload.partition(" ")
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.received_headers.append(headers)
        getattr(self, f"do_{command}")(arguments)

    def do_fail(self, arguments: str) -> None:
        """Respond with the given status and a body of the given length."""
        status, _, length = arguments.partition(" ")
        self._respond(int(status), b"x" * int(length))

    def do_sleep(self, seconds: str) -> None:
        """Respond after the given number of seconds."""
        time.sleep(float(seconds))
        self._respond(200, b"late")

    def do_drop(self, _: str) -> None:
        """Close the connection without a response."""
        self.close_connection = True

    def do_chunks(self, ending: str) -> None:
        """Respond in chunks; the ending is ``end``, ``break`` (no last chunk) or ``sleep``."""
        self.send_response(200)
        self.send_header("Content-Type", "text/csv")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in ("one", "two"):
            self.wfile.write(f"{len(chunk):x}\r\n{chunk}\r\n".encode())
            self.wfile.flush()
            time.sleep(0.05)
        if ending == "end":
            self.wfile.write(b"0\r\n\r\n")
        elif ending == "sleep":
            time.sleep(3)
        self.close_connection = True

    def do_large(self, length: str) -> None:
        """Respond with the given number of bytes."""
        self._respond(200, b"x" * int(length))

    def do_headers(self, _: str) -> None:
        """Respond with the headers received, and with headers that must not reach the caller."""
        body = json.dumps(self.received_headers[-1]).encode()
        self._respond(200, body, Server="faulty", **{"X-Secret": "1"})

    def _respond(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@contextmanager
def run_faulty_container() -> Iterator[str]:
    """Run a container that misbehaves on request; yield its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), FaultyContainer)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
