"""The commands that change nothing: status, invoke, logs and iam."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from botocore.exceptions import ClientError

from deploy.actual.reader import read_actual_state
from deploy.actual.state import ActualState
from deploy.aws import Aws
from deploy.cli.options import FILE_ARGUMENT, MAX_WAIT_SECONDS, Seconds, load_configuration
from deploy.config.naming import Parameters
from deploy.desired.iam import build_policies
from deploy.errors import DeployError, error_code
from deploy.execution.waiting import RESPONSE_TIMEOUT_SECONDS, WaitOptions
from deploy.invoking.invoke import invoke as invoke_endpoint
from deploy.invoking.payload import Payload, guess_media_type

ASYNC_POLL_SECONDS = 1.0
MAX_LOG_MINUTES = 5_000_000


@click.command()
@FILE_ARGUMENT
@click.pass_context
def status(context: click.Context, file: Path) -> None:
    """Print the status of the endpoint, its scaling and its alarms."""
    configuration = load_configuration(context, file)
    name, region = configuration.name, configuration.region
    actual = read_actual_state(Aws(region), name)
    if not actual.endpoint:
        raise DeployError(
            f"endpoint {name} does not exist in {region}; create it with python -m deploy up {file}"
        )
    click.echo(f"{name}: {actual.status}")
    is_scaling_desired = configuration.scaling is not None
    for label, value in _list_properties(actual, is_scaling_desired=is_scaling_desired).items():
        if value:
            click.echo(f"  {label:<14} {value}")


@click.command()
@FILE_ARGUMENT
@click.argument("payload", type=click.Path(path_type=Path))
@click.option(
    "--content-type", help="Media type of the payload. Default: derived from its file name."
)
@click.option("--accept", help="Media type of the response.")
@click.option(
    "--timeout-seconds",
    type=Seconds(0, MAX_WAIT_SECONDS),
    default=RESPONSE_TIMEOUT_SECONDS,
    show_default=True,
    help="Maximum time to wait for an asynchronous response.",
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
    """Send a payload to the endpoint and print the response."""
    configuration = load_configuration(context, file)
    media_type = content_type or guess_media_type(payload)
    options = WaitOptions(ASYNC_POLL_SECONDS, _print_to_stderr, timeout_seconds)
    request = Payload(payload.read_bytes(), media_type, accept)
    response = invoke_endpoint(Aws(configuration.region), configuration, request, options)
    click.echo(response, nl=False)


@click.command()
@FILE_ARGUMENT
@click.option(
    "--minutes",
    type=click.IntRange(1, MAX_LOG_MINUTES),
    default=60,
    show_default=True,
    help="Number of minutes of logs to print.",
)
@click.pass_context
def logs(context: click.Context, file: Path, minutes: int) -> None:
    """Print the containers' logs from CloudWatch Logs."""
    configuration = load_configuration(context, file)
    group = f"/aws/sagemaker/Endpoints/{configuration.name}"
    start_ms = int((time.time() - minutes * 60) * 1000)
    for event in _read_log_events(Aws(configuration.region), group, start_ms):
        logged_at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
        click.echo(f"{logged_at:%H:%M:%S} {event['message'].rstrip()}")


@click.command()
@FILE_ARGUMENT
@click.argument(
    "role",
    required=False,
    type=click.Choice(["execution", "execution-trust", "deployment", "invocation"]),
)
@click.pass_context
def iam(context: click.Context, file: Path, role: str | None) -> None:
    """Print the least-privilege IAM policies as JSON: one of them, or all by name."""
    policies: dict[str, Any] = build_policies(load_configuration(context, file))
    click.echo(json.dumps(policies[role] if role else policies, indent=2))


def _list_properties(actual: ActualState, *, is_scaling_desired: bool) -> dict[str, str | None]:
    endpoint = actual.endpoint
    properties: dict[str, str | None] = {
        "config": endpoint["EndpointConfigName"],
        "previous": actual.previous_config_name,
        "image": actual.serving_model.get("PrimaryContainer", {}).get("Image"),
        "failure": endpoint.get("FailureReason"),
        "instance type": actual.instance_type,
    }
    for variant in endpoint.get("ProductionVariants", []):
        if "CurrentInstanceCount" in variant:
            current, desired = variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]
            properties["instances"] = f"{current} of {desired}"
    if actual.target:
        properties["scaling"] = f"{actual.target['MinCapacity']} to {actual.target['MaxCapacity']}"
    elif is_scaling_desired:
        properties["scaling"] = "not attached; attach it with python -m deploy up"
    for name, alarm in actual.alarms.items():
        properties[f"alarm {name}"] = alarm["StateValue"]
    return properties


def _print_to_stderr(line: str) -> None:
    click.echo(line, err=True)


def _read_log_events(aws: Aws, group: str, start_ms: int) -> list[Parameters]:
    try:
        return aws.paginate(
            "logs", "filter_log_events", "events", logGroupName=group, startTime=start_ms
        )
    except ClientError as error:
        if error_code(error) == "ResourceNotFoundException":
            raise DeployError(
                f"no logs yet: the log group {group} does not exist; a container creates it when "
                "it starts"
            ) from error
        raise
