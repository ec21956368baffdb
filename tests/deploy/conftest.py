"""Fixtures: the AWS emulator, an endpoint configuration for it, and the command line."""

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
    """Cache boto3's service models across commands; loading them takes half of a command's time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", cache(botocore.session.create_loader))
        yield


@pytest.fixture(scope="session")
def session_emulator(diamonds: Server) -> Iterator[Emulator]:
    """An emulator whose endpoints forward to a server of the sample model."""
    with run_emulator(diamonds.url) as emulator:
        yield emulator


@pytest.fixture
def emulator(session_emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """An empty emulator.

    A test fails if the emulator rejected a call, unless the test clears `emulator.rejections`.
    """
    session_emulator.reset()
    for name, value in {**session_emulator.environment, "AWS_MAX_ATTEMPTS": "1"}.items():
        monkeypatch.setenv(name, value)
    yield session_emulator

    assert session_emulator.rejections == []


@pytest.fixture
def write_config(emulator: Emulator, tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes the example configuration with some text replaced."""
    image = emulator.provision()
    emulator.recorder.reset()
    return lambda changes=None, image=image: write_configuration(tmp_path, image, changes)


@pytest.fixture
def config_file(write_config: Callable[..., Path]) -> Path:
    """The path of the example configuration, for the emulator."""
    return write_config()


@pytest.fixture
def run(emulator: Emulator) -> Run:
    """Return a function that runs a command in this process."""
    return lambda command, config_file, *arguments: CliRunner().invoke(
        cli, [command, str(config_file), *map(str, arguments)]
    )
