"""An SVG plot of latency against the offered rate."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from capacity.load import StepResult

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 420, 70, 20, 56, 56
GRID_COLOR, P50_COLOR, P99_COLOR, OBJECTIVE_COLOR = "#ddd", "#06c", "#d55e00", "#a00"
MAX_TICKS = 8
MIN_MS = 0.01

Point = tuple[float, float]  # (requests/s, ms)


def draw_svg(steps: Sequence[StepResult], objective_ms: float) -> str:
    """Return the plot: p50 and p99 latency (logarithmic) and the objective, by offered rate."""
    ordered = sorted(steps, key=lambda step: step.offered_rps)
    p50 = [(step.offered_rps, step.p50_ms) for step in ordered]
    p99 = [(step.offered_rps, step.p99_ms) for step in ordered]
    latencies = [ms for _, ms in (*p50, *p99)] + [objective_ms]
    axes = Axes(rps_ticks(ordered[-1].offered_rps), ms_ticks(min(latencies), max(latencies)))
    objective_line = [(0.0, objective_ms), (axes.rps_ticks[-1], objective_ms)]
    namespace, font = "http://www.w3.org/2000/svg", 'font-family="sans-serif" font-size="13"'
    lines = [
        f'<svg xmlns="{namespace}" viewBox="0 0 {WIDTH} {HEIGHT}" {font}>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        *axes.draw_grid(),
        axes.draw_line(objective_line, OBJECTIVE_COLOR, "6 4"),
        *axes.draw_curve(p50, P50_COLOR),
        *axes.draw_curve(p99, P99_COLOR),
        draw_text(LEFT, 22, "Latency in ms", "start"),
        draw_text(WIDTH - RIGHT - 230, 22, "p50", "end", P50_COLOR),
        draw_text(WIDTH - RIGHT - 180, 22, "p99", "end", P99_COLOR),
        draw_text(
            WIDTH - RIGHT, 22, f"- - objective: p99 {objective_ms:g} ms", "end", OBJECTIVE_COLOR
        ),
        draw_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, "Offered rate in requests/s"),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class Axes:
    """The plot area, spanned by the ticks of its two axes."""

    rps_ticks: list[float]
    ms_ticks: list[float]

    def to_pixels(self, rps: float, ms: float) -> tuple[float, float]:
        """Return the position of a point in the SVG."""
        low, high = math.log10(self.ms_ticks[0]), math.log10(self.ms_ticks[-1])
        height = (math.log10(max(ms, MIN_MS)) - low) / (high - low)
        x = LEFT + rps / self.rps_ticks[-1] * (WIDTH - LEFT - RIGHT)
        y = HEIGHT - BOTTOM - height * (HEIGHT - TOP - BOTTOM)
        return x, y

    def draw_line(
        self, points: Sequence[Point], color: str, dash: str = "none", width: int = 2
    ) -> str:
        """Return a line through the points."""
        pixels = [self.to_pixels(*point) for point in points]
        coordinates = " ".join(f"{x:.1f},{y:.1f}" for x, y in pixels)
        return (
            f'<polyline points="{coordinates}" fill="none" stroke="{color}" '
            f'stroke-width="{width}" stroke-dasharray="{dash}"/>'
        )

    def draw_curve(self, points: Sequence[Point], color: str) -> Iterator[str]:
        """Yield a line through the points, and a dot for each."""
        yield self.draw_line(points, color)
        for point in points:
            x, y = self.to_pixels(*point)
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>'

    def draw_grid(self) -> Iterator[str]:
        """Yield a grid line and a label for each tick."""
        for ms in self.ms_ticks:
            yield self.draw_line([(0, ms), (self.rps_ticks[-1], ms)], GRID_COLOR, width=1)
            yield draw_text(LEFT - 8, self.to_pixels(0, ms)[1] + 4, f"{ms:,g}", "end")
        for rps in self.rps_ticks:
            points = [(rps, self.ms_ticks[0]), (rps, self.ms_ticks[-1])]
            yield self.draw_line(points, GRID_COLOR, width=1)
            x, _ = self.to_pixels(rps, self.ms_ticks[0])
            yield draw_text(x, HEIGHT - BOTTOM + 20, f"{rps:,.0f}")


def rps_ticks(max_rps: float) -> list[float]:
    """Return round numbers from 0 to at least the highest rate, at most MAX_TICKS intervals."""
    intervals = (digit * 10.0**power for power in range(10) for digit in (1, 2, 5))
    interval = next(interval for interval in intervals if interval * MAX_TICKS >= max_rps)
    return [index * interval for index in range(math.ceil(max_rps / interval) + 1)]


def ms_ticks(min_ms: float, max_ms: float) -> list[float]:
    """Return 1, 2 and 5 times powers of ten that enclose all latencies.

    A wide range gets only the powers of ten.
    """
    min_ms = max(min_ms, MIN_MS)
    low, high = math.floor(math.log10(min_ms)), math.ceil(math.log10(max_ms * 1.001))
    if high - low > MAX_TICKS // 2:
        return [10.0**power for power in range(low, high + 1)]
    ticks = [digit * 10.0**power for power in range(low, high + 1) for digit in (1, 2, 5)]
    first = max(index for index, tick in enumerate(ticks) if tick <= min_ms)
    last = min(index for index, tick in enumerate(ticks) if tick >= max_ms)
    return ticks[first : max(last, first + 1) + 1]


def draw_text(x: float, y: float, text: str, anchor: str = "middle", color: str = "#222") -> str:
    """Return a text at a position."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{color}">{text}</text>'
