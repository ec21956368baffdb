"""The report of a run: results.json, results.md and the plots.

Usage: report.py, to rewrite results.md and the plots of bench/results from its results.json.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench import plots
from bench.goals import evaluate_goals
from bench.paths import RESULTS
from bench.plan import Workload
from bench.results import MedianRange, Results, ServerStart, Summary, read_results

LOAD_SECTION = """## Under load

Numbers are the median of all rounds (minimum–maximum). *CPU* is the user and system time of all
processes of the server per request. *Processors* is the number of processors kept busy. A response
that is not a 200 of an expected length counts as an error.

The load consists of up to 64 payloads in turn, and each request has a trace ID of its own. Before
and after the load, the response to each payload must match XGBoost's own predictions with a
relative tolerance of 10⁻⁵, or the server is disqualified for that workload.

With 10,000 rows, *CPU* is too high for servers that work on all connections at once, because the
end of the load interrupts requests in progress.
"""
LOAD_COLUMNS = (
    "rows",
    "media type",
    "connections",
    "server",
    "requests/s",
    "p50 ms",
    "p99 ms",
    "CPU ms",
    "processors",
    "errors",
)
START_COLUMNS = ("server", "model", "cold start, s", "PSS after warm-up, MB", "PSS after load, MB")
IN_PROCESS_COLUMNS = (
    "model",
    "rows",
    "media type",
    "infer, ms",
    "infer CPU, ms",
    "predict only, ms",
    "predict only, AVX2, ms",
    "predict only, XGBoost, ms",
    "infer on both cores, 1/s",
)
IN_PROCESS_NUMBERS = (
    "infer_ms",
    "infer_cpu_ms",
    "predict_ms",
    "avx2_predict_ms",
    "xgboost_predict_ms",
)


def write_report(results: Results, folder: Path) -> str:
    """Write results.json, results.md and the plots to a folder; return the Markdown."""
    folder.mkdir(parents=True, exist_ok=True)
    results.write(folder)
    text = "\n".join(_sections(results))
    (folder / "results.md").write_text(text, encoding="utf-8")
    plots.write_plots(results, folder)
    return text


def _sections(results: Results) -> Iterable[str]:
    yield "<!-- written by make bench -->\n# Benchmark results\n"
    yield "".join(f"- {name}: {value}\n" for name, value in results.machine.items())
    yield _section("Servers", ("server", "versions"), _version_rows(results))
    yield _section("Goals", ("metric", "goal", "measured", "met"), _goal_rows(results))
    yield LOAD_SECTION
    keys = (*results.summaries, *results.disqualified)
    for model in sorted({workload.model for _, workload in keys}):
        yield f"### Model {model}\n\n{format_table(LOAD_COLUMNS, _load_rows(results, model))}"
    yield (
        "CPU time per request of wrk, which runs on the same processors, "
        f"by rows of the request: {_wrk_cpu(results)}.\n"
    )
    yield _section("Start and memory", START_COLUMNS, _start_rows(results))
    yield _section("In process, without a server", IN_PROCESS_COLUMNS, _in_process_rows(results))
    yield _section("Scenarios", ("server", "scenario", "measured"), _scenario_rows(results))


def format_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def _section(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return f"## {title}\n\n{format_table(head, rows)}"


def _version_rows(results: Results) -> Iterable[Sequence[str]]:
    for server, versions in results.versions.items():
        yield server, ", ".join(f"{package} {version}" for package, version in versions.items())
    for server, reason in results.missing.items():
        yield server, f"**skipped**: {_escape_cell(reason)}"


def _goal_rows(results: Results) -> Iterable[Sequence[str]]:
    labels = {True: "yes", False: "**no**", None: "–"}
    for goal in evaluate_goals(results):
        yield goal.metric, goal.threshold, goal.measured, labels[goal.met]


def _load_rows(results: Results, model: str) -> Iterable[Sequence[str]]:
    """Yield the servers by workload, the fastest first and disqualified ones last."""

    def sort_key(key: tuple[str, Workload]) -> tuple[int, int, float]:
        workload, summary = key[1], results.summaries.get(key)
        rate = summary.requests_per_second.median if summary else -1.0
        return workload.rows, workload.connections, -rate

    all_keys = {*results.summaries, *results.disqualified}
    keys = [key for key in all_keys if key[1].model == model]
    for server, workload in sorted(keys, key=sort_key):
        cells = (f"{workload.rows:,}", workload.media_type, str(workload.connections), server)
        if summary := results.summaries.get((server, workload)):
            yield *cells, *_summary_cells(summary)
        else:
            reason = _escape_cell(results.disqualified[server, workload])
            yield *cells, f"**disqualified**: {reason}", *[""] * 5


def _summary_cells(summary: Summary) -> Sequence[str]:
    return (
        _format_range(summary.requests_per_second),
        f"{summary.p50_ms.median:.3g}",
        _format_range(summary.p99_ms),
        _format_range(summary.cpu_ms),
        f"{summary.busy_processors.median:.2f}",
        str(summary.errors),
    )


def _start_rows(results: Results) -> Iterable[Sequence[str]]:
    starts: dict[tuple[str, str], list[ServerStart]] = defaultdict(list)
    for start in results.starts:
        starts[start.server, start.model].append(start)
    for server, model in sorted(starts):
        cells = []
        for name in ("start_seconds", "pss_mb", "pss_after_load_mb"):
            values = [getattr(start, name) for start in starts[server, model]]
            cells.append(_format_range(MedianRange.from_values(values)))
        yield server, model, *cells


def _in_process_rows(results: Results) -> Iterable[Sequence[str]]:
    for workload in sorted({timing.workload for timing in results.in_process}):
        milliseconds = [
            f"{results.in_process_number(name, workload):.3g}" for name in IN_PROCESS_NUMBERS
        ]
        rate = results.in_process_number("both_cores_per_second", workload)
        rate_cell = f"{rate:.3g}" if rate else ""
        yield workload.model, f"{workload.rows:,}", workload.media_type, *milliseconds, rate_cell


def _scenario_rows(results: Results) -> Iterable[Sequence[str]]:
    for result in results.scenarios:
        if result.error:
            yield result.server, result.name, f"**failed**: {_escape_cell(result.error)}"
            continue
        numbers = (
            f"{name.replace('_', ' ')} {value:,.4g}" for name, value in result.values.items()
        )
        yield result.server, result.name, ", ".join(numbers)


def _wrk_cpu(results: Results) -> str:
    microseconds: dict[int, list[float]] = defaultdict(list)
    for measurement in results.measurements:
        if not measurement.invalid:
            microseconds[measurement.workload.rows].append(measurement.wrk_cpu_ms * 1000)
    medians = (
        f"{MedianRange.from_values(values).median:.0f} µs at {rows:,}"
        for rows, values in sorted(microseconds.items())
    )
    return ", ".join(medians)


def _format_range(numbers: MedianRange) -> str:
    low, high = _format_number(numbers.minimum), _format_number(numbers.maximum)
    return f"{_format_number(numbers.median)} ({low}–{high})"


def _format_number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _escape_cell(text: str) -> str:
    return text.replace("|", "/").replace("\n", " ")


if __name__ == "__main__":
    print(write_report(read_results(RESULTS), RESULTS))
