"""Compares a measured number with a performance goal."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal; ``met`` is None if this run did not measure it."""

    metric: str
    threshold: str
    measured: str
    met: bool | None


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number to compare with: a factor times a reference, which is NaN if it was not measured."""

    operator: str
    factor: float
    reference: float = 1.0
    reference_name: str = ""


def compare(metric: str, value: float, threshold: Threshold) -> Goal:
    """Return the goal for a metric, and whether a value meets the threshold."""
    limit = f"{threshold.operator} {_format_number(threshold.factor)}"
    measured = _format_number(value)
    if threshold.reference_name:
        limit += f" × {threshold.reference_name}"
    if math.isnan(value) or math.isnan(threshold.reference):
        return Goal(metric, limit, "not measured", None)
    if threshold.reference_name:
        ratio = value / threshold.reference
        measured += f" against {_format_number(threshold.reference)}: {ratio:.2f} ×"
    return Goal(metric, limit, measured, _is_met(value, threshold))


def _is_met(value: float, threshold: Threshold) -> bool:
    limit = threshold.factor * threshold.reference
    match threshold.operator:
        case "≥":
            return value >= limit
        case "≤":
            return value <= limit
        case "<":
            return value < limit
    raise ValueError(f"unknown operator {threshold.operator}")


def _format_number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
