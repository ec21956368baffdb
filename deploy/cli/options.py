"""Arguments, options and error handling that all commands share."""

from math import isfinite
from pathlib import Path
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from deploy.config.configuration import Configuration
from deploy.config.loader import load
from deploy.desired.data_capture import capture_warning
from deploy.desired.service_model import instance_type_warning, region_warning
from deploy.errors import DeployError, escape_unprintable, summarize_error

MAX_WAIT_SECONDS = 86_400


class Seconds(click.FloatRange):
    """A finite number of seconds; click's own range accepts nan."""

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> float:
        """Return the value as a float; fails if it is out of range or not finite."""
        seconds = float(super().convert(value, parameter, context))
        if not isfinite(seconds):
            self.fail(f"{value} is not a finite number.", parameter, context)
        return seconds


FILE_ARGUMENT = click.argument("file", type=click.Path(path_type=Path))
POLL_OPTION = click.option(
    "--poll-seconds",
    type=Seconds(0, MAX_WAIT_SECONDS, min_open=True),
    default=10.0,
    show_default=True,
    help="Interval between status checks.",
)
YES_OPTION = click.option("--yes", is_flag=True, help="Skip the confirmation prompt.")


class CommandGroup(click.Group):
    """A command group that reports errors on one line, with exit code 1."""

    def invoke(self, context: click.Context) -> Any:
        """Run a command; raises ClickException for all expected errors."""
        try:
            return super().invoke(context)
        except DeployError as error:
            raise click.ClickException(escape_unprintable(str(error), "\n")) from error
        except (BotoCoreError, ClientError) as error:
            region = str(context.obj or "this Region")
            raise click.ClickException(summarize_error(error, region)) from error
        except BrokenPipeError:
            raise  # click exits quietly, for example after | head
        except OSError as error:
            raise click.ClickException(_describe_os_error(error)) from error


def load_configuration(context: click.Context, file: Path) -> Configuration:
    """Load the file and print warnings about it; raises BadConfiguration."""
    configuration = load(file)
    if context.parent:
        context.parent.obj = configuration.region  # for error messages
    warnings = [region_warning(configuration.region), capture_warning(configuration)]
    if configuration.compute.serverless is None:
        warnings.append(instance_type_warning(configuration.compute.instance_type))
    for warning in warnings:
        if warning:
            click.secho(f"warning: {warning}", fg="yellow", err=True)
    return configuration


def confirm(yes: bool, question: str) -> None:  # noqa: FBT001 - the value of --yes
    """Ask for confirmation unless ``yes``; raises DeployError if the answer is no."""
    if not yes and not click.confirm(question):
        raise DeployError("aborted; nothing was changed")


def _describe_os_error(error: OSError) -> str:
    if error.filename is not None:
        return escape_unprintable(f"{error.filename}: {error.strerror}")
    return f"{error}; run the same command again to continue"
