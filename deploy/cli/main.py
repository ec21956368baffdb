"""The command line: python -m deploy COMMAND FILE."""

import click

from deploy.cli.confirmed import down, rollback
from deploy.cli.deploying import plan, up
from deploy.cli.inspecting import iam, invoke, logs, status
from deploy.cli.options import CommandGroup


@click.group(cls=CommandGroup)
def cli() -> None:
    """Deploy the image and a model artifact to an Amazon SageMaker endpoint, from one file."""


for command in (plan, up, status, invoke, logs, iam, rollback, down):
    cli.add_command(command)
