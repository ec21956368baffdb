"""A local runtime for tests, and a container that misbehaves on demand."""

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

START_SECONDS = 60.0
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@dataclass(frozen=True)
class Runtime:
    """A runtime under ``url`` whose files are in ``s3``."""

    url: str
    s3: Path
    process: "subprocess.Popen[str]"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a client that finds it."""
        return os.environ | CREDENTIALS | {"AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": self.url}

    def client(self) -> Any:
        """Return boto3's client of it, which tries once."""
        return boto3.client(
            "sagemaker-runtime",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106  # any will do
            config=Config(retries={"total_max_attempts": 1}),
        )

    def file(self, address: str) -> Path:
        """Return the file that stands for an object."""
        return self.s3 / address.removeprefix("s3://")

    def content(self, address: str) -> bytes:
        """Return what an object holds, once it is there."""
        deadline = time.monotonic() + START_SECONDS
        while not self.file(address).exists():
            assert time.monotonic() < deadline, f"no {address}"
            time.sleep(0.02)
        return self.file(address).read_bytes()


@contextmanager
def runtime(s3: Path, *options: str) -> Iterator[Runtime]:
    """Run a local runtime with these options."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "local_test.runtime",
        "--port",
        str(port),
        "--s3",
        str(s3),
        *options,
    ]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True
    )
    try:
        _wait_until_ready(process, f"http://127.0.0.1:{port}")
        yield Runtime(f"http://127.0.0.1:{port}", s3, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(START_SECONDS)


def _wait_until_ready(process: "subprocess.Popen[str]", url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, "the runtime ended"
        try:
            requests.get(url, timeout=5)
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the runtime did not start")


class OddContainer(BaseHTTPRequestHandler):
    """A container that does as the payload's first word says, and remembers the headers that reach it."""

    protocol_version = "HTTP/1.1"
    headers_seen: ClassVar[list[dict[str, str]]] = []

    def do_POST(self) -> None:
        """Do as the payload says."""
        word, _, rest = self.rfile.read(int(self.headers["Content-Length"])).decode().partition(" ")
        self.headers_seen.append({name.lower(): value for name, value in self.headers.items()})
        getattr(self, f"do_{word}")(rest)

    def do_fail(self, rest: str) -> None:
        """Answer with a status and words of so many characters."""
        status, _, length = rest.partition(" ")
        self._answer(int(status), b"x" * int(length))

    def do_sleep(self, rest: str) -> None:
        """Answer after so many seconds."""
        time.sleep(float(rest))
        self._answer(200, b"late")

    def do_drop(self, _: str) -> None:
        """Close the connection without an answer."""
        self.close_connection = True

    def do_chunks(self, rest: str) -> None:
        """Answer in chunks, and do at their end as the last word says."""
        self.send_response(200)
        self.send_header("Content-Type", "text/csv")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in ("one", "two"):
            self.wfile.write(f"{len(chunk):x}\r\n{chunk}\r\n".encode())
            self.wfile.flush()
            time.sleep(0.05)
        if rest == "end":
            self.wfile.write(b"0\r\n\r\n")
        elif rest == "sleep":
            time.sleep(3)
        self.close_connection = True

    def do_large(self, rest: str) -> None:
        """Answer with so many bytes."""
        self._answer(200, b"x" * int(rest))

    def do_headers(self, _: str) -> None:
        """Answer with the headers seen, and with more headers than a caller gets."""
        self._answer(
            200, json.dumps(self.headers_seen[-1]).encode(), Server="odd", **{"X-Secret": "1"}
        )

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def odd_container() -> Iterator[str]:
    """Run a container that misbehaves on demand; gives its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), OddContainer)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
