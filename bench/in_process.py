"""The floor without HTTP: the time to decode, predict and encode the same payloads in process."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.environments import create_environment
from bench.models import BenchModel
from bench.paths import ROOT, WORK
from bench.plan import Workload
from bench.servers import ours

PROCESSES = 2
MANY_ROWS = 10_000
SECONDS = 0.3
MANY_ROWS_SECONDS = 1.0
TIMEOUT_SECONDS = 120

Timing = dict[str, float]


@dataclass(frozen=True, slots=True)
class InProcessTiming:
    """The time to process one payload without a server.

    ``both_cores_per_second`` is the rate with one process on each core. It is measured only for
    large payloads, and 0 for others.
    """

    workload: Workload
    round: int
    infer_ms: float
    infer_cpu_ms: float
    predict_ms: float
    both_cores_per_second: float


def time_in_process(
    model: BenchModel, workloads: Sequence[Workload], round_: int
) -> list[InProcessTiming]:
    """Time the payloads of one model in process."""
    [timings] = _run_processes(model, workloads, SECONDS, processes=1)
    return [
        InProcessTiming(
            workload=workload,
            round=round_,
            infer_ms=infer["median_ms"],
            infer_cpu_ms=infer["cpu_ms"],
            predict_ms=predict["median_ms"],
            both_cores_per_second=_both_cores_per_second(model, workload),
        )
        for workload, (infer, predict) in zip(workloads, timings, strict=True)
    ]


def _both_cores_per_second(model: BenchModel, workload: Workload) -> float:
    if workload.rows < MANY_ROWS:
        return 0.0
    timings = _run_processes(model, [workload], MANY_ROWS_SECONDS, processes=PROCESSES)
    return sum(infer["calls_per_second"] for [(infer, _)] in timings)


def _run_processes(
    model: BenchModel, workloads: Sequence[Workload], seconds: float, *, processes: int
) -> list[list[tuple[Timing, Timing]]]:
    """Run the same work in several processes at once.

    Returns for each process and payload the timing of the inference, and of its prediction alone.
    """
    python = str(create_environment(ours.ASGI))
    command = [python, "-m", "bench.programs.in_process", str(model.folder), str(seconds)]
    for workload in workloads:
        command += [str(_write_payload(model, workload)), workload.media_type]
    env = {"OMP_NUM_THREADS": "1", "PATH": ""}
    started = [
        subprocess.Popen(
            command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(processes)
    ]
    for process in started:
        assert process.stdout
        process.stdout.readline()  # it is ready
    for process in started:
        assert process.stdin
        process.stdin.write("\n")  # start
        process.stdin.flush()
    return [json.loads(process.communicate(timeout=TIMEOUT_SECONDS)[0]) for process in started]


def _write_payload(model: BenchModel, workload: Workload) -> Path:
    media_slug = workload.media_type.replace("/", "-")
    path = WORK / "payloads" / f"in-process-{workload.model}-{workload.rows}-{media_slug}"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(ours.ASGI.bodies[workload.media_type](model.rows[: workload.rows]))
    return path
