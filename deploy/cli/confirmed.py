"""The verbs that ask before they change anything, and look again after the answer: rollback and down."""

from collections.abc import Sequence
from pathlib import Path

import click

from deploy.actual import deployed
from deploy.aws import Aws
from deploy.cli.display import progress
from deploy.cli.options import FILE_ARGUMENT, POLL_OPTION, YES_OPTION, confirm, load_configuration
from deploy.errors import DeployError
from deploy.execution.executor import make
from deploy.execution.waiting import wait_until_settled
from deploy.planning.call import Call
from deploy.planning.cleanup import calls_down, what_stays
from deploy.planning.rollback import WayBack, way_back

AGAIN = "run the same command again, which shows what there is now"


@click.command()
@FILE_ARGUMENT
@click.option("--to", help="the endpoint config to go back to; by default the one before")
@YES_OPTION
@POLL_OPTION
@click.pass_context
def rollback(
    context: click.Context, file: Path, to: str | None, poll_seconds: float, *, yes: bool
) -> None:
    """Go back to the previous endpoint config, in the steps and under the alarms of any update."""
    configuration = load_configuration(context, file)
    aws = Aws(configuration.region)
    way = way_back(aws, configuration, to)
    for warning in way.warnings:
        click.secho(warning, fg="yellow")
    confirm(yes, f"{configuration.name}: go back from {way.running} to {way.config}?")
    with progress(poll_seconds) as waiting:
        if not yes:
            agreed, way = way, way_back(aws, configuration, to)
            if _told(way) != _told(agreed):
                raise DeployError(
                    f"{configuration.name} changed before the answer, and nothing was done: {AGAIN}"
                )
        make(aws, way.calls, waiting)
    click.secho(f"{configuration.name} serves {way.config}", fg="green")


@click.command()
@FILE_ARGUMENT
@YES_OPTION
@POLL_OPTION
@click.pass_context
def down(context: click.Context, file: Path, poll_seconds: float, *, yes: bool) -> None:
    """Remove the endpoint and all that was made for it; never the bucket, the image or the role."""
    configuration = load_configuration(context, file)
    aws, name = Aws(configuration.region), configuration.name
    agreed = _lines(calls_down(aws, configuration, deployed(aws, name)))
    if not agreed:
        click.echo(f"nothing of {name} is there")
        return
    click.echo("\n".join(agreed))
    confirm(yes, f"Remove all of {name}?")
    with progress(poll_seconds) as waiting:
        wait_until_settled(aws, name, waiting)
        calls = calls_down(aws, configuration, deployed(aws, name))
        if more := [line for line in _lines(calls) if line not in agreed]:
            raise DeployError(
                f"{name} changed meanwhile, and nothing was done; not agreed on: {'; '.join(more)}: {AGAIN}"
            )
        make(aws, calls, waiting)
    click.secho(f"{name} is removed", fg="green")
    click.echo(f"What it wrote stays: {what_stays(configuration)}")


def _lines(calls: Sequence[Call]) -> list[str]:
    return [f"remove {call.why}: {call.subject}" for call in calls]


def _told(way: WayBack) -> tuple[object, ...]:
    return (
        way.running,
        way.config,
        way.warnings,
        [(call.operation, call.subject) for call in way.calls],
    )
