"""What a person sees of a plan: the differences, the calls, and how far an endpoint is."""

import difflib
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click
from rich.console import Console

from deploy.actual import Deployed
from deploy.config.naming import Parameters
from deploy.desired.resources import Wanted
from deploy.desired.service_model import creation_parameters
from deploy.execution.waiting import Waiting
from deploy.planning.call import Call
from deploy.planning.tags import in_pairs, own_tags


def show_difference(wanted: Wanted, there: Deployed) -> None:
    """Print how what is wanted differs from what runs."""
    for operation, now, then in (
        ("CreateModel", there.running_model, wanted.model),
        ("CreateEndpointConfig", there.running_config, wanted.config),
    ):
        before, after = (
            creation_parameters(operation, now),
            {key: value for key, value in then.items() if key != "Tags"},
        )
        names = [
            str(next(iter(words.values()), "nothing")) if words else "nothing"
            for words in (before, after)
        ]
        if names[0] != names[1]:  # a name stands for all of the content
            _show(before, after, names)
    if there.endpoint:
        tags = wanted.endpoint["Tags"]
        _show(own_tags(there.endpoint["Tags"], tags), in_pairs(tags), ["tags", "tags"])


def _show(before: Parameters, after: Parameters, names: Sequence[str]) -> None:
    for line in difflib.unified_diff(
        _lines(before),
        _lines(after),
        f"deployed: {names[0]}",
        f"wanted: {names[1]}",
        lineterm="",
        n=1,
    ):
        click.secho(line, fg={"+": "green", "-": "red"}.get(line[0]))


def warn_of_alarms(ringing: Sequence[str], wanted: Wanted, there: Deployed) -> None:
    """Print which alarms would roll an update back at once, if one is to be made."""
    if there.running not in (None, wanted.endpoint["EndpointConfigName"]):
        for alarm in ringing:
            click.secho(
                f"the alarm {alarm} rings already, so that the update would be rolled back at once",
                fg="yellow",
            )


def show_calls(calls: Sequence[Call]) -> None:
    """Print the calls that would be made, with their exact parameters."""
    if not calls:
        click.echo("nothing to do: what is there is what the file says")
    for number, call in enumerate(calls, 1):
        click.secho(f"\n{number}. {call.service} {call.operation}: {call.why}", bold=True)
        click.echo(json.dumps(call.parameters, indent=2, ensure_ascii=False, default=str))


@contextmanager
def progress(poll_seconds: float) -> Iterator[Waiting]:
    """Show how far things are: live on a terminal, else a line for each change."""
    console, start = Console(stderr=True), time.monotonic()
    if not console.is_terminal:
        seen: list[str] = []

        def tell(line: str) -> None:
            if seen[-1:] != [line]:
                click.echo(line)
                seen.append(line)

        yield Waiting(poll_seconds, tell)
        return
    with console.status("asking what is there") as status:

        def show(line: str) -> None:
            status.update(f"{line} [dim]{time.monotonic() - start:.0f} s[/dim]")

        yield Waiting(poll_seconds, show)


def _lines(parameters: Parameters) -> list[str]:
    return (
        json.dumps(parameters, indent=2, sort_keys=True, default=str).splitlines()
        if parameters
        else []
    )
