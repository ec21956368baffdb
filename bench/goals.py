"""The goals: what was asked of the ASGI front end, what a run measured, and whether that is enough.

Source: the goals' table of the issue "Ten times the peers at one row, and close to the floor everywhere".
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.grid import HELLO_FLASK, HELLO_LEAN, KSERVE, LEAN, Cell
from bench.peers.peer import CSV, JSON
from bench.results import Results

MEDIA = {"CSV": CSV, "JSON": JSON}
# What "uses both cores" means here: what one thread cannot do, decoding and encoding being one thread's.
BOTH_PROCESSORS = 1.33
# Of two processors, with wrk on the same two.
BUSY_PROCESSORS = 1.7
RATE, P50, P99, CPU, BUSY = "requests_a_second", "p50_ms", "p99_ms", "cpu_ms", "busy_processors"


@dataclass(frozen=True, slots=True)
class Goal:
    """One line of the goals; ``met`` is None where this run did not measure it."""

    what: str
    goal: str
    measured: str
    met: bool | None


@dataclass(frozen=True, slots=True)
class Bound:
    """So many times another number, whose it is in words; not a number where it was not measured."""

    sign: str
    times: float
    other: float = 1.0
    whose: str = ""


def goals(results: Results) -> list[Goal]:
    """Return all goals, in the order of the issue."""
    parts: tuple[Callable[[Results], Iterator[Goal]], ...] = (
        _one_row,
        _labels,
        _hundred_rows,
        _many_rows,
        _one_connection,
        _many_connections,
        _busy,
        _start_and_memory,
        _extras,
    )
    return [goal for part in parts for goal in part(results)]


def _one_row(results: Results) -> Iterator[Goal]:
    for cell, what in _cells("ab", 1):
        rate, p99 = results.number(RATE, LEAN, cell), results.number(P99, LEAN, cell)
        hello = results.number(RATE, HELLO_FLASK, cell)
        yield _goal(
            f"{what}: requests/s",
            rate,
            Bound("≥", 10, results.number(RATE, KSERVE, cell), "KServe's"),
        )
        yield _goal(f"{what}: requests/s", rate, Bound("≥", 1.5, hello, "Flask's hello world's"))
        yield _goal(
            f"{what}: p99, ms",
            p99,
            Bound("≤", 1 / 5, results.number(P99, KSERVE, cell), "KServe's"),
        )
        yield _cpu(results, cell, what, 1.5)


def _labels(results: Results) -> Iterator[Goal]:
    for (labels, what), (codes, _) in zip(
        _cells(["diamonds"], 1), _cells(["codes"], 1), strict=True
    ):
        rates = [results.number(RATE, LEAN, cell) for cell in (labels, codes)]
        yield _goal(f"{what}: requests/s", rates[0], Bound("≥", 0.8, rates[1], "that of codes"))


def _hundred_rows(results: Results) -> Iterator[Goal]:
    for cell, what in _cells("ab", 100):
        rates = [results.number(RATE, server, cell) for server in (LEAN, KSERVE)]
        yield _goal(
            f"{what}: requests/s",
            rates[0],
            Bound("≥", 3 if cell.model == "a" else 2.5, rates[1], "KServe's"),
        )
        yield _cpu(results, cell, what, 1.4)


def _many_rows(results: Results) -> Iterator[Goal]:
    for cell, what in _cells("b", 10_000):
        rates = [results.number(RATE, server, cell) for server in (LEAN, KSERVE)]
        floor = results.floor_number("both_a_second", cell)
        yield _goal(f"{what}: requests/s", rates[0], Bound("≥", 1.3, rates[1], "KServe's"))
        yield _goal(
            f"{what}: requests/s", rates[0], Bound("≥", 0.85, floor, "in-process on both cores")
        )
    lone = results.extra_number(LEAN, "one large request", BUSY)
    yield _goal(
        "10,000 rows of b, CSV, one request alone: processors busy",
        lone,
        Bound("≥", BOTH_PROCESSORS),
    )


def _one_connection(results: Results) -> Iterator[Goal]:
    for model in "ab":
        cell = Cell(model, 1, CSV, 1)
        least = results.number(P50, HELLO_LEAN, cell) + results.floor_number("infer_ms", cell)
        what = f"1 row of {model}, CSV, 1 connection: p50, ms"
        yield _goal(
            what,
            results.number(P50, LEAN, cell),
            Bound("≤", 1.3, least, "hello world + in-process"),
        )


def _many_connections(results: Results) -> Iterator[Goal]:
    for model, rows in (("a", 1), ("b", 1), ("b", 100)):
        many, few = (
            results.number(RATE, LEAN, Cell(model, rows, CSV, connections))
            for connections in (32, 8)
        )
        yield _goal(
            f"{_rows(rows)} of {model}, CSV, 32 connections: requests/s",
            many,
            Bound("≥", 0.9, few, "that at 8"),
        )


def _busy(results: Results) -> Iterator[Goal]:
    for rows in (100, 10_000):
        busy = results.number(BUSY, LEAN, Cell("b", rows, CSV, 8))
        yield _goal(
            f"{rows:,} rows of b, CSV, 8 connections: processors busy",
            busy,
            Bound("≥", BUSY_PROCESSORS),
        )
    ping = results.extra_number(LEAN, "ping under saturation", "p99_ms")
    yield _goal("/ping under 10,000 rows of b on 8 connections: p99, ms", ping, Bound("<", 100))


def _start_and_memory(results: Results) -> Iterator[Goal]:
    for model in "abc":
        for number, what, share in (
            ("start_seconds", "cold start, s", 1 / 4),
            ("pss_mb", "PSS with 2 workers, MB", 1 / 3),
        ):
            ours, kserve = (
                results.start_number(number, server, model) for server in (LEAN, KSERVE)
            )
            yield _goal(f"model {model}: {what}", ours, Bound("≤", share, kserve, "KServe's"))
    more, size = (
        results.extra_number(LEAN, "model in memory", name)
        for name in ("mb_more_a_worker", "mb_of_the_model")
    )
    yield _goal(
        "a worker more, with model c beyond what it is with a: MB",
        more,
        Bound("≤", 1 / 4, size, "model c's"),
    )


def _extras(results: Results) -> Iterator[Goal]:
    bodies, ping = (
        results.extra_number(LEAN, "100 MB body", name)
        for name in ("grown_bodies", "slowest_ping_ms")
    )
    yield _goal("100 MB of CSV: growth of memory, in bodies", bodies, Bound("≤", 4))
    yield _goal("100 MB of CSV: slowest /ping meanwhile, ms", ping, Bound("<", 2000))
    many, few = (
        results.extra_number(LEAN, "growth", f"cpu_us_a_row_of_{rows}")
        for rows in (1_000_000, 10_000)
    )
    yield _goal(
        "1,000,000 rows of a in one request: CPU of a row, µs",
        many,
        Bound("≤", 1.2, few, "that of 10,000"),
    )


def _cells(models: str | list[str], rows: int) -> Iterator[tuple[Cell, str]]:
    for model in models:
        for name, media_type in MEDIA.items():
            yield (
                Cell(model, rows, media_type, 8),
                f"{_rows(rows)} of {model}, {name}, 8 connections",
            )


def _cpu(results: Results, cell: Cell, what: str, times: float) -> Goal:
    """Compare the processors' time of a request with hello world's and that of the work itself."""
    least = results.number(CPU, HELLO_LEAN, cell) + results.floor_number("infer_cpu_ms", cell)
    return _goal(
        f"{what}: CPU of a request, ms",
        results.number(CPU, LEAN, cell),
        Bound("≤", times, least, "hello world + in-process"),
    )


def _goal(what: str, value: float, bound: Bound) -> Goal:
    goal = f"{bound.sign} {_short(bound.times)}" + f" × {bound.whose}" * bool(bound.whose)
    if math.isnan(value) or math.isnan(bound.other):
        return Goal(what, goal, "not measured", None)
    limit = bound.times * bound.other
    met = {"≥": value >= limit, "≤": value <= limit, "<": value < limit}[bound.sign]
    against = f" against {_short(bound.other)}: {value / bound.other:.2f} ×" if bound.whose else ""
    return Goal(what, goal, f"{_short(value)}{against}", met)


def _rows(rows: int) -> str:
    return f"{rows:,} row{'s' * (rows > 1)}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
