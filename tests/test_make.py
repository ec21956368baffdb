"""The verbs of make that take an artifact take it in the same way."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.support.classifiers import classifier
from tests.support.server import OWN_VARIABLES, ROOT, Server, free_port, wait_until_ready

# The packages of the tests are those that make would install.
MAKE = ["make", "--no-print-directory", "--old-file=setup", f"RUN={sys.executable}"]
ELSEWHERE = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith((*OWN_VARIABLES, "MAKE", "MFLAGS"))
}
PAYLOAD = "0.5,1.5\n" * 3
Named = tuple[list[str], dict[str, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of two columns in a folder whose name has a space."""
    folder = tmp_path_factory.mktemp("my models")
    classifier(folder, ["no", "yes"], objective="binary:logistic")
    return folder


@pytest.fixture(params=["FOLDER", "SM_MODEL_DIR"])
def named(request: pytest.FixtureRequest, folder: Path) -> Named:
    """The words and variables that name the folder; the word comes before the variable."""
    if request.param == "FOLDER":
        return [f"FOLDER={folder}"], {"SM_MODEL_DIR": "model/artifact"}
    return [], {"SM_MODEL_DIR": str(folder)}


def make(named: Named, *words: str) -> str:
    """Return what a verb prints."""
    environment = ELSEWHERE | named[1]
    outcome = subprocess.run(
        [*MAKE, *words, *named[0]],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )

    assert outcome.returncode == 0, outcome.stderr
    return outcome.stdout


@contextmanager
def started(named: Named, *words: str) -> Iterator[Iterator[str]]:
    """Run a verb until the block ends, and give the lines that it prints."""
    environment = ELSEWHERE | named[1]
    process = subprocess.Popen(
        [*MAKE, *words, *named[0]], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        yield process.stdout
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=40)


def test_serve_takes_the_folder(named: Named) -> None:
    """What answers is the model of the folder, which has two columns."""
    port = free_port()
    server = Server(f"http://127.0.0.1:{port}")
    with started(named, "serve", f"PORT={port}"):
        wait_until_ready(server)

        assert server.post(PAYLOAD).text.count("\n") == 3


def test_check_takes_the_folder(named: Named, tmp_path: Path) -> None:
    """What is told is of the folder's model; the sample's name may have a space, too."""
    sample = tmp_path / "my sample.csv"
    sample.write_text(PAYLOAD)

    assert "length: number" in make(named, "check", f"SAMPLE={sample}")


def test_batch_takes_the_folder(named: Named, tmp_path: Path) -> None:
    """The job is done by the folder's model; the names of input and output may have spaces, too."""
    source, target = tmp_path / "my rows.csv", tmp_path / "my predictions.csv"
    source.write_text(PAYLOAD)

    assert "3 rows in" in make(named, "batch", f"INPUT={source}", f"OUTPUT={target}")
    assert target.read_text().count("\n") == 3


def test_runtime_takes_the_folder(named: Named, folder: Path) -> None:
    """The variant is the folder's model."""
    with started(named, "runtime", "PORT=0") as lines:
        variant = next(line for line in lines if line.startswith("Variant"))

        assert f" on {folder}, ready" in variant


def test_app_takes_the_folder(named: Named) -> None:
    """The form is that of the folder's schema.json."""
    with started(named, "app", "PORT=0", "ENDPOINT=http://127.0.0.1:9") as lines:
        address = re.search(r"http://127\.0\.0\.1:\d+", next(lines))

        assert address
        assert "Length" in requests.get(address[0], timeout=20).text
