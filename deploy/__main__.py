"""Runs the command line."""

from deploy.cli import cli

cli(prog_name="python -m deploy")
