"""The scripts for trying the server by hand."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.boosters import random_features, save_artifact, train
from tests.support.server import ROOT, Server, running

PRICES = (ROOT / "local_test" / "expected" / "prices.csv").read_text().split()[1:]


def run(*command: str) -> str:
    """Return the standard output of a command that succeeds."""
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    ).stdout


def run_script(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )


def test_demo() -> None:
    """The demo starts a server, prints predictions beside prices twice, and stops the server."""
    output = run(sys.executable, "-m", "local_test.demo")

    assert output.count("200 OK") == 2
    assert all(f"{int(price):,}" in output for price in PRICES)
    assert "Stopped the server: exit code 0" in output


def test_predict_with_requests(diamonds: Server) -> None:
    """predict.py posts every sample payload, and prints predictions beside prices."""
    output = run(sys.executable, "local_test/predict.py", diamonds.url)

    assert output.count("200 OK") == 4
    assert all(output.count(f"{int(price):,} US dollars") == 4 for price in PRICES)


def test_predict_with_curl(diamonds: Server) -> None:
    """predict.sh posts every sample payload, and prints predictions beside prices."""
    output = run("local_test/predict.sh", diamonds.url)

    assert all(output.count(f" {price}\n") == 4 for price in PRICES)


@pytest.mark.parametrize(
    "command",
    [[sys.executable, "local_test/predict.py"], ["local_test/predict.sh"]],
    ids=["py", "sh"],
)
def test_predict_with_another_model(command: list[str], tmp_path: Path) -> None:
    """If the server has another model, the script explains why it rejects the diamonds."""
    with running(save_artifact(train(random_features(60, 2)), tmp_path)) as server:
        outcome = run_script(*command, server.url)

    assert outcome.returncode == 1
    assert "expected 2 columns, got 9" in outcome.stdout + outcome.stderr
    assert "diamonds for the sample model" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_predict_without_a_server() -> None:
    """Without a server the script explains how to start one."""
    outcome = run_script(sys.executable, "local_test/predict.py", "http://127.0.0.1:9")

    assert outcome.returncode == 1
    assert "make serve" in outcome.stderr
    assert "Traceback" not in outcome.stderr
