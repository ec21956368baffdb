"""The floors without HTTP: the same payloads in process, and their predictions alone.

The predictions are timed with the kernel, with its AVX2 variant, and with XGBoost alone.
"""

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
TIMEOUT_SECONDS = 300

Timing = dict[str, float]


@dataclass(frozen=True, slots=True)
class InProcessTiming:
    """The time to process one payload without a server.

    ``both_cores_per_second`` is the rate with one process on each core. It is measured only for
    large payloads, and 0 for others. ``avx2_predict_ms`` is 0 where the kernel has no such variant.
    """

    workload: Workload
    round: int
    infer_ms: float
    infer_cpu_ms: float
    predict_ms: float
    both_cores_per_second: float
    avx2_predict_ms: float = 0.0
    xgboost_predict_ms: float = 0.0


def time_in_process(
    model: BenchModel, workloads: Sequence[Workload], round_: int
) -> list[InProcessTiming]:
    """Time the payloads of one model in process."""
    [timings] = _run_processes(model, workloads, SECONDS, processes=1)
    return [
        InProcessTiming(
            workload=workload,
            round=round_,
            infer_ms=timing["infer"]["median_ms"],
            infer_cpu_ms=timing["infer"]["cpu_ms"],
            predict_ms=timing["predict"]["median_ms"],
            both_cores_per_second=_both_cores_per_second(model, workload),
            avx2_predict_ms=timing["avx2"]["median_ms"] if "avx2" in timing else 0.0,
            xgboost_predict_ms=timing["xgboost"]["median_ms"],
        )
        for workload, timing in zip(workloads, timings, strict=True)
    ]


def _both_cores_per_second(model: BenchModel, workload: Workload) -> float:
    if workload.rows < MANY_ROWS:
        return 0.0
    timings = _run_processes(model, [workload], MANY_ROWS_SECONDS, processes=PROCESSES)
    return sum(timing["infer"]["calls_per_second"] for [timing] in timings)


def _run_processes(
    model: BenchModel, workloads: Sequence[Workload], seconds: float, *, processes: int
) -> list[list[dict[str, Timing]]]:
    """Run the same work in several processes at once.

    Returns for each process and payload the timings that bench/programs/in_process.py prints.
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
