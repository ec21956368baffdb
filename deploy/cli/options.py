"""What the verbs of the command line share: their arguments, and failures in one line."""

from math import isfinite
from pathlib import Path
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from deploy.config.configuration import Configuration
from deploy.config.loader import load
from deploy.desired.service_model import instance_type_warning, region_warning
from deploy.errors import DeployError, escape_unprintable, summarize_error


class Seconds(click.FloatRange):
    """A time that can be waited: click lets nan through any range."""

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> float:
        """Return the seconds; fails for what is none."""
        seconds = float(super().convert(value, parameter, context))
        if not isfinite(seconds):
            self.fail(f"{value} is no number of seconds.", parameter, context)
        return seconds


MAX_WAIT_SECONDS = 86_400
FILE_ARGUMENT = click.argument("file", type=click.Path(path_type=Path))
POLL_OPTION = click.option(
    "--poll-seconds",
    type=Seconds(0, MAX_WAIT_SECONDS, min_open=True),
    default=10.0,
    show_default=True,
    help="how often to look while waiting",
)
YES_OPTION = click.option("--yes", is_flag=True, help="do not ask")


class CommandGroup(click.Group):
    """Commands whose failures are one line each, with exit code 1."""

    def invoke(self, context: click.Context) -> Any:
        """Run a command; what fails is told in one line."""
        try:
            return super().invoke(context)
        except DeployError as error:
            raise click.ClickException(escape_unprintable(str(error), "\n")) from error
        except (BotoCoreError, ClientError) as error:
            raise click.ClickException(
                summarize_error(error, str(context.obj or "this region"))
            ) from error
        except BrokenPipeError:
            raise  # as by head, with which click ends quietly
        except OSError as error:
            if error.filename is not None:
                raise click.ClickException(
                    escape_unprintable(f"{error.filename}: {error.strerror}")
                ) from error
            raise click.ClickException(
                f"{error}: run the same command again; it goes on where it was"
            ) from error


def load_configuration(context: click.Context, file: Path) -> Configuration:
    """Read the file; raises BadConfiguration."""
    configuration = load(file)
    if context.parent:
        context.parent.obj = configuration.region  # for the messages of failures
    if warning := region_warning(configuration.region):
        click.secho(f"warning: {warning}", fg="yellow", err=True)
    if configuration.compute.serverless is None and (
        warning := instance_type_warning(configuration.compute.instance_type)
    ):
        click.secho(f"warning: {warning}", fg="yellow", err=True)
    return configuration


def confirm(yes: bool, question: str) -> None:  # noqa: FBT001 - the flag as it was given
    """Ask a question, unless the answer is given; raises DeployError for no."""
    if not yes and not click.confirm(question):
        raise DeployError("nothing was changed")
