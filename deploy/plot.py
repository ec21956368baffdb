"""The plot of latency against load, as SVG."""

import math
from collections.abc import Sequence

from deploy.load import Step

WIDTH, HEIGHT, EDGE = 640, 400, 60


def svg(steps: Sequence[Step], objective_ms: float) -> str:
    """Return p50 and p99 in ms (logarithmic) over the requests per second asked for, with the objective's line."""
    most = max(step.wanted_rps for step in steps)
    values = [value for step in steps for value in (step.p50_ms, step.p99_ms)] + [objective_ms]
    low, high = math.floor(math.log10(max(min(values), 0.01))), math.ceil(math.log10(max(values) * 1.01))

    def place(rps: float, ms: float) -> tuple[float, float]:
        up = (math.log10(max(ms, 0.01)) - low) / max(high - low, 1)
        return EDGE + rps / most * (WIDTH - 2 * EDGE), HEIGHT - EDGE - up * (HEIGHT - 2 * EDGE)

    def line(points: Sequence[tuple[float, float]], colour: str, dash: str = "none") -> str:
        text = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in points))
        return f'<polyline points="{text}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'

    def text(x: float, y: float, words: str, anchor: str = "middle", colour: str = "#222") -> str:
        return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{words}</text>'

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">']
    parts.append(f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>')
    for power in range(low, high + 1):
        _, y = place(0, 10.0**power)
        parts += [line([(0, 10.0**power), (most, 10.0**power)], "#ddd"), text(EDGE - 6, y + 4, f"{10.0**power:g}", "end")]
    for quarter in range(5):
        parts.append(text(place(most * quarter / 4, 1)[0], HEIGHT - EDGE + 18, f"{most * quarter / 4:,.0f}"))
    parts += [
        line([(0, objective_ms), (most, objective_ms)], "#b00", "6 4"),
        text(WIDTH - EDGE, 30, "objective, dashed", "end", "#b00"),
    ]
    parts += [line([(s.wanted_rps, s.p50_ms) for s in steps], "#06c"), line([(s.wanted_rps, s.p99_ms) for s in steps], "#e70")]
    parts += [text(EDGE, 30, "p50", "start", "#06c"), text(EDGE + 40, 30, "p99, latency in ms", "start", "#e70")]
    parts += [text(WIDTH / 2, HEIGHT - 15, "requests per second asked for"), "</svg>"]
    return "\n".join(parts) + "\n"
