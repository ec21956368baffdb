"""Start and stop of the local runtime, through its command line."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.support.diamonds import ARTIFACT
from tests.support.server import ROOT, Server

COMMAND = [sys.executable, "-m", "local_test.runtime"]


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signal_stops_the_containers(tmp_path: Path, signal_number: int) -> None:
    """A runtime stopped by a signal stops its containers too, and exits with 0."""
    options = ["--port", "0", "--s3", str(tmp_path), "--folder", str(ARTIFACT)]
    process = subprocess.Popen([*COMMAND, *options], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "Ctrl-C" in line:
            break
    [url] = [line.split()[-1] for line in lines if line.startswith("Variant AllTraffic")]
    assert requests.get(f"{url}/ping", timeout=10).status_code == 200
    process.send_signal(signal_number)
    process.communicate(timeout=60)

    assert process.returncode == 0
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{url}/ping", timeout=10)


BLUE = f"blue={ARTIFACT}:1"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--variant", "blue"), "expected NAME=FOLDER:WEIGHT"),
        (("--variant", f"blue={ARTIFACT}:0"), "expected at least one weight above 0"),
        (("--variant", f"blue={ARTIFACT}:inf"), "expected NAME=FOLDER:WEIGHT"),
        (("--variant", f"../blue={ARTIFACT}:1"), 'invalid name "../blue"'),
        (("--variant", BLUE, "--variant", BLUE), "expected unique names, got blue, blue"),
        (("--endpoint", "a/b"), 'invalid name "a/b"'),
        (("--container", "127.0.0.1:8080"), "expected http://HOST:PORT"),
        (("--s3", "README.md/s3"), "expected a writable folder, got README.md/s3"),
        (("--folder", "nowhere"), "the server exited with code 1"),
        (
            ("--container", "http://127.0.0.1:1", "--port", "{used_port}"),
            "choose another with --port (make: PORT=)",
        ),
    ],
)
def test_invalid_options(diamonds: Server, options: tuple[str, ...], message: str) -> None:
    """An invalid option, artifact or port prevents the start, with a message that explains why."""
    used_port = diamonds.address[1]
    arguments = [option.format(used_port=used_port) for option in options]
    outcome = subprocess.run(
        [*COMMAND, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert outcome.returncode in {1, 2}
    assert message in outcome.stderr
    assert "Traceback" not in outcome.stderr
