"""The contract tests, against a container of the image."""

import os
import subprocess
import sys

from tests.support.docker import container
from tests.support.server import ROOT


def test_contract_suite_against_the_container() -> None:
    """1.1: the container that SageMaker runs passes the contract suite."""
    with container() as (_, server):
        command = [sys.executable, "-m", "pytest", "-q", "tests/contract"]
        outcome = subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ | {"TEST_SERVER_URL": server.url},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    assert outcome.returncode == 0, outcome.stdout
