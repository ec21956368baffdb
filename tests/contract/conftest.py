"""The contract's tests run against both doors, or against the server at SERVE_URL, whichever door that has."""

import os
from collections.abc import Iterator

import pytest

from tests.support.server import DOOR, ROOT, Server, running

DOORS = ["as served"] if "SERVE_URL" in os.environ else ["lean", "flask"]


@pytest.fixture(scope="package", params=DOORS, autouse=True)
def door(request: pytest.FixtureRequest) -> Iterator[str]:
    """The door of every server that a test of this folder starts."""
    before = os.environ.get(DOOR)
    if request.param != "as served":
        os.environ[DOOR] = request.param
    yield request.param
    os.environ.pop(DOOR, None)
    if before is not None:
        os.environ[DOOR] = before


@pytest.fixture(scope="package")
def diamonds(door: str) -> Iterator[Server]:
    """A server on the sample artifact that has this door."""
    if url := os.environ.get("SERVE_URL"):
        yield Server(url.rstrip("/"))
        return
    with running(ROOT / "model" / "artifact") as server:
        yield server
