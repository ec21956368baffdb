"""The stand-in for AWS, and the command line against it."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import botocore.session
import pytest
from click.testing import CliRunner, Result

from deploy.cli.main import cli
from tests.support.aws_emulator.server import StandIn, configuration_file, standing_in
from tests.support.server import Server

Run = Callable[..., Result]


@pytest.fixture(scope="session", autouse=True)
def one_reading_of_the_models() -> Iterator[None]:
    """Let boto3 read its models of AWS once, and not in each command of a test: half of the time that a command takes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", cache(botocore.session.create_loader))
        yield


@pytest.fixture(scope="session")
def session_stand_in(diamonds: Server) -> Iterator[StandIn]:
    """A stand-in whose endpoints are the server on the sample artifact."""
    with standing_in(diamonds.url) as stand_in:
        yield stand_in


@pytest.fixture
def stand_in(session_stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """The stand-in, in which there is nothing yet; no test ends well that asked it for what it refuses, unless it forgets that."""
    session_stand_in.reset()
    for name, value in {**session_stand_in.environment, "AWS_MAX_ATTEMPTS": "1"}.items():
        monkeypatch.setenv(name, value)
    yield session_stand_in

    assert session_stand_in.refused == []


@pytest.fixture
def write(stand_in: StandIn, tmp_path: Path) -> Callable[..., Path]:
    """Write the example's file for the stand-in, with texts replaced."""
    image = stand_in.furnish()
    stand_in.wire.reset()
    return lambda changes=None, image=image: configuration_file(tmp_path, image, changes)


@pytest.fixture
def file(write: Callable[..., Path]) -> Path:
    """The example's file for the stand-in."""
    return write()


@pytest.fixture
def run(stand_in: StandIn) -> Run:
    """Run the command line in this process."""
    return lambda verb, file, *arguments: CliRunner().invoke(
        cli, [verb, str(file), *map(str, arguments)]
    )
