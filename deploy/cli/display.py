"""Prints plans, differences, warnings and progress."""

import difflib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import click
from rich.console import Console

from deploy.actual.state import ActualState
from deploy.config.naming import Parameters
from deploy.desired.release import Release
from deploy.desired.service_model import creation_parameters
from deploy.execution.waiting import WaitOptions
from deploy.planning.call import Call
from deploy.planning.tags import select_own_tags, to_pairs

DIFF_COLORS = {"+": "green", "-": "red"}


def show_diff(release: Release, actual: ActualState) -> None:
    """Print the difference between the release in use and the desired one."""
    model = creation_parameters("CreateModel", actual.serving_model)
    _show_resource_diff("ModelName", model, release.model)
    config = creation_parameters("CreateEndpointConfig", actual.serving_config)
    _show_resource_diff("EndpointConfigName", config, release.config)
    if actual.endpoint:
        current_tags, desired_tags = actual.endpoint["Tags"], release.endpoint["Tags"]
        current = select_own_tags(current_tags, desired_tags)
        _show_unified_diff(current, to_pairs(desired_tags), "tags", "tags")


def show_calls(calls: Sequence[Call]) -> None:
    """Print the planned calls with their exact parameters."""
    if not calls:
        click.echo("nothing to do: the endpoint matches the file")
    for number, call in enumerate(calls, 1):
        click.secho(f"\n{number}. {call.service} {call.operation}: {call.reason}", bold=True)
        click.echo(json.dumps(call.parameters, indent=2, ensure_ascii=False, default=str))


def warn(message: str) -> None:
    """Print a warning."""
    click.secho(f"warning: {message}", fg="yellow")


def warn_about_alarms(alarms: Sequence[str], release: Release, actual: ActualState) -> None:
    """Print the alarms in ALARM state, if an update is due that they would roll back."""
    if actual.serving_config_name in (None, release.config_name):
        return
    for alarm in alarms:
        warn(f"the alarm {alarm} is in ALARM state, so AWS would roll the update back immediately")


@contextmanager
def show_progress(poll_seconds: float) -> Iterator[WaitOptions]:
    """Report progress: on a terminal in a single live line, otherwise as one line per change."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield WaitOptions(poll_seconds, _print_changes())
        return
    start = time.monotonic()
    with console.status("reading the current state") as status:

        def update(line: str) -> None:
            status.update(f"{line} [dim]{time.monotonic() - start:.0f} s[/dim]")

        yield WaitOptions(poll_seconds, update)


def _print_changes() -> Callable[[str], None]:
    """Return a function that prints a line unless it repeats the one before."""
    last_line = ""

    def report(line: str) -> None:
        nonlocal last_line
        if line != last_line:
            click.echo(line)
            last_line = line

    return report


def _show_resource_diff(name_key: str, current: Parameters, desired: Parameters) -> None:
    current_name, desired_name = current.get(name_key, "none"), desired[name_key]
    if current_name == desired_name:
        return  # the name contains a hash of the content
    desired = {key: value for key, value in desired.items() if key != "Tags"}
    _show_unified_diff(current, desired, current_name, desired_name)


def _show_unified_diff(
    current: Parameters, desired: Parameters, current_name: str, desired_name: str
) -> None:
    lines = difflib.unified_diff(
        _format_lines(current),
        _format_lines(desired),
        f"current: {current_name}",
        f"desired: {desired_name}",
        lineterm="",
        n=1,
    )
    for line in lines:
        click.secho(line, fg=DIFF_COLORS.get(line[0]))


def _format_lines(parameters: Parameters) -> list[str]:
    if not parameters:
        return []
    return json.dumps(parameters, indent=2, sort_keys=True, default=str).splitlines()
