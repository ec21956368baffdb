"""The plots: requests/s, CPU of a request and p99 of every server at one row."""

from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt

from bench.grid import Cell
from bench.peers import FLOORS, OURS
from bench.peers.peer import CSV
from bench.results import Results, Summary

CONNECTIONS = 8
COLOURS = {"ours": "#0b6e99", "floor": "#b8b8b8", "peer": "#d98c3f"}
# Title, file, logarithmic, and the number that is drawn.
PLOTS = (
    ("requests/s (more is better)", "throughput", "requests_a_second"),
    ("CPU of a request, ms (less is better)", "cpu", "cpu_ms"),
    ("p99, ms (less is better)", "p99", "p99_ms"),
)


def write(results: Results, folder: Path) -> None:
    """Draw each number for each model at one row into a PNG and an SVG of a folder."""
    mpl.use("Agg")
    mpl.rcParams.update({"font.size": 10, "svg.hashsalt": "bench", "svg.fonttype": "none", "figure.dpi": 120})
    models = [model for model in ("a", "b", "c", "diamonds") if len(_servers(results, model)) > 1]
    for title, file, number in PLOTS if models else ():
        figure, axes = plt.subplots(
            1, len(models), figsize=(1.2 + 4.6 * len(models), 4.4), squeeze=False, sharex=True, layout="constrained"
        )
        for axis, model in zip(axes[0], models, strict=True):
            _draw(axis, _servers(results, model), number)
            axis.set_title(f"model {model}, 1 row, {CONNECTIONS} connections")
            axis.set_xlabel(title + ", logarithmic")
        for ending in ("png", "svg"):
            figure.savefig(folder / f"{file}.{ending}", metadata={"Date": None} if ending == "svg" else None)
        plt.close(figure)


def _draw(axis: "plt.Axes", servers: dict[str, Summary], number: str) -> None:
    """Draw a bar for each server, the best on top, with the least and the most of the rounds as a whisker."""
    spreads = {name: getattr(summary, number) for name, summary in servers.items()}
    names = sorted(spreads, key=lambda name: spreads[name].median, reverse=number != "requests_a_second")
    middles = [spreads[name].median for name in names]
    whiskers = [
        [spreads[name].median - spreads[name].least for name in names],
        [spreads[name].most - spreads[name].median for name in names],
    ]
    bars = axis.barh(names, middles, xerr=whiskers, color=[COLOURS[_kind(name)] for name in names], ecolor="#444444")
    axis.bar_label(
        bars, [f" {middle:,.3g}" if middle < 1000 else f" {middle:,.0f}" for middle in middles], label_type="edge", padding=12
    )
    axis.set_xscale("log")
    axis.set_xlim(min(middles) / 2, max(spread.most for spread in spreads.values()) * 6)
    axis.spines[["top", "right"]].set_visible(False)


def _servers(results: Results, model: str) -> dict[str, Summary]:
    names = {server for server, cell in results.summaries if cell.model == model}
    found = {name: results.summary(name, Cell(model, 1, CSV, CONNECTIONS)) for name in sorted(names)}
    return {name: summary for name, summary in found.items() if summary}


def _kind(name: str) -> str:
    if name in {peer.name for peer in OURS}:
        return "ours"
    return "floor" if name in {peer.name for peer in FLOORS} else "peer"
