"""Command line of the load test: `python -m capacity`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from capacity.estimate import EstimateInputs
from capacity.json_report import report_to_json
from capacity.load import LoadRequest
from capacity.load_test import LoadProfile, run_load_test
from capacity.objective import Objective
from capacity.plot import draw_svg
from capacity.probe import ProbeFailed
from capacity.report import Report
from capacity.vcpus import UnknownVcpus, look_up_vcpus
from container.limits import read_limits
from container.local_server import ROOT, SAMPLE_ARTIFACT, NotServing, serving, stop_on_sigterm
from serve.errors import BadArtifact
from serve.model.artifact import find_model

DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
OUTPUT_FILE = click.Path(dir_okay=False, writable=True, path_type=Path)
POSITIVE = click.FloatRange(0, min_open=True)
ERROR_RATE = click.FloatRange(0, 1)
FRACTION = click.FloatRange(0, 1, min_open=True)


@click.command(context_settings={"show_default": True})
@click.option(
    "--folder",
    type=DIRECTORY,
    default=SAMPLE_ARTIFACT,
    show_default="the sample model",
    help="Model artifact to serve.",
)
@click.option("--url", help="Test the container at http://HOST:PORT instead of starting one.")
@click.option(
    "--image",
    help="Image to start if Docker has it. Otherwise, the server runs in this Python environment.",
)
@click.option(
    "--payload",
    type=FILE,
    help="Request body. Default: the artifact's self-test request, or else the sample diamonds.",
)
@click.option("--content-type", default="text/csv", help="Content type of the payload.")
@click.option("--p99-ms", type=POSITIVE, default=50.0, help="Objective: maximum p99 latency in ms.")
@click.option(
    "--errors",
    type=ERROR_RATE,
    default=0.0,
    help="Objective: maximum error rate, as a fraction of all requests.",
)
@click.option(
    "--seconds", type=click.FloatRange(0.5, 60), default=5.0, help="Duration of each load step."
)
@click.option(
    "--start-rps",
    type=click.FloatRange(1),
    default=20.0,
    help="Offered rate of the first step, in requests/s.",
)
@click.option(
    "--generator-share",
    type=FRACTION,
    default=0.5,
    help="Highest rate to offer, as a fraction of the load generator's own limit.",
)
@click.option(
    "--processors",
    type=POSITIVE,
    help="CPUs the container can use. Default: all that are available here.",
)
@click.option(
    "--instance-type", default="ml.c6i.large", help="Instance type to extrapolate the result to."
)
@click.option(
    "--vcpus",
    type=click.IntRange(1),
    help="vCPUs of the instance type. Default: derived from its name.",
)
@click.option(
    "--safety-factor",
    type=FRACTION,
    default=0.5,
    help="Fraction of the maximum throughput to use as the scaling target.",
)
@click.option(
    "--peak-rps",
    type=POSITIVE,
    help="Peak traffic in requests/s; prints how many instances it needs.",
)
@click.option("--plot", type=OUTPUT_FILE, help="Write an SVG plot of latency against offered rate.")
@click.option(
    "--json", "as_json", is_flag=True, show_default=False, help="Print the report as JSON."
)
def capacity(  # noqa: PLR0913  # a command has its options
    *, folder: Path, url: str | None, image: str | None, payload: Path | None, content_type: str,
    p99_ms: float, errors: float, seconds: float, start_rps: float, generator_share: float,
    processors: float | None, instance_type: str, vcpus: int | None, safety_factor: float,
    peak_rps: float | None, plot: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Find the highest request rate at which one container meets a latency and error objective.

    The offered rate rises step by step until p99 latency or the error rate violates the objective.
    A binary search then narrows the rate down, and a longer step confirms it. The report converts
    the result into autoscaling targets for an instance type.

    Exit code 1 means that no rate met the objective.
    """
    stop_on_sigterm()
    if plot and not plot.absolute().parent.is_dir():
        raise click.BadParameter(f"directory {plot.parent} does not exist", param_hint="--plot")
    try:
        inputs = EstimateInputs(
            processors or read_limits().processors,
            instance_type,
            vcpus or look_up_vcpus(instance_type),
            safety_factor,
            peak_rps,
        )
        body = (payload or _default_payload(folder)).read_bytes()
        with _container_url(url, folder, image) as container_url:
            report = run_load_test(
                LoadRequest(container_url, body, content_type),
                Objective(p99_ms, errors),
                inputs,
                LoadProfile(seconds, start_rps, generator_share),
            )
    except (NotServing, ProbeFailed, UnknownVcpus) as error:
        raise click.ClickException(str(error)) from error
    _print_report(report, plot, as_json=as_json)
    if report.search.highest_passing is None:
        raise click.exceptions.Exit(1)


def _default_payload(folder: Path) -> Path:
    try:
        self_test = find_model(folder).self_test
    except BadArtifact:  # reported when the container starts; there is none with --url
        self_test = None
    if self_test and self_test[0].suffix == ".csv":
        return self_test[0]
    return ROOT / "local_test" / "payloads" / "diamonds.csv"


@contextmanager
def _container_url(url: str | None, folder: Path, image: str | None) -> Iterator[str]:
    """Yield the URL of the running container, or start one until the block ends."""
    if url is not None:
        yield url.rstrip("/")
        return
    environment = {"SAGEMAKER_CONTAINER_LOG_LEVEL": "ERROR"}
    with serving(folder, image=image, environment=environment) as container:
        yield container.url


def _print_report(report: Report, plot: Path | None, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(report_to_json(report), indent=2))
    else:
        click.echo("\n".join(report.lines(plot)))
    if plot:
        plot.write_text(draw_svg(report.search.steps, report.objective.p99_ms), encoding="utf-8")


if __name__ == "__main__":
    capacity(prog_name="python -m capacity")
