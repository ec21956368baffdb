"""Runs the command line, `python -m deploy`."""

import sys

try:
    from deploy.cli.main import cli
except ModuleNotFoundError as error:
    sys.exit(
        f"python -m deploy requires the package {error.name}; "
        "run make deploy-setup, then .venv/bin/python -m deploy"
    )

cli(prog_name="python -m deploy")
