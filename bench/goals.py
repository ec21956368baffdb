"""The performance goals of the ASGI front end, and whether a run met them.

Sources: the issues "Ten times the peers at one row, and close to the floor everywhere", "Take the
framework out of the one-row request" and "Predict several times faster than XGBoost, with XGBoost's
own bits".
"""

import math
from collections.abc import Callable, Iterable, Iterator

from bench.plan import ASGI, HELLO_ASGI, KSERVE, Workload
from bench.results import Results
from bench.servers.spec import CSV, JSON
from bench.threshold import Goal, Threshold, compare

MEDIA_TYPES = {"CSV": CSV, "JSON": JSON}
# More than one thread can reach, although decoding and encoding use a single thread.
MIN_BUSY_PROCESSORS_ALONE = 1.33
# Of two processors, which the server shares with wrk.
MIN_BUSY_PROCESSORS_UNDER_LOAD = 1.7
FLOOR = "(hello world + in-process)"
RATE, P50, P99, CPU, BUSY = (
    "requests_per_second",
    "p50_ms",
    "p99_ms",
    "cpu_ms",
    "busy_processors",
)


def evaluate_goals(results: Results) -> list[Goal]:
    """Return all goals in the order of the issue."""
    groups: tuple[Callable[[Results], Iterator[Goal]], ...] = (
        _kernel,
        _one_row,
        _category_labels,
        _hundred_rows,
        _ten_thousand_rows,
        _one_connection,
        _many_connections,
        _saturation,
        _start_and_memory,
        _scenarios,
    )
    return [goal for group in groups for goal in group(results)]


def _kernel(results: Results) -> Iterator[Goal]:
    """Compare the predictions alone with XGBoost's: by the fastest variant, and by AVX2."""
    for model in "ab":
        for rows in (100, 10_000):
            workload = Workload(model, rows, CSV, 0)
            xgboost = results.in_process_number("xgboost_predict_ms", workload) or math.nan
            name = f"{rows:,} rows of {model}, predict only, ms"
            for number, variant, factor in (
                ("predict_ms", "AVX-512", 1 / 5),
                ("avx2_predict_ms", "AVX2", 1 / 3),
            ):
                milliseconds = results.in_process_number(number, workload) or math.nan
                yield compare(
                    f"{name}: kernel with {variant}",
                    milliseconds,
                    Threshold("≤", factor, xgboost, "XGBoost"),
                )


def _one_row(results: Results) -> Iterator[Goal]:
    for model, kserve_factor, hello_factor in (("a", 7, 1.25), ("b", 5.5, 0.8)):
        workload = Workload(model, 1, CSV, 8)
        name = f"1 row of {model}, CSV, 8 connections"
        rate, p99 = results.number(RATE, ASGI, workload), results.number(P99, ASGI, workload)
        yield compare(
            f"{name}: requests/s",
            rate,
            Threshold("≥", kserve_factor, results.number(RATE, KSERVE, workload), "KServe"),
        )
        yield compare(
            f"{name}: requests/s",
            rate,
            Threshold("≥", hello_factor, results.number(RATE, HELLO_ASGI, workload), "hello world"),
        )
        yield compare(
            f"{name}: p99, ms",
            p99,
            Threshold("≤", 1 / 5, results.number(P99, KSERVE, workload), "KServe"),
        )
        yield _cpu_goal(results, workload, name, 0.65)


def _category_labels(results: Results) -> Iterator[Goal]:
    pairs = zip(_workloads(["diamonds"], 1), _workloads(["codes"], 1), strict=True)
    for (diamonds, name), (codes, _) in pairs:
        rate, codes_rate = (results.number(RATE, ASGI, workload) for workload in (diamonds, codes))
        yield compare(f"{name}: requests/s", rate, Threshold("≥", 0.8, codes_rate, "rate of codes"))


def _hundred_rows(results: Results) -> Iterator[Goal]:
    for workload, name in _workloads("ab", 100):
        rate, kserve_rate = _rates(results, workload, (ASGI, KSERVE))
        factor = 3 if workload.model == "a" else 5
        yield compare(f"{name}: requests/s", rate, Threshold("≥", factor, kserve_rate, "KServe"))
        yield _cpu_goal(results, workload, name, 1.4)


def _ten_thousand_rows(results: Results) -> Iterator[Goal]:
    for workload, name in _workloads("b", 10_000):
        rate, kserve_rate = _rates(results, workload, (ASGI, KSERVE))
        in_process_rate = results.in_process_number("both_cores_per_second", workload)
        yield compare(f"{name}: requests/s", rate, Threshold("≥", 3, kserve_rate, "KServe"))
        yield compare(
            f"{name}: requests/s",
            rate,
            Threshold("≥", 0.85, in_process_rate, "in-process on both cores"),
        )
    yield compare(
        "10,000 rows of b, CSV, single requests: busy processors",
        results.scenario_number(ASGI, "one large request", BUSY),
        Threshold("≥", MIN_BUSY_PROCESSORS_ALONE),
    )


def _one_connection(results: Results) -> Iterator[Goal]:
    for model in "ab":
        workload = Workload(model, 1, CSV, 1)
        hello = results.number(P50, HELLO_ASGI, workload)
        floor = hello + results.in_process_number("infer_ms", workload)
        yield compare(
            f"1 row of {model}, CSV, 1 connection: p50, ms",
            results.number(P50, ASGI, workload),
            Threshold("≤", 1.3, floor, FLOOR),
        )


def _many_connections(results: Results) -> Iterator[Goal]:
    for model, rows in (("a", 1), ("b", 1), ("b", 100)):
        rate_32, rate_8 = (
            results.number(RATE, ASGI, Workload(model, rows, CSV, connections))
            for connections in (32, 8)
        )
        yield compare(
            f"{_format_rows(rows)} of {model}, CSV, 32 connections: requests/s",
            rate_32,
            Threshold("≥", 0.9, rate_8, "rate at 8 connections"),
        )


def _saturation(results: Results) -> Iterator[Goal]:
    for rows in (100, 10_000):
        yield compare(
            f"{rows:,} rows of b, CSV, 8 connections: busy processors",
            results.number(BUSY, ASGI, Workload("b", rows, CSV, 8)),
            Threshold("≥", MIN_BUSY_PROCESSORS_UNDER_LOAD),
        )
    yield compare(
        "/ping during 10,000 rows of b, 8 connections: p99, ms",
        results.scenario_number(ASGI, "ping under saturation", "p99_ms"),
        Threshold("<", 100),
    )


def _start_and_memory(results: Results) -> Iterator[Goal]:
    for model in "abc":
        for number, metric, factor in (
            ("start_seconds", "cold start, s", 1 / 4),
            ("pss_mb", "PSS with 2 workers, MB", 1 / 3),
        ):
            ours = results.start_number(number, ASGI, model)
            kserve = results.start_number(number, KSERVE, model)
            threshold = Threshold("≤", factor, kserve, "KServe")
            yield compare(f"model {model}: {metric}", ours, threshold)
    model_mb = results.scenario_number(ASGI, "model in memory", "model_mb")
    yield compare(
        "additional worker, model c compared with a: memory growth, MB",
        results.scenario_number(ASGI, "model in memory", "worker_mb_due_to_model"),
        Threshold("≤", 1 / 4, model_mb, "model c"),
    )


def _scenarios(results: Results) -> Iterator[Goal]:
    yield compare(
        "100 MB of CSV: memory growth, in multiples of the body",
        results.scenario_number(ASGI, "100 MB body", "growth_in_bodies"),
        Threshold("≤", 4),
    )
    yield compare(
        "100 MB of CSV: slowest /ping meanwhile, ms",
        results.scenario_number(ASGI, "100 MB body", "max_ping_ms"),
        Threshold("<", 2000),
    )
    small = results.scenario_number(ASGI, "growth", "cpu_us_per_row_of_10000")
    yield compare(
        "1,000,000 rows of a in one request: CPU per row, µs",
        results.scenario_number(ASGI, "growth", "cpu_us_per_row_of_1000000"),
        Threshold("≤", 1.2, small, "CPU at 10,000 rows"),
    )


def _workloads(models: Iterable[str], rows: int) -> Iterator[tuple[Workload, str]]:
    for model in models:
        for name, media_type in MEDIA_TYPES.items():
            workload = Workload(model, rows, media_type, 8)
            yield workload, f"{_format_rows(rows)} of {model}, {name}, 8 connections"


def _rates(results: Results, workload: Workload, servers: Iterable[str]) -> Iterator[float]:
    return (results.number(RATE, server, workload) for server in servers)


def _cpu_goal(results: Results, workload: Workload, name: str, factor: float) -> Goal:
    """Compare the CPU time of a request with that of hello world plus the work in process."""
    hello = results.number(CPU, HELLO_ASGI, workload)
    floor = hello + results.in_process_number("infer_cpu_ms", workload)
    return compare(
        f"{name}: CPU per request, ms",
        results.number(CPU, ASGI, workload),
        Threshold("≤", factor, floor, FLOOR),
    )


def _format_rows(rows: int) -> str:
    return "1 row" if rows == 1 else f"{rows:,} rows"
