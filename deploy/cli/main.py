"""The command line: a verb for each thing that is done to an endpoint."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from botocore.exceptions import ClientError

from deploy.actual import Deployed, deployed
from deploy.aws import Aws
from deploy.cli.confirmed import down, rollback
from deploy.cli.display import progress, show_calls, show_difference, warn_of_alarms
from deploy.cli.options import (
    FILE_ARGUMENT,
    MAX_WAIT_SECONDS,
    POLL_OPTION,
    CommandGroup,
    Seconds,
    load_configuration,
)
from deploy.desired.artifact import build_artifact
from deploy.desired.iam import build_policies
from deploy.desired.resources import wanted_of
from deploy.desired.service_model import validate
from deploy.errors import DeployError, error_code
from deploy.execution.executor import make
from deploy.execution.waiting import REPLY_SECONDS, Waiting, wait_until_settled
from deploy.invoking.invoke import invoke as invoke_endpoint
from deploy.invoking.payload import Payload, guess_media_type
from deploy.invoking.smoke_test import smoke_test
from deploy.planning.alarms import verify_alarms
from deploy.planning.cleanup import calls_prune
from deploy.planning.update import calls_up, verify_serving
from deploy.preflight.bucket import verify_bucket
from deploy.preflight.image import verify_image
from deploy.preflight.zones import verify_zones


@click.group(cls=CommandGroup)
def cli() -> None:
    """Deploy the image and an artifact to Amazon SageMaker, from one file an endpoint."""


@cli.command()
@FILE_ARGUMENT
@click.pass_context
def plan(context: click.Context, file: Path) -> None:
    """Print what would change, and the exact calls; the first plan needs no credentials."""
    configuration = load_configuration(context, file)
    artifact = build_artifact(configuration)
    wanted = wanted_of(configuration, artifact)
    validate(wanted)
    aws = Aws(configuration.region)
    if aws.has_credentials:
        verify_zones(aws, configuration)
        verify_bucket(aws, configuration)
        there = deployed(aws, configuration.name, wanted)
        warn_of_alarms(verify_alarms(aws, configuration), wanted, there)
    else:
        click.secho("no credentials: this plan assumes that nothing is there yet\n", fg="yellow")
        there = Deployed()
    if there.is_under_way:
        status = there.endpoint["EndpointStatus"]
        click.secho(
            f"{configuration.name} is {status}: up waits for that first, and compares then\n",
            fg="yellow",
        )
    show_difference(wanted, there)
    show_calls([*calls_up(wanted, there), *(calls_prune(aws, configuration, wanted, there))])


@cli.command()
@FILE_ARGUMENT
@POLL_OPTION
@click.pass_context
def up(context: click.Context, file: Path, poll_seconds: float) -> None:
    """Make the endpoint what the file says; run again after any failure, it goes on where it was."""
    configuration = load_configuration(context, file)
    artifact = build_artifact(configuration)
    wanted = wanted_of(configuration, artifact)
    validate(wanted)
    aws = Aws(configuration.region)
    verify_zones(aws, configuration)
    verify_image(
        aws, configuration
    )  # before the bucket: ECR says in words what is wrong with credentials
    verify_bucket(aws, configuration)
    ringing = verify_alarms(aws, configuration)
    warn_of_alarms(
        ringing, wanted, deployed(aws, configuration.name)
    )  # an endpoint of somebody else's is left alone
    with progress(poll_seconds) as waiting:
        wait_until_settled(aws, configuration.name, waiting)
        there = deployed(aws, configuration.name, wanted)
        make(aws, calls_up(wanted, there), waiting, artifact.tarball)
        tested = smoke_test(
            aws,
            configuration,
            artifact,
            waiting,
            there.before(wanted.endpoint["EndpointConfigName"]),
        )
        there = deployed(aws, configuration.name)
        verify_serving(wanted, there)
        make(aws, calls_prune(aws, configuration, wanted, there), waiting)
    click.echo(tested)
    click.secho(f"{configuration.name} serves {wanted.endpoint['EndpointConfigName']}", fg="green")


@cli.command()
@FILE_ARGUMENT
@click.pass_context
def status(context: click.Context, file: Path) -> None:
    """Print how the endpoint is."""
    configuration = load_configuration(context, file)
    there = deployed(Aws(configuration.region), configuration.name)
    if not there.endpoint:
        raise DeployError(
            f"there is no endpoint {configuration.name} in {configuration.region}: python -m deploy up {file}"
        )
    endpoint = there.endpoint
    click.echo(f"{configuration.name}: {endpoint['EndpointStatus']}")
    rows = {
        "config": endpoint["EndpointConfigName"],
        "previous": there.previous,
        "image": there.running_model.get("PrimaryContainer", {}).get("Image"),
        "failure": endpoint.get("FailureReason"),
        "instance type": there.instance_type,
    }
    for variant in endpoint.get("ProductionVariants", []):
        if "CurrentInstanceCount" in variant:
            rows["instances"] = (
                f"{variant['CurrentInstanceCount']} of {variant['DesiredInstanceCount']}"
            )
    if there.target:
        rows["scaling"] = f"{there.target['MinCapacity']} to {there.target['MaxCapacity']}"
    elif configuration.scaling:
        rows["scaling"] = "off, though the file has it: python -m deploy up puts it on"
    rows |= {f"alarm {name}": alarm["StateValue"] for name, alarm in there.alarms.items()}
    for name, value in rows.items():
        if value:
            click.echo(f"  {name:<14} {value}")


@cli.command()
@FILE_ARGUMENT
@click.argument("payload", type=click.Path(path_type=Path))
@click.option("--content-type", help="the payload's media type; by default as its name tells")
@click.option("--accept", help="the reply's media type")
@click.option(
    "--timeout-seconds",
    type=Seconds(0, MAX_WAIT_SECONDS),
    default=REPLY_SECONDS,
    show_default=True,
    help="how long an asynchronous reply may take",
)
@click.pass_context
def invoke(  # noqa: PLR0913 - an argument for each option
    context: click.Context,
    file: Path,
    payload: Path,
    *,
    content_type: str | None,
    accept: str | None,
    timeout_seconds: float,
) -> None:
    """Send a payload to the endpoint, and print the reply."""
    configuration = load_configuration(context, file)
    media_type = content_type or guess_media_type(payload)
    waiting = Waiting(1.0, lambda line: click.echo(line, err=True), timeout_seconds)
    sent = Payload(payload.read_bytes(), media_type, accept)
    click.echo(invoke_endpoint(Aws(configuration.region), configuration, sent, waiting), nl=False)


@cli.command()
@FILE_ARGUMENT
@click.option(
    "--minutes",
    type=click.IntRange(1, 5_000_000),
    default=60,
    show_default=True,
    help="how far back",
)
@click.pass_context
def logs(context: click.Context, file: Path, minutes: int) -> None:
    """Print what the containers said, from CloudWatch Logs."""
    configuration = load_configuration(context, file)
    group, start = (
        f"/aws/sagemaker/Endpoints/{configuration.name}",
        int((time.time() - minutes * 60) * 1000),
    )
    try:
        events = Aws(configuration.region).paginate(
            "logs", "filter_log_events", "events", logGroupName=group, startTime=start
        )
    except ClientError as error:
        if error_code(error) == "ResourceNotFoundException":
            raise DeployError(
                f"there is no log yet: {group}: a container that never started wrote none"
            ) from error
        raise
    for event in events:
        click.echo(
            f"{datetime.fromtimestamp(event['timestamp'] / 1000, UTC):%H:%M:%S} {event['message'].rstrip()}"
        )


@cli.command()
@FILE_ARGUMENT
@click.argument(
    "role",
    required=False,
    type=click.Choice(["execution", "execution-trust", "deployment", "invocation"]),
)
@click.pass_context
def iam(context: click.Context, file: Path, role: str | None) -> None:
    """Print the least-privilege policies as JSON: all by name, or one."""
    policies: dict[str, Any] = build_policies(load_configuration(context, file))
    click.echo(json.dumps(policies[role] if role else policies, indent=2))


for command in (rollback, down):
    cli.add_command(command)
