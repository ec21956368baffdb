"""Capacity: how much load one container bears within an objective, and what follows for autoscaling."""

import asyncio
import json
import math
import os
import sys
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from deploy.load import Step, step
from deploy.plot import svg
from local_test.container import ROOT, SAMPLE_ARTEFACT, NotServing, serving, stop_on_sigterm

# The vCPU of each size, which nearly all families share: docs/capacity.md.
VCPUS = {
    "medium": 1,
    "large": 2,
    "xlarge": 4,
    "2xlarge": 8,
    "4xlarge": 16,
    "8xlarge": 32,
    "12xlarge": 48,
    "16xlarge": 64,
    "24xlarge": 96,
}
LEAST_INSTANCES = 2  # one in each of two zones
GROWTH = 1.5
MOST_STEPS = 25
# Later than this, or busier than this, the generator itself was the limit.
LATE_SHARE, OWN_CPU = 0.5, 0.85
A_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option(
    "--folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=SAMPLE_ARTEFACT, help="The artefact."
)
@click.option("--url", help="A container that runs already, instead of starting one.")
@click.option("--image", help="The image to start, if Docker has it.")
@click.option("--payload", type=A_FILE, help="What is sent; by default the artefact's self-test, else the sample.")
@click.option("--content-type", default="text/csv", show_default=True)
@click.option("--p99-ms", type=click.FloatRange(0, min_open=True), default=50.0, show_default=True, help="The objective's latency.")
@click.option("--errors", type=click.FloatRange(0, 1), default=0.0, show_default=True, help="The objective's share of errors.")
@click.option("--safety-factor", type=click.FloatRange(0, 1, min_open=True), default=0.5, show_default=True, help="AWS's.")
@click.option("--seconds", type=click.FloatRange(0.5, 60), default=5.0, show_default=True, help="How long each step is.")
@click.option("--start-rps", type=click.FloatRange(1), default=20.0, show_default=True, help="The first step.")
@click.option("--vcpu", type=click.IntRange(1), help="The container's processors; by default all of this machine.")
@click.option("--peak-rps", type=click.FloatRange(0, min_open=True), help="The peak to have instances for.")
@click.option("--instance-type", default="ml.c6i.large", show_default=True, help="The instance to scale the result to.")
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="An SVG of latency against load.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def capacity(**options: Any) -> None:
    """Load-test the container here until latency or errors break an objective."""
    stop_on_sigterm()
    size = options["instance_type"].rpartition(".")[2]
    if size not in VCPUS:
        raise click.BadParameter(f"{options['instance_type']} is not known: expected ml.FAMILY. and one of {', '.join(VCPUS)}")
    sample = options["folder"] / "self-test" / "request.csv"
    payload = options["payload"] or (sample if sample.exists() else ROOT / "local_test" / "payloads" / "diamonds.csv")
    try:
        with ExitStack() as stack:
            url = options["url"]
            if url is None:
                quiet = {"SAGEMAKER_CONTAINER_LOG_LEVEL": "ERROR"}
                url = stack.enter_context(serving(options["folder"], image=options["image"], environment=quiet)).url
            steps, why = ramp(url, payload.read_bytes(), options)
    except NotServing as error:
        sys.exit(str(error))
    found = result(steps, why, options, VCPUS[size])
    if options["plot"]:
        options["plot"].write_text(svg(steps, options["p99_ms"]), encoding="utf-8")
    click.echo(json.dumps(found, indent=2) if options["as_json"] else told(found, steps))
    if found["max_rps"] is None:
        sys.exit(1)


def ramp(url: str, payload: bytes, options: dict[str, Any]) -> tuple[list[Step], str]:
    """Raise the rate until the objective breaks or the generator does, and return the steps and which it was."""
    steps: list[Step] = []
    rps = options["start_rps"]
    asyncio.run(step(url, payload, options["content_type"], 20, 0.5))  # connections and caches warm up
    for _ in range(MOST_STEPS):
        one = asyncio.run(step(url, payload, options["content_type"], rps, options["seconds"]))
        steps.append(one)
        if one.error_share > options["errors"]:
            return steps, "errors"
        if one.own_cpu > OWN_CPU or one.late_p99_ms > LATE_SHARE * options["p99_ms"]:
            return steps, "the load generator, not the container"
        if one.p99_ms > options["p99_ms"]:
            return steps, "latency"
        rps *= GROWTH
    return steps, "the number of steps"


def result(steps: list[Step], why: str, options: dict[str, Any], instance_vcpu: int) -> dict[str, Any]:
    """Return what the last good step says, by AWS's formula: deploy.md 4.2."""
    good = steps[-2] if why != "the number of steps" and len(steps) > 1 else steps[-1] if why == "the number of steps" else None
    vcpu, safety, peak = options["vcpu"] or os.cpu_count() or 1, options["safety_factor"], options["peak_rps"]
    base = {
        "max_rps": None,
        "stopped_by": why,
        "this_machine_vcpu": vcpu,
        "safety_factor": safety,
        "steps": [asdict(s) for s in steps],
    }
    if good is None:
        return base
    on_instance = good.rps / vcpu * instance_vcpu
    return base | {
        "max_rps": good.rps,
        "rps_per_vcpu": good.rps / vcpu,
        "invocations_per_instance": good.rps * safety * 60,
        "concurrent_requests_per_model": good.rps * good.mean_ms / 1000 * safety,
        "instance_type": options["instance_type"],
        "instance_rps_if_like_this_machine": on_instance,
        "instances": None if peak is None else max(LEAST_INSTANCES, math.ceil(peak / (on_instance * safety))),
        "generator_cpu": good.own_cpu,
    }


def told(found: dict[str, Any], steps: list[Step]) -> str:
    """Return the result in lines for people."""
    lines = [f"{'asked/s':>9} {'replies/s':>9} {'p50 ms':>8} {'p99 ms':>8} {'errors':>7} {'generator':>9}"]
    lines += [
        f"{s.wanted_rps:9,.0f} {s.rps:9,.0f} {s.p50_ms:8.1f} {s.p99_ms:8.1f} {s.error_share:7.1%} {s.own_cpu:9.0%}" for s in steps
    ]
    lines.append(f"Stopped by {found['stopped_by']}.")
    if found["max_rps"] is None:
        return "\n".join([*lines, "Already the first step broke the objective: lower --start-rps, or ask for less."])
    lines += [
        f"MAX_RPS {found['max_rps']:,.1f} on {found['this_machine_vcpu']} vCPU, {found['rps_per_vcpu']:,.1f} per vCPU",
        f"InvocationsPerInstance {found['invocations_per_instance']:,.1f} a minute = MAX_RPS x {found['safety_factor']} x 60",
        f"ConcurrentRequestsPerModel {found['concurrent_requests_per_model']:.2f} = MAX_RPS x mean latency x safety factor",
        f"{found['instance_type']}: {found['instance_rps_if_like_this_machine']:,.1f} requests/s, if its vCPU are like these",
    ]
    if found["instances"] is not None:
        lines.append(f"Instances for the peak: {found['instances']}, at least {LEAST_INSTANCES}")
    lines.append(
        f"This machine is not an ml.* instance, and the load generator used {found['generator_cpu']:.0%} of one of its processors: "
        "measure again on the endpoint before you rely on it."
    )
    return "\n".join(lines)


if __name__ == "__main__":
    capacity(prog_name="python -m deploy.capacity")
