"""Run the contract suite once per front end, or once against the server at TEST_SERVER_URL."""

import os
from collections.abc import Iterator

import pytest

from tests.support.server import FRONT_END_VARIABLE, ROOT, Server, running

FRONT_ENDS = ["as served"] if "TEST_SERVER_URL" in os.environ else ["asgi", "flask"]


@pytest.fixture(scope="package", params=FRONT_ENDS, autouse=True)
def front_end(request: pytest.FixtureRequest) -> Iterator[str]:
    """Set the front end of every server that a test of this folder starts."""
    before = os.environ.get(FRONT_END_VARIABLE)
    if request.param != "as served":
        os.environ[FRONT_END_VARIABLE] = request.param
    yield request.param
    os.environ.pop(FRONT_END_VARIABLE, None)
    if before is not None:
        os.environ[FRONT_END_VARIABLE] = before


@pytest.fixture(scope="package")
def diamonds(front_end: str) -> Iterator[Server]:
    """Return a server of the sample artifact with this front end."""
    if url := os.environ.get("TEST_SERVER_URL"):
        yield Server(url.rstrip("/"))
        return
    with running(ROOT / "model" / "artifact", SAGEMAKER_MODEL_SERVER_WORKERS="2") as server:
        yield server
