"""Servers and models that many tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import ROOT, Server, running


@pytest.fixture(scope="session")
def diamonds() -> Iterator[Server]:
    """A server on the sample artifact."""
    with running(ROOT / "model" / "artifact") as server:
        yield server


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the artifacts that a session's tests make."""
    return tmp_path_factory.mktemp("models")
