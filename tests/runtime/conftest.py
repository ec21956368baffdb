"""Runtimes that many tests share."""

from collections.abc import Iterator

import pytest

from tests.support.local_runtime import Runtime, odd_container, runtime
from tests.support.server import Server


@pytest.fixture(scope="session")
def local(diamonds: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """A runtime in front of a server on the sample artifact."""
    with runtime(tmp_path_factory.mktemp("s3"), "--container", diamonds.url) as started:
        yield started


@pytest.fixture(scope="session")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """A runtime with short limits in front of a container that misbehaves on demand."""
    limits = ("--timeout", "0.5", "--stream-timeout", "1")
    with (
        odd_container() as url,
        runtime(tmp_path_factory.mktemp("s3"), "--container", url, *limits) as started,
    ):
        yield started
