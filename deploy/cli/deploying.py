"""The commands that deploy: plan and up."""

from pathlib import Path

import click

from deploy.actual.reader import read_actual_state
from deploy.actual.state import ActualState
from deploy.aws import Aws
from deploy.cli.display import (
    show_calls,
    show_diff,
    show_progress,
    warn_about_alarms,
)
from deploy.cli.options import FILE_ARGUMENT, POLL_OPTION, load_configuration
from deploy.config.configuration import Configuration
from deploy.desired.artifact import Artifact, build_artifact
from deploy.desired.operations import Operations, build_operations
from deploy.desired.release import Release, build_release
from deploy.desired.service_model import validate
from deploy.execution.executor import execute_calls
from deploy.execution.waiting import wait_until_settled
from deploy.invoking.smoke_test import smoke_test
from deploy.planning.alarms import verify_alarms
from deploy.planning.cleanup import plan_cleanup
from deploy.planning.update import plan_update, verify_serving
from deploy.preflight.bucket import verify_bucket
from deploy.preflight.image import verify_image
from deploy.preflight.zones import verify_zones


@click.command()
@FILE_ARGUMENT
@click.pass_context
def plan(context: click.Context, file: Path) -> None:
    """Print what up would change, and its exact AWS calls. Changes nothing.

    Without AWS credentials, the plan assumes that nothing exists yet.
    """
    configuration = load_configuration(context, file)
    release = build_release(configuration, _build_artifact(configuration))
    operations = build_operations(configuration)
    validate(release, operations)
    aws = Aws(configuration.region)
    actual = _read_state_for_plan(aws, configuration, release, operations)
    show_diff(release, actual)
    calls = plan_update(release, operations, actual)
    calls += plan_cleanup(aws, configuration, release, actual)
    show_calls(calls)


@click.command()
@FILE_ARGUMENT
@POLL_OPTION
@click.pass_context
def up(context: click.Context, file: Path, poll_seconds: float) -> None:
    """Create or update the endpoint to match the file. Safe to run again after a failure."""
    configuration = load_configuration(context, file)
    name = configuration.name
    artifact = _build_artifact(configuration)
    release, operations = build_release(configuration, artifact), build_operations(configuration)
    validate(release, operations)
    aws = Aws(configuration.region)
    _verify_prerequisites(aws, configuration)
    alarms = verify_alarms(aws, operations)
    # Also rejects an endpoint of this name that this program did not create.
    warn_about_alarms(alarms, release, read_actual_state(aws, name))
    with show_progress(poll_seconds) as options:
        wait_until_settled(aws, name, options)
        actual = read_actual_state(aws, name, release)
        execute_calls(aws, plan_update(release, operations, actual), options, artifact.tarball)
        rollback_config = actual.find_rollback_config(release.config_name)
        summary = smoke_test(aws, configuration, artifact, options, rollback_config)
        actual = read_actual_state(aws, name)
        verify_serving(release, actual)
        execute_calls(aws, plan_cleanup(aws, configuration, release, actual), options)
    click.echo(summary)
    click.secho(f"{name} is in service with {release.config_name}", fg="green")


def _build_artifact(configuration: Configuration) -> Artifact:
    """Return the artifact, and print what the server will warn about."""
    artifact = build_artifact(configuration)
    for warning in artifact.warnings:
        click.secho(f"warning: model.artifact: {warning}", fg="yellow", err=True)
    return artifact


def _read_state_for_plan(
    aws: Aws, configuration: Configuration, release: Release, operations: Operations
) -> ActualState:
    if not aws.has_credentials:
        notice = "no AWS credentials; this plan assumes that nothing exists yet\n"
        click.secho(notice, fg="yellow")
        return ActualState()
    verify_zones(aws, configuration)
    verify_bucket(aws, configuration)
    actual = read_actual_state(aws, configuration.name, release)
    warn_about_alarms(verify_alarms(aws, operations), release, actual)
    if actual.is_in_progress:
        notice = f"{configuration.name} is {actual.status}: up waits until this has finished"
        click.secho(f"{notice}, then plans again\n", fg="yellow")
    return actual


def _verify_prerequisites(aws: Aws, configuration: Configuration) -> None:
    verify_zones(aws, configuration)
    # Before the bucket, because ECR reports problems with credentials in more detail than S3.
    verify_image(aws, configuration)
    verify_bucket(aws, configuration)
