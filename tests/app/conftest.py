"""Fixtures for the application's tests."""

from collections.abc import Iterator

import pytest

from tests.support.application import App, application
from tests.support.server import Server


@pytest.fixture(scope="session")
def app(diamonds: Server) -> Iterator[App]:
    """The application in front of a server with the sample model; uploads are limited to 1 MiB."""
    with application("--endpoint", diamonds.url, "--max-upload-mib", "1") as running:
        yield running
