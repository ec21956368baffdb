"""The whole contract suite, against the container."""

import os
import subprocess
import sys

from tests.support.docker import container
from tests.support.server import ROOT


def test_the_contract_suite_against_the_container() -> None:
    """1.1: what holds for the server in a virtual environment holds for the image that SageMaker runs."""
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
