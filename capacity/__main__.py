"""Capacity: how much load one container bears within an objective, and what follows for autoscaling."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from capacity.estimate import Scale, estimate
from capacity.generator_limit import ceiling_rps
from capacity.load import Invocation, Step, step
from capacity.objective import Objective
from capacity.plot import svg
from capacity.probe import NoAnswer, probe
from capacity.report import HEADER, Generator, Report, row
from capacity.search import search
from capacity.vcpus import UnknownVcpus, vcpus_of
from container.limits import read_limits
from container.local_server import ROOT, SAMPLE_ARTIFACT, NotServing, serving, stop_on_sigterm

A_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
A_SHARE = click.FloatRange(0, 1, min_open=True)
POSITIVE = click.FloatRange(0, min_open=True)


@dataclass(frozen=True, slots=True)
class Raising:
    """How the load is raised: each step's seconds, the first rate, and up to which share of the generator's ceiling."""

    seconds: float
    start_rps: float
    generator_share: float


@click.command()
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=SAMPLE_ARTIFACT,
    help="The artifact.",
)
@click.option(
    "--url", help="http://HOST:PORT of a container that runs already, instead of starting one."
)
@click.option("--image", help="The image to start, if Docker has it.")
@click.option(
    "--payload",
    type=A_FILE,
    help="What is sent; by default the artifact's self-test, else the sample.",
)
@click.option("--content-type", default="text/csv", show_default=True)
@click.option(
    "--p99-ms", type=POSITIVE, default=50.0, show_default=True, help="The objective's latency."
)
@click.option(
    "--errors",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="The objective's share of errors.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0.5, 60),
    default=5.0,
    show_default=True,
    help="How long each step is.",
)
@click.option(
    "--start-rps", type=click.FloatRange(1), default=20.0, show_default=True, help="The first step."
)
@click.option(
    "--generator-share",
    type=A_SHARE,
    default=0.5,
    show_default=True,
    help="Up to which share of its ceiling the generator is asked.",
)
@click.option(
    "--processors",
    type=POSITIVE,
    help="The container's processors; by default all that may be used here.",
)
@click.option(
    "--instance-type",
    default="ml.c6i.large",
    show_default=True,
    help="The instance to scale the result to.",
)
@click.option(
    "--vcpus",
    type=click.IntRange(1),
    help="The vCPU of the instance type; by default they follow from its name.",
)
@click.option(
    "--safety-factor",
    type=A_SHARE,
    default=0.5,
    show_default=True,
    help="How much of the limit the targets use.",
)
@click.option("--peak-rps", type=POSITIVE, help="The peak to have instances for.")
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="An SVG of latency against load.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def capacity(  # noqa: PLR0913  # a command has its options
    *, folder: Path, url: str | None, image: str | None, payload: Path | None, content_type: str, p99_ms: float, errors: float,
    seconds: float, start_rps: float, generator_share: float, processors: float | None, instance_type: str, vcpus: int | None,
    safety_factor: float, peak_rps: float | None, plot: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Load-test the container here until latency or errors break an objective."""
    stop_on_sigterm()
    if plot and not plot.absolute().parent.is_dir():
        raise click.BadParameter(f"there is no folder {plot.parent}", param_hint="--plot")
    objective = Objective(p99_ms, errors)
    try:
        scale = Scale(
            processors or read_limits().processors,
            instance_type,
            vcpus or vcpus_of(instance_type),
            safety_factor,
            peak_rps,
        )
        sent = (payload or _sample(folder)).read_bytes()
        with _container(url, folder, image) as there:
            report = _measured(
                Invocation(there, sent, content_type),
                objective,
                scale,
                Raising(seconds, start_rps, generator_share),
            )
    except (NotServing, NoAnswer, UnknownVcpus) as error:
        raise click.ClickException(str(error)) from error
    click.echo(
        json.dumps(_for_scripts(report), indent=2) if as_json else "\n".join(report.lines(plot))
    )
    if plot:
        plot.write_text(svg(report.found.steps, objective.p99_ms), encoding="utf-8")
    if report.found.held is None:
        raise click.exceptions.Exit(1)


def _sample(folder: Path) -> Path:
    own = folder / "self-test" / "request.csv"
    return own if own.exists() else ROOT / "local_test" / "payloads" / "diamonds.csv"


@contextmanager
def _container(url: str | None, folder: Path, image: str | None) -> Iterator[str]:
    if url is not None:
        yield url.rstrip("/")
        return
    with serving(
        folder, image=image, environment={"SAGEMAKER_CONTAINER_LOG_LEVEL": "ERROR"}
    ) as container:
        yield container.url


def _measured(
    invocation: Invocation, objective: Objective, scale: Scale, raising: Raising
) -> Report:
    """Find the rate that holds, and show each step as it ends."""
    reply_bytes = probe(invocation)
    generator = Generator(ceiling_rps(invocation, reply_bytes, objective), raising.generator_share)
    if not generator.ceiling_rps:
        raise NoAnswer(
            f"the load generator itself does not keep {objective} here: ask for a higher --p99-ms, or end other work"
        )
    click.echo(
        f"The load generator's own ceiling: {generator.ceiling_rps:,.0f}/s, of a server that answers at once",
        err=True,
    )
    click.echo(HEADER, err=True)

    def measure(rps: float, length: float) -> Step:
        one = asyncio.run(step(invocation, rps, raising.seconds * length))
        broken = objective.broken_by(one)
        click.echo(f"{row(one)}  {broken or ''}".rstrip(), err=True)
        return one

    return Report(
        objective,
        generator,
        scale,
        search(measure, objective, raising.start_rps, generator.most_rps),
    )


def _for_scripts(report: Report) -> dict[str, Any]:
    found, objective = report.found, report.objective
    return {
        "objective": asdict(objective),
        "max_rps": found.held and found.held.rps,
        "broken_by": found.broke and objective.broken_by(found.broke),
        "lower_bound_by_generator": report.generator_was_the_limit,
        "held": found.held and asdict(found.held),
        "broke": found.broke and asdict(found.broke),
        "generator": asdict(report.generator),
        "scale": asdict(report.scale),
        "estimate": found.held and asdict(estimate(found.held, report.scale)),
        "steps": [asdict(one) for one in found.steps],
    }


if __name__ == "__main__":
    capacity(prog_name="python -m capacity")
