"""Plots of requests/s, CPU time and p99 latency of every server with one row per request."""

import math
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.patches import Patch

from bench.plan import Workload
from bench.results import MedianRange, Results
from bench.servers import HELLO_WORLDS, OURS
from bench.servers.spec import CSV

CONNECTIONS = 8
COLUMNS = 2
MODELS = ("a", "b", "c", "diamonds")
COLORS = {"this server": "#0b6e99", "hello world (floor)": "#b8b8b8", "peer": "#d98c3f"}
# Title, file name, and the number of a summary to draw.
PLOTS = (
    ("requests/s (higher is better)", "throughput", "requests_per_second"),
    ("CPU per request, ms (lower is better)", "cpu", "cpu_ms"),
    ("p99, ms (lower is better)", "p99", "p99_ms"),
)

Bars = dict[str, MedianRange]  # by server


def write_plots(results: Results, folder: Path) -> None:
    """Write each plot to a folder as PNG and SVG, with one chart for each model."""
    mpl.use("Agg")
    mpl.rcParams.update(
        {"font.size": 10, "svg.hashsalt": "bench", "svg.fonttype": "none", "figure.dpi": 120}
    )
    for title, file_name, number in PLOTS:
        charts = {model: _select_bars(results, model, number) for model in MODELS}
        charts = {model: bars for model, bars in charts.items() if len(bars) > 1}
        if not charts:
            continue
        figure = _draw_figure(charts, title, best_is_highest=number == "requests_per_second")
        figure.savefig(folder / f"{file_name}.png")
        figure.savefig(folder / f"{file_name}.svg", metadata={"Date": None})
        plt.close(figure)


def _draw_figure(charts: dict[str, Bars], title: str, *, best_is_highest: bool) -> "plt.Figure":
    rows = math.ceil(len(charts) / COLUMNS)
    figure, axes = plt.subplots(
        rows, COLUMNS, figsize=(12, 0.8 + 3.6 * rows), squeeze=False, layout="constrained"
    )
    minimum = min(bar.minimum for bars in charts.values() for bar in bars.values())
    maximum = max(bar.maximum for bars in charts.values() for bar in bars.values())
    for axis, (model, bars) in zip(axes.flat, charts.items(), strict=False):
        ordered = sorted(bars.items(), key=lambda item: item[1].median, reverse=not best_is_highest)
        _draw_bars(axis, dict(ordered))
        axis.set_title(f"model {model}, 1 row, {CONNECTIONS} connections")
        axis.set_xlabel(f"{title}, logarithmic")
        axis.set_xscale("log")
        axis.set_xlim(10 ** math.floor(math.log10(minimum)), maximum * 5)
    for axis in axes.flat[len(charts) :]:
        axis.set_visible(False)
    handles = [Patch(color=color, label=kind) for kind, color in COLORS.items()]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), frameon=False)
    return figure


def _draw_bars(axis: "plt.Axes", bars: Bars) -> None:
    """Draw the median of each server as a bar, and its range as a whisker; the last is on top."""
    medians = [bar.median for bar in bars.values()]
    below = [bar.median - bar.minimum for bar in bars.values()]
    above = [bar.maximum - bar.median for bar in bars.values()]
    axis.barh(
        list(bars),
        medians,
        xerr=[below, above],
        color=[_choose_color(server) for server in bars],
        ecolor="#444444",
    )
    for index, bar in enumerate(bars.values()):
        label = f"{bar.median:,.3g}" if bar.median < 1000 else f"{bar.median:,.0f}"
        axis.annotate(
            label, (bar.maximum, index), xytext=(5, 0), textcoords="offset points", va="center"
        )
    axis.spines[["top", "right"]].set_visible(False)


def _select_bars(results: Results, model: str, number: str) -> Bars:
    bars = {}
    for server in sorted({server for server, key in results.summaries if key.model == model}):
        if summary := results.summary(server, Workload(model, 1, CSV, CONNECTIONS)):
            bars[server] = getattr(summary, number)
    return bars


def _choose_color(server: str) -> str:
    if server in {spec.name for spec in OURS}:
        return COLORS["this server"]
    if server in {spec.name for spec in HELLO_WORLDS}:
        return COLORS["hello world (floor)"]
    return COLORS["peer"]
