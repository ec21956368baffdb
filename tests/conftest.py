"""Servers and models that many tests share."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from serve.model.kernel import extension
from tests.support.server import ROOT, Server, running

# Under nohup and in some CI systems, SIGINT and SIGHUP are ignored, and every process that a test
# starts inherits that. Tests that send these signals need their default effect.
for number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:
        handler = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
        signal.signal(number, handler)


# `make sanitize` tests an extension that is compiled with sanitizers.
if "KERNEL_FILE" in os.environ:
    extension.FILE = Path(os.environ["KERNEL_FILE"])


@pytest.fixture(scope="session")
def diamonds() -> Iterator[Server]:
    """Return a server of the sample artifact."""
    with running(ROOT / "model" / "artifact", SAGEMAKER_MODEL_SERVER_WORKERS="2") as server:
        yield server


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for the artifacts that the tests of a session create."""
    return tmp_path_factory.mktemp("models")
