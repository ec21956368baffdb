"""Local runtimes shared by several tests."""

from collections.abc import Iterator

import pytest

from tests.support.local_runtime import LocalRuntime, run_faulty_container, run_local_runtime
from tests.support.server import Server


@pytest.fixture(scope="session")
def local_runtime(
    diamonds: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalRuntime]:
    """A runtime in front of a server with the sample model."""
    with run_local_runtime(tmp_path_factory.mktemp("s3"), "--container", diamonds.url) as runtime:
        yield runtime


@pytest.fixture(scope="session")
def faulty_runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRuntime]:
    """A runtime with short timeouts in front of a container that misbehaves on request."""
    timeouts = ("--timeout", "0.5", "--stream-timeout", "1")
    s3 = tmp_path_factory.mktemp("s3")
    with (
        run_faulty_container() as url,
        run_local_runtime(s3, "--container", url, *timeouts) as runtime,
    ):
        yield runtime
