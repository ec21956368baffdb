"""A complete load test: probe the server, measure the load generator, search for the capacity."""

import asyncio
from dataclasses import dataclass

import click

from capacity.estimate import EstimateInputs
from capacity.generator_limit import measure_generator_limit
from capacity.load import LoadRequest, StepResult, run_step
from capacity.objective import Objective
from capacity.probe import ProbeFailed, probe
from capacity.report import HEADER, Generator, Report, format_step
from capacity.search import search_capacity


@dataclass(frozen=True, slots=True)
class LoadProfile:
    """The duration of a step, the first rate, and the fraction of the generator limit to offer."""

    step_seconds: float
    start_rps: float
    generator_share: float


def run_load_test(
    request: LoadRequest, objective: Objective, inputs: EstimateInputs, profile: LoadProfile
) -> Report:
    """Find the highest rate that meets the objective, and print each step to stderr as it ends.

    Raises ProbeFailed if the server does not accept the payload, or if the load generator itself
    cannot meet the objective on this machine.
    """
    generator = _measure_generator(request, objective, profile.generator_share)
    click.echo(f"Load generator limit: {generator.limit_rps:,.0f} requests/s", err=True)
    click.echo(HEADER, err=True)

    def measure(rps: float, duration_factor: float) -> StepResult:
        step = asyncio.run(run_step(request, rps, profile.step_seconds * duration_factor))
        violation = objective.find_violation(step)
        click.echo(f"{format_step(step)}  {violation or ''}".rstrip(), err=True)
        return step

    search = search_capacity(measure, objective, profile.start_rps, generator.max_offered_rps)
    return Report(objective, generator, inputs, search)


def _measure_generator(request: LoadRequest, objective: Objective, share: float) -> Generator:
    response_bytes = probe(request)
    limit_rps = measure_generator_limit(request, response_bytes, objective)
    if not limit_rps:
        raise ProbeFailed(
            f"the load generator itself cannot meet the objective on this machine ({objective}): "
            "raise --p99-ms, or stop other processes"
        )
    return Generator(limit_rps, share)
