"""The plot of latency against load, as SVG."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from capacity.load import Step

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 420, 70, 20, 56, 56
GREY, P50, P99, LIMIT = "#ddd", "#06c", "#d55e00", "#a00"
MOST_TICKS = 8
LEAST_MS = 0.01


def svg(steps: Sequence[Step], objective_ms: float) -> str:
    """Return p50 and p99 in ms (logarithmic) over the invocations per second asked for, with the objective's line."""
    ordered = sorted(steps, key=lambda step: step.asked_rps)
    values = [value for step in steps for value in (step.p50_ms, step.p99_ms)] + [objective_ms]
    frame = Frame(rps_ticks(ordered[-1].asked_rps), ms_ticks(min(values), max(values)))
    p50, p99 = [[(one.asked_rps, ms) for one, ms in zip(ordered, column, strict=True)]
                for column in ([one.p50_ms for one in ordered], [one.p99_ms for one in ordered])]  # fmt: skip
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        *frame.grid(),
        frame.line([(0, objective_ms), (frame.rps[-1], objective_ms)], LIMIT, "6 4"),
        *frame.curve(p50, P50),
        *frame.curve(p99, P99),
        text(LEFT, 22, "Latency in ms", "start"),
        text(WIDTH - RIGHT - 230, 22, "p50", "end", P50),
        text(WIDTH - RIGHT - 180, 22, "p99", "end", P99),
        text(WIDTH - RIGHT, 22, f"- - objective: p99 {objective_ms:g} ms", "end", LIMIT),
        text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, "Invocations per second asked for"),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class Frame:
    """The area between the axes, by the round numbers on them."""

    rps: list[float]
    ms: list[float]

    def place(self, rps: float, ms: float) -> tuple[float, float]:
        """Return where a point lies in the picture."""
        low, high = math.log10(self.ms[0]), math.log10(self.ms[-1])
        up = (math.log10(max(ms, LEAST_MS)) - low) / (high - low)
        return LEFT + rps / self.rps[-1] * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (
            HEIGHT - TOP - BOTTOM
        )

    def line(
        self, points: Sequence[tuple[float, float]], colour: str, dash: str = "none", width: int = 2
    ) -> str:
        """Return a line through points."""
        places = " ".join(f"{x:.1f},{y:.1f}" for x, y in (self.place(*point) for point in points))
        return f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-dasharray="{dash}"/>'

    def curve(self, points: Sequence[tuple[float, float]], colour: str) -> Iterator[str]:
        """Yield a line with a dot for each step."""
        yield self.line(points, colour)
        for x, y in (self.place(*point) for point in points):
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'

    def grid(self) -> Iterator[str]:
        """Yield the lines of the round numbers, and these."""
        for ms in self.ms:
            yield self.line([(0, ms), (self.rps[-1], ms)], GREY, width=1)
            yield text(LEFT - 8, self.place(0, ms)[1] + 4, f"{ms:,g}", "end")
        for rps in self.rps:
            yield self.line([(rps, self.ms[0]), (rps, self.ms[-1])], GREY, width=1)
            yield text(self.place(rps, self.ms[0])[0], HEIGHT - BOTTOM + 20, f"{rps:,.0f}")


def rps_ticks(most: float) -> list[float]:
    """Return round numbers from 0 to at least the highest rate, at most MOST_TICKS distances."""
    distance = next(
        one for power in range(10) for digit in (1, 2, 5) if (one := digit * 10.0**power) * MOST_TICKS >= most
    )  # fmt: skip
    return [number * distance for number in range(math.ceil(most / distance) + 1)]


def ms_ticks(least: float, most: float) -> list[float]:
    """Return 1, 2 and 5 of each power of ten, or only the powers if these are many, around all latencies."""
    low, high = math.floor(math.log10(max(least, LEAST_MS))), math.ceil(math.log10(most * 1.001))
    if high - low > MOST_TICKS // 2:
        return [10.0**power for power in range(low, high + 1)]
    every = [digit * 10.0**power for power in range(low, high + 1) for digit in (1, 2, 5)]
    first = max(place for place, tick in enumerate(every) if tick <= max(least, LEAST_MS))
    last = min(place for place, tick in enumerate(every) if tick >= most)
    return every[first : max(last, first + 1) + 1]


def text(x: float, y: float, words: str, anchor: str = "middle", colour: str = "#222") -> str:
    """Return words at a place."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{words}</text>'
