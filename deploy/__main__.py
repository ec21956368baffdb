"""Runs the command line."""

import sys

try:
    from deploy.cli.main import cli
except ModuleNotFoundError as error:
    sys.exit(
        f"python -m deploy needs {error.name}: make deploy-setup adds it to .venv, whose Python is .venv/bin/python"
    )

cli(prog_name="python -m deploy")
