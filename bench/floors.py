"""The floors without HTTP: decode, predict and encode in a process of its own, or in one for each core, and predict alone."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.environments import environment
from bench.grid import Cell
from bench.models import Served
from bench.peers import ours
from bench.places import ROOT, WORK

PROCESSES = 2
MANY_ROWS = 10_000
SECONDS = 0.3
MANY_ROWS_SECONDS = 1.0
GRACE_SECONDS = 120

Timed = dict[str, float]


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


def floors(served: Served, cells: Sequence[Cell], round_: int) -> list[Floor]:
    """Return the floors of one model's payloads."""
    [alone] = _run(served, cells, SECONDS, processes=1)
    return [
        Floor(
            cell,
            round_,
            infer["median_ms"],
            infer["cpu_ms"],
            predict["median_ms"],
            _both_a_second(served, cell),
        )
        for cell, (infer, predict) in zip(cells, alone, strict=True)
    ]


def _both_a_second(served: Served, cell: Cell) -> float:
    if cell.rows < MANY_ROWS:
        return 0.0
    return sum(
        infer["calls_a_second"]
        for [(infer, _)] in _run(served, [cell], MANY_ROWS_SECONDS, processes=PROCESSES)
    )


def _run(
    served: Served, cells: Sequence[Cell], seconds: float, *, processes: int
) -> list[list[tuple[Timed, Timed]]]:
    """Let as many processes do the same work at once; return what each tells of each payload: of all, and of predict alone."""
    command = [
        str(environment(ours.LEAN)),
        "-m",
        "bench.programs.in_process",
        str(served.folder),
        str(seconds),
    ]
    for cell in cells:
        command += [str(_payload(served, cell)), cell.media_type]
    env = {"OMP_NUM_THREADS": "1", "PATH": ""}
    started = [
        subprocess.Popen(
            command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(processes)
    ]
    for process in started:
        assert process.stdout
        process.stdout.readline()
    for process in started:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    return [json.loads(process.communicate(timeout=GRACE_SECONDS)[0]) for process in started]


def _payload(served: Served, cell: Cell) -> Path:
    path = WORK / "payloads" / f"floor-{cell.model}-{cell.rows}-{cell.media_type.replace('/', '-')}"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(ours.LEAN.bodies[cell.media_type](served.rows[: cell.rows]))
    return path
