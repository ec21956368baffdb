"""The report: results.json, results.md with its tables, and the plots.

Usage: report.py, to write the tables and plots of bench/results anew from the numbers that are there.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from bench import plots
from bench.goals import goals
from bench.grid import Cell
from bench.places import RESULTS
from bench.results import ParallelMap, Results, Summary, read_results

UNDER_LOAD = """## Under load

Medians of the rounds (least to most). *CPU* is user and system time of all processes of the server for one request, *processors*
how many of them it kept busy. Every reply that is no 200 of the right length counts as an error. One before and one after the load
must agree with XGBoost's own predictions, to a hundred-thousandth of each, else the server is disqualified in that cell.
At 10,000 rows *CPU* is too high for servers that work on all connections at once: the end of the load cuts off what they began.
"""


def write(results: Results, folder: Path) -> str:
    """Write everything into a folder, and return the report's text."""
    folder.mkdir(parents=True, exist_ok=True)
    results.write(folder)
    text = "\n".join(_sections(results))
    (folder / "results.md").write_text(text, encoding="utf-8")
    plots.write(results, folder)
    return text


def _sections(results: Results) -> Iterable[str]:
    yield "<!-- written by make bench -->\n# The benchmark\n"
    yield "".join(f"- {name}: {value}\n" for name, value in results.machine.items())
    yield from _section("Servers", ("server", "versions"), _versions(results))
    yield from _section("The goals", ("what", "goal", "measured", "met"), _goals(results))
    columns = (
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
    yield UNDER_LOAD
    for model in sorted({cell.model for _, cell in (*results.summaries, *results.faults)}):
        yield f"### Model {model}\n\n{table(columns, _cells(results, model))}"
    yield f"wrk itself used, of CPU on the same processors, for a request by its rows: {_wrk_cpu(results)}.\n"
    yield from _section(
        "Start and memory",
        ("server", "model", "cold start, s", "PSS, MB: warm", "after all loads"),
        _starts(results),
    )
    head = (
        "model",
        "rows",
        "media type",
        "infer, ms",
        "its CPU, ms",
        "predict alone, ms",
        "infer on both cores, 1/s",
    )
    yield from _section(
        "Without a server: the same work in a process of its own", head, _floors(results)
    )
    yield from _section("Extra measurements", ("server", "what", "found"), _extras(results))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def _section(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    yield f"## {title}\n\n{table(head, rows)}"


def _versions(results: Results) -> Iterable[Sequence[str]]:
    for name, found in results.versions.items():
        yield name, ", ".join(f"{package} {version}" for package, version in found.items())
    for name, reason in results.missing.items():
        yield name, f"**left out**: {_cell_text(reason)}"


def _goals(results: Results) -> Iterable[Sequence[str]]:
    words = {True: "yes", False: "**no**", None: "–"}
    for goal in goals(results):
        yield goal.what, goal.goal, goal.measured, words[goal.met]


def _cells(results: Results, model: str) -> Iterable[Sequence[str]]:
    """Yield the servers of each cell, the fastest first, then those that are disqualified."""

    def order(key: tuple[str, Cell]) -> tuple[int, int, float]:
        summary = results.summaries.get(key)
        return (
            key[1].rows,
            key[1].connections,
            -summary.requests_a_second.median if summary else 1.0,
        )

    keys = [key for key in {*results.summaries, *results.faults} if key[1].model == model]
    for name, cell in sorted(keys, key=order):
        place = (f"{cell.rows:,}", cell.media_type, str(cell.connections), name)
        if summary := results.summaries.get((name, cell)):
            yield *place, *_numbers(summary)
        else:
            yield *place, f"**disqualified**: {_cell_text(results.faults[name, cell])}", *[""] * 5


def _numbers(summary: Summary) -> Sequence[str]:
    return (
        _spread(summary.requests_a_second),
        f"{summary.p50_ms.median:.3g}",
        _spread(summary.p99_ms),
        _spread(summary.cpu_ms),
        f"{summary.busy_processors.median:.2f}",
        str(summary.errors),
    )


def _starts(results: Results) -> Iterable[Sequence[str]]:
    for server, model in sorted({(each.server, each.model) for each in results.starts}):
        found = [each for each in results.starts if (each.server, each.model) == (server, model)]
        numbers = (
            [getattr(each, name) for each in found]
            for name in ("start_seconds", "pss_mb", "loaded_pss_mb")
        )
        yield server, model, *(_spread(ParallelMap.of(each)) for each in numbers)


def _floors(results: Results) -> Iterable[Sequence[str]]:
    for cell in sorted({each.cell for each in results.floors}):
        times = [
            f"{results.floor_number(name, cell):.3g}"
            for name in ("infer_ms", "infer_cpu_ms", "predict_ms")
        ]
        both = results.floor_number("both_a_second", cell)
        yield cell.model, f"{cell.rows:,}", cell.media_type, *times, f"{both:.3g}" if both else ""


def _extras(results: Results) -> Iterable[Sequence[str]]:
    for each in results.extras:
        found = ", ".join(
            f"{name.replace('_', ' ')} {value:,.4g}" for name, value in each.values.items()
        )
        yield (
            each.server,
            each.name,
            f"**failed**: {_cell_text(each.fault)}" if each.fault else found,
        )


def _wrk_cpu(results: Results) -> str:
    """Return what wrk costs by the rows of a request."""
    found: dict[int, list[float]] = {}
    for each in results.measurements:
        if not each.fault:
            found.setdefault(each.cell.rows, []).append(each.wrk_cpu_ms * 1000)
    return ", ".join(
        f"{ParallelMap.of(costs).median:.0f} µs at {rows:,}"
        for rows, costs in sorted(found.items())
    )


def _spread(spread: ParallelMap) -> str:
    return f"{_short(spread.median)} ({_short(spread.least)}–{_short(spread.most)})"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _cell_text(text: str) -> str:
    return text.replace("|", "/").replace("\n", " ")


if __name__ == "__main__":
    print(write(read_results(RESULTS), RESULTS))
