"""The floors without HTTP: decode, predict and encode in a process of its own, or in one for each core, and predict alone."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.environments import environment
from bench.grid import Cell
from bench.models import Served
from bench.peers import ours
from bench.places import ROOT, WORK

PROCESSES = 2
MANY_ROWS = 10_000
GRACE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Floor:
    """What the work of one payload takes without a server; ``both_a_second`` is the rate of a process on each core.

    It is 0 for few rows, where nobody asks.
    """

    cell: Cell
    round: int
    infer_ms: float
    infer_cpu_ms: float
    predict_ms: float
    both_a_second: float


def floor(served: Served, cell: Cell, round_: int, seconds: float) -> Floor:
    """Return the floor of one payload."""
    payload = WORK / "payloads" / f"floor-{cell.model}-{cell.rows}-{cell.media_type.replace('/', '-')}"
    payload.parent.mkdir(parents=True, exist_ok=True)
    payload.write_bytes(ours.LEAN.bodies[cell.media_type](served.rows[: cell.rows]))
    [alone] = _run(served, payload, cell, seconds, processes=1)
    both = _run(served, payload, cell, seconds, processes=PROCESSES) if cell.rows >= MANY_ROWS else []
    rate = sum(each["infer"]["calls_a_second"] for each in both)
    return Floor(cell, round_, alone["infer"]["median_ms"], alone["infer"]["cpu_ms"], alone["predict"]["median_ms"], rate)


def _run(served: Served, payload: Path, cell: Cell, seconds: float, *, processes: int) -> list[dict[str, dict[str, float]]]:
    """Let as many processes do the same work at once, and return what each tells."""
    program = [str(environment(ours.LEAN)), "-m", "bench.programs.in_process"]
    command = [*program, str(served.folder), str(payload), cell.media_type, str(seconds)]
    env = {"OMP_NUM_THREADS": "1", "PATH": ""}
    started = [
        subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(processes)
    ]
    for process in started:
        assert process.stdout
        process.stdout.readline()
    for process in started:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    return [json.loads(process.communicate(timeout=seconds + GRACE_SECONDS)[0]) for process in started]
