"""The commands that ask for confirmation: rollback and down.

Both plan again after the answer, and abort if the plan has changed in the meantime.
"""

from collections.abc import Sequence
from pathlib import Path

import click

from deploy.actual.reader import read_actual_state
from deploy.aws import Aws
from deploy.cli.display import show_progress, warn
from deploy.cli.options import FILE_ARGUMENT, POLL_OPTION, YES_OPTION, confirm, load_configuration
from deploy.desired.operations import build_operations
from deploy.errors import DeployError
from deploy.execution.executor import execute_calls
from deploy.execution.waiting import wait_until_settled
from deploy.planning.call import Call
from deploy.planning.removal import describe_leftovers, plan_removal
from deploy.planning.rollback import RollbackPlan, plan_rollback

RUN_AGAIN = "run the same command again to see the new plan"


@click.command()
@FILE_ARGUMENT
@click.option("--to", help="Endpoint config to roll back to. Default: the previous one.")
@YES_OPTION
@POLL_OPTION
@click.pass_context
def rollback(
    context: click.Context, file: Path, to: str | None, poll_seconds: float, *, yes: bool
) -> None:
    """Roll back to an earlier endpoint config, with the file's update strategy and alarms."""
    configuration = load_configuration(context, file)
    aws, name = Aws(configuration.region), configuration.name
    operations = build_operations(configuration)
    plan = plan_rollback(aws, name, operations, to)
    for warning in plan.warnings:
        warn(warning)
    confirm(yes, f"Roll back {name} from {plan.serving_config_name} to {plan.config_name}?")
    with show_progress(poll_seconds) as options:
        if not yes:
            confirmed_plan, plan = plan, plan_rollback(aws, name, operations, to)
            if _summarize_rollback(plan) != _summarize_rollback(confirmed_plan):
                raise DeployError(
                    f"{name} changed before you confirmed; nothing was rolled back; {RUN_AGAIN}"
                )
        execute_calls(aws, plan.calls, options)
    click.secho(f"{name} is in service with {plan.config_name}", fg="green")


@click.command()
@FILE_ARGUMENT
@YES_OPTION
@POLL_OPTION
@click.pass_context
def down(context: click.Context, file: Path, poll_seconds: float, *, yes: bool) -> None:
    """Delete the endpoint and everything created for it, except bucket, image and role."""
    configuration = load_configuration(context, file)
    aws, name = Aws(configuration.region), configuration.name
    confirmed_lines = _format_removal(
        plan_removal(aws, configuration, read_actual_state(aws, name))
    )
    if not confirmed_lines:
        click.echo(f"nothing to delete: no resources of {name} exist")
        return
    click.echo("\n".join(confirmed_lines))
    confirm(yes, f"Delete {name} and all of these resources?")
    with show_progress(poll_seconds) as options:
        wait_until_settled(aws, name, options)
        calls = plan_removal(aws, configuration, read_actual_state(aws, name))
        if new_lines := [line for line in _format_removal(calls) if line not in confirmed_lines]:
            raise DeployError(
                f"{name} changed before you confirmed; nothing was deleted; not confirmed: "
                f"{', '.join(new_lines)}; {RUN_AGAIN}"
            )
        execute_calls(aws, calls, options)
    click.secho(f"{name} was deleted", fg="green")
    click.echo(f"Not deleted: {describe_leftovers(configuration)}")


def _format_removal(calls: Sequence[Call]) -> list[str]:
    return [f"{call.reason}: {call.subject}" for call in calls]


def _summarize_rollback(plan: RollbackPlan) -> tuple[object, ...]:
    calls = [(call.operation, call.subject) for call in plan.calls]
    return plan.serving_config_name, plan.config_name, plan.warnings, calls
