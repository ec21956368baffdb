"""Demo of deploy/ against the AWS emulator: plan, up, invoke, update, rollback and down."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from container.local_server import ROOT, serving, stop_on_sigterm
from tests.support.aws_emulator.server import run_emulator, write_configuration

POLL = ("--poll-seconds", "0.2")
UPDATE = {
    "version: 1.0.0": "version: 1.1.0",
    "environment: {}": "environment: {SERVE_FRONTEND: flask}",
}


def main() -> None:
    """Run all commands; exit with the code of the first that fails."""
    stop_on_sigterm()
    print(
        "This demo uses an emulator on this machine in place of AWS, so it needs no AWS account.",
        flush=True,
    )
    with (
        serving(environment={"SAGEMAKER_CONTAINER_LOG_LEVEL": "ERROR"}) as container,
        run_emulator(container.url) as emulator,
        tempfile.TemporaryDirectory() as folder,
    ):
        image = emulator.provision()
        config_file = write_configuration(Path(folder), image)
        for command, *arguments in (
            ("plan",),
            ("up", *POLL),
            ("status",),
            ("invoke", "local_test/payloads/diamonds.csv"),
        ):
            run(emulator.environment, command, str(config_file), *arguments)
        write_configuration(Path(folder), image, UPDATE)
        for command, *arguments in (
            ("up", *POLL),
            ("rollback", "--yes", *POLL),
            ("down", "--yes", *POLL),
        ):
            run(emulator.environment, command, str(config_file), *arguments)


def run(environment: dict[str, str], *arguments: str) -> None:
    """Print a command, and run it."""
    print(f"\n$ python -m deploy {' '.join(arguments)}", flush=True)
    code = subprocess.run(
        [sys.executable, "-m", "deploy", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        check=False,
    ).returncode
    if code:
        sys.exit(code)


if __name__ == "__main__":
    main()
