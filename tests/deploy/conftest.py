"""The emulator for AWS, and the command line against it."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import botocore.session
import pytest
from click.testing import CliRunner, Result

from deploy.cli.main import cli
from tests.support.aws_emulator.server import Emulator, run_emulator, write_configuration
from tests.support.server import Server

Run = Callable[..., Result]


@pytest.fixture(scope="session", autouse=True)
def cached_service_models() -> Iterator[None]:
    """Let boto3 read its models of AWS once, and not in each command of a test: half of the time that a command takes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", cache(botocore.session.create_loader))
        yield


@pytest.fixture(scope="session")
def session_emulator(diamonds: Server) -> Iterator[Emulator]:
    """An emulator whose endpoints are the server on the sample artifact."""
    with run_emulator(diamonds.url) as emulator:
        yield emulator


@pytest.fixture
def emulator(session_emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """The emulator, in which there is nothing yet; no test ends well that asked it for what it refuses, unless it forgets that."""
    session_emulator.reset()
    for name, value in {**session_emulator.environment, "AWS_MAX_ATTEMPTS": "1"}.items():
        monkeypatch.setenv(name, value)
    yield session_emulator

    assert session_emulator.rejections == []


@pytest.fixture
def write_config(emulator: Emulator, tmp_path: Path) -> Callable[..., Path]:
    """Write the example's file for the emulator, with texts replaced."""
    image = emulator.provision()
    emulator.recorder.reset()
    return lambda changes=None, image=image: write_configuration(tmp_path, image, changes)


@pytest.fixture
def config_file(write_config: Callable[..., Path]) -> Path:
    """The example's file for the emulator."""
    return write_config()


@pytest.fixture
def run(emulator: Emulator) -> Run:
    """Run the command line in this process."""
    return lambda verb, config_file, *arguments: CliRunner().invoke(
        cli, [verb, str(config_file), *map(str, arguments)]
    )
