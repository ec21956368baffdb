"""Every make target that takes an artifact accepts FOLDER and SM_MODEL_DIR alike."""

import json
import os
import re
import shutil
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

# Use the interpreter and packages of this test run instead of installing them again.
MAKE = ["make", "--no-print-directory", "--old-file=setup", f"RUN={sys.executable}"]
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith((*OWN_VARIABLES, "MAKE", "MFLAGS"))
}
PAYLOAD = "0.5,1.5\n" * 3
# The arguments and environment variables that name the artifact folder.
Artifact = tuple[list[str], dict[str, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder, whose name contains a space, with a two-feature model."""
    folder = tmp_path_factory.mktemp("my models")
    classifier(folder, ["no", "yes"], objective="binary:logistic")
    return folder


@pytest.fixture(params=["FOLDER", "SM_MODEL_DIR"])
def artifact(request: pytest.FixtureRequest, folder: Path) -> Artifact:
    """The folder as FOLDER, which overrides the variable, or as SM_MODEL_DIR."""
    if request.param == "FOLDER":
        return [f"FOLDER={folder}"], {"SM_MODEL_DIR": "model/artifact"}
    return [], {"SM_MODEL_DIR": str(folder)}


def make(artifact: Artifact, *arguments: str) -> str:
    """Run make and return its output."""
    assignments, variables = artifact
    process = subprocess.run(
        [*MAKE, *arguments, *assignments],
        cwd=ROOT,
        env=ENVIRONMENT | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )

    assert process.returncode == 0, process.stderr
    return process.stdout


@contextmanager
def run_make(artifact: Artifact, *arguments: str) -> Iterator[Iterator[str]]:
    """Run make until the block ends, and yield the lines of its output."""
    assignments, variables = artifact
    process = subprocess.Popen(
        [*MAKE, *arguments, *assignments],
        cwd=ROOT,
        env=ENVIRONMENT | variables,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        yield process.stdout
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=40)


def test_serve_uses_the_folder(artifact: Artifact) -> None:
    """`make serve` serves the model in the folder, which has two features."""
    port = free_port()
    server = Server(f"http://127.0.0.1:{port}")
    with run_make(artifact, "serve", f"PORT={port}"):
        wait_until_ready(server)

        assert server.post(PAYLOAD).text.count("\n") == 3


def test_check_uses_the_folder(artifact: Artifact, tmp_path: Path) -> None:
    """`make check` checks the model in the folder; SAMPLE may contain a space."""
    sample = tmp_path / "my sample.csv"
    sample.write_text(PAYLOAD)

    assert "length: number" in make(artifact, "check", f"SAMPLE={sample}")


def test_schema_describes_the_folder(artifact: Artifact, folder: Path, tmp_path: Path) -> None:
    """`make schema` describes the model in the folder; SAMPLE and TARGET may contain a space."""
    sample = tmp_path / "my sample.csv"
    sample.write_text("length,my target,width\n0.5,1,1.5\n-0.5,0,\n")
    copy = shutil.copytree(folder, tmp_path / "copy")
    arguments = [f"SAMPLE={sample}", "TARGET=my target", "FORCE=yes"]
    of_copy: Artifact = ([], {"SM_MODEL_DIR": str(copy)})
    if artifact[0]:
        of_copy = ([f"FOLDER={copy}"], {})

    assert "Replaced " in make(of_copy, "schema", *arguments)
    features = json.loads((copy / "schema.json").read_text())["features"]
    assert [feature["missing"] for feature in features] == [False, True]


def test_batch_uses_the_folder(artifact: Artifact, tmp_path: Path) -> None:
    """`make batch` uses the model in the folder; INPUT and OUTPUT may contain spaces."""
    source, target = tmp_path / "my rows.csv", tmp_path / "my predictions.csv"
    source.write_text(PAYLOAD)

    assert "3 rows in" in make(artifact, "batch", f"INPUT={source}", f"OUTPUT={target}")
    assert target.read_text().count("\n") == 3
    joined = [f"INPUT={source}", f"OUTPUT={target}", "OUTPUTS=class, probability", "JOIN=yes"]
    make(artifact, "batch", *joined, "IMAGE=none")  # an image may be older than this code
    assert target.read_text().splitlines()[0].startswith(("0.5,1.5,yes,", "0.5,1.5,no,"))


def test_runtime_uses_the_folder(artifact: Artifact, folder: Path) -> None:
    """`make runtime` starts a variant with the model in the folder."""
    with run_make(artifact, "runtime", "PORT=0") as lines:
        variant = next(line for line in lines if line.startswith("Variant"))

        assert f" on {folder}, ready" in variant


def test_app_uses_the_folder(artifact: Artifact) -> None:
    """`make app` shows a form with the features in the folder's schema.json."""
    with run_make(artifact, "app", "PORT=0", "ENDPOINT=http://127.0.0.1:9") as lines:
        address = re.search(r"http://127\.0\.0\.1:\d+", next(lines))

        assert address
        assert "Length" in requests.get(address[0], timeout=20).text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["serve", "FOLDER="], "FOLDER is empty: give it a value, or leave it out"),
        (["schema", "FOLDER= "], "FOLDER is empty"),
        (["batch", "INPUT="], "INPUT is empty"),
        (["batch", "JOIN=YES"], "JOIN: expected yes, got YES"),
        (["schema", "FORCE=true"], "FORCE: expected yes, got true"),
    ],
)
def test_variables_that_would_have_no_effect(arguments: list[str], message: str) -> None:
    """An empty variable, or another value than yes, is an error instead of the default."""
    process = subprocess.run(
        [*MAKE, *arguments],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )

    assert process.returncode == 2
    assert message in process.stderr
