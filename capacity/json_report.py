"""The report of a load test as JSON, for scripts."""

from dataclasses import asdict
from typing import Any

from capacity.estimate import estimate
from capacity.report import Report


def report_to_json(report: Report) -> dict[str, Any]:
    """Return the report as a JSON object; keys without a value are null."""
    passing, failing = report.search.highest_passing, report.search.lowest_failing
    return {
        "objective": asdict(report.objective),
        "max_rps": passing and passing.throughput_rps,
        "violation": failing and report.objective.find_violation(failing),
        "lower_bound": report.is_lower_bound,
        "highest_passing": passing and asdict(passing),
        "lowest_failing": failing and asdict(failing),
        "generator": asdict(report.generator),
        "estimate_inputs": asdict(report.inputs),
        "estimate": passing and asdict(estimate(passing, report.inputs)),
        "steps": [asdict(step) for step in report.search.steps],
    }
