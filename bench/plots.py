"""The plots: requests/s, CPU of a request and p99 of every server at one row."""

import math
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.patches import Patch

from bench.grid import Cell
from bench.peers import FLOORS, OURS
from bench.peers.peer import CSV
from bench.results import ParallelMap, Results

CONNECTIONS = 8
COLUMNS = 2
COLOURS = {"this server": "#0b6e99", "floor: hello world": "#b8b8b8", "peer": "#d98c3f"}
# Title, file, and the number that is drawn.
PLOTS = (
    ("requests/s (more is better)", "throughput", "requests_a_second"),
    ("CPU of a request, ms (less is better)", "cpu", "cpu_ms"),
    ("p99, ms (less is better)", "p99", "p99_ms"),
)


def write(results: Results, folder: Path) -> None:
    """Draw each number for each model at one row into a PNG and an SVG of a folder."""
    mpl.use("Agg")
    mpl.rcParams.update(
        {"font.size": 10, "svg.hashsalt": "bench", "svg.fonttype": "none", "figure.dpi": 120}
    )
    for title, file, number in PLOTS:
        drawn = {model: _spreads(results, model, number) for model in ("a", "b", "c", "diamonds")}
        drawn = {model: spreads for model, spreads in drawn.items() if len(spreads) > 1}
        if not drawn:
            continue
        figure = _figure(drawn, title, best_is_most=number == "requests_a_second")
        for ending in ("png", "svg"):
            figure.savefig(
                folder / f"{file}.{ending}", metadata={"Date": None} if ending == "svg" else None
            )
        plt.close(figure)


def _figure(
    drawn: dict[str, dict[str, ParallelMap]], title: str, *, best_is_most: bool
) -> "plt.Figure":
    rows = math.ceil(len(drawn) / COLUMNS)
    figure, axes = plt.subplots(
        rows, COLUMNS, figsize=(12, 0.8 + 3.6 * rows), squeeze=False, layout="constrained"
    )
    numbers = [
        value
        for spreads in drawn.values()
        for spread in spreads.values()
        for value in (spread.least, spread.most)
    ]
    for axis, (model, spreads) in zip(axes.flat, drawn.items(), strict=False):
        _draw(
            axis,
            dict(
                sorted(spreads.items(), key=lambda each: each[1].median, reverse=not best_is_most)
            ),
        )
        axis.set_title(f"model {model}, 1 row, {CONNECTIONS} connections")
        axis.set_xlabel(f"{title}, logarithmic")
        axis.set_xscale("log")
        axis.set_xlim(10 ** math.floor(math.log10(min(numbers))), max(numbers) * 5)
    for axis in axes.flat[len(drawn) :]:
        axis.set_visible(False)
    handles = [Patch(color=colour, label=kind) for kind, colour in COLOURS.items()]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), frameon=False)
    return figure


def _draw(axis: "plt.Axes", spreads: dict[str, ParallelMap]) -> None:
    """Draw a bar for each server, the best on top, with the least and the most of the rounds as a whisker."""
    middles = [spread.median for spread in spreads.values()]
    below = [spread.median - spread.least for spread in spreads.values()]
    above = [spread.most - spread.median for spread in spreads.values()]
    axis.barh(
        list(spreads),
        middles,
        xerr=[below, above],
        color=[_colour(name) for name in spreads],
        ecolor="#444444",
    )
    for place, spread in enumerate(spreads.values()):
        text = f"{spread.median:,.3g}" if spread.median < 1000 else f"{spread.median:,.0f}"
        axis.annotate(
            text, (spread.most, place), xytext=(5, 0), textcoords="offset points", va="center"
        )
    axis.spines[["top", "right"]].set_visible(False)


def _spreads(results: Results, model: str, number: str) -> dict[str, ParallelMap]:
    servers = sorted({server for server, cell in results.summaries if cell.model == model})
    found = {
        server: results.summary(server, Cell(model, 1, CSV, CONNECTIONS)) for server in servers
    }
    return {server: getattr(summary, number) for server, summary in found.items() if summary}


def _colour(name: str) -> str:
    ours, floors = ({peer.name for peer in peers} for peers in (OURS, FLOORS))
    return COLOURS[
        "this server" if name in ours else "floor: hello world" if name in floors else "peer"
    ]
