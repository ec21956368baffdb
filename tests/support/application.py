"""Run the web application as its own process, and use it as a browser does."""

import html
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import requests

from tests.support.diamonds import FEATURES
from tests.support.server import ROOT, free_port

START_SECONDS = 60.0
STOP_SECONDS = 40.0


@dataclass
class App:
    """An application at ``url``; ``output`` and ``exit_codes`` are set when it has ended."""

    url: str
    output: str = ""
    exit_codes: list[int] = field(default_factory=list)

    def get(self, path: str, **headers: str) -> requests.Response:
        return requests.get(self.url + path, headers=hyphenate(headers), timeout=60)

    def post(self, form: dict[str, str], **headers: str) -> requests.Response:
        return requests.post(self.url + "/", data=form, headers=hyphenate(headers), timeout=60)

    def upload(
        self, body: bytes, name: str = "some.csv", delimiter: str = "comma"
    ) -> requests.Response:
        return requests.post(
            f"{self.url}/file",
            files={"file": (name, body)},
            data={"delimiter": delimiter},
            timeout=120,
        )

    def predict_file(self, body: bytes, delimiter: str = "comma") -> bytes:
        """Upload a file and return the download with predictions."""
        page = self.upload(body, delimiter=delimiter)
        assert page.status_code == 200, visible_text(page)
        return self.get(download_path(page)).content


def hyphenate(headers: dict[str, str]) -> dict[str, str]:
    """Return the headers with hyphens for the underscores that Python's keywords need."""
    return {name.replace("_", "-"): value for name, value in headers.items()}


def visible_text(page: requests.Response) -> str:
    """Return the text of a page without its tags."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", page.text)))


def download_path(page: requests.Response) -> str:
    """Return the path of the download that a page links to."""
    link = re.search(r'href="(/file/[^"]+)"', page.text)
    assert link
    return link[1]


def form_values(row: list[str]) -> dict[str, str]:
    """Return what a browser submits for a row of the sample's CSV payload."""
    values = {}
    for index, (feature, cell) in enumerate(zip(FEATURES, row, strict=True)):
        categories = feature.get("categories")
        values[f"f{index}"] = str(categories.index(cell)) if categories else cell
    return values


@contextmanager
def application(*arguments: str, stop: int = signal.SIGTERM) -> Iterator[App]:
    """Run the application with these arguments on a free port until the block ends."""
    app = App(f"http://127.0.0.1:{free_port()}")
    port = app.url.rpartition(":")[2]
    command = [sys.executable, "-m", "local_test.app", "--port", port, *arguments]
    environment = os.environ | {"PYTHONWARNINGS": "default"}
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, env=environment
        )
        try:
            _wait_until_ready(process, app)
            yield app
        finally:
            process.send_signal(stop)
            try:
                app.exit_codes.append(process.wait(STOP_SECONDS))
            finally:
                process.kill()
                output.seek(0)
                app.output = output.read()


def _wait_until_ready(process: "subprocess.Popen[bytes]", app: App) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None
        try:
            if app.get("/").ok:
                return
        except requests.ConnectionError:
            time.sleep(0.05)
    raise RuntimeError(f"the application at {app.url} did not respond within {START_SECONDS} s")
