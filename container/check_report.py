"""Format the report of a check, for people or for programs."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from serve.text import counted, listed, printable, quoted

MAX_SHOWN_FEATURES = 50
LABEL_WIDTH = 24
# A name without blanks at its ends, and without the punctuation of the lines of features.
PLAIN_NAME = re.compile(r"[^\s:,()\"'](?:[^:,\"']*[^\s:,\"'])?")
LABELS = {
    "version": "server version",
    "architecture": "architecture",
    "model": "model file",
    "format": "model format",
    "written_by_xgboost": "saved by XGBoost",
    "booster": "booster",
    "objective": "objective",
    "rounds": "boosting rounds",
    "rounds_used": "rounds used",
    "predictor": "predictor",
    "class_count": "classes",
    "features": "features",
    "libsvm_base": "first libsvm index",
    "self_test_records": "self-test records",
    "workers": "workers",
    "sizing": "sizing",
    "memory_forecast_mib": "estimated memory in MiB",
    "sample_request": "sample request",
}

# A label and its value.
Line = tuple[str, str]


def format_json(report: Mapping[str, Any]) -> str:
    """Return a report as indented JSON."""
    return json.dumps(report, indent=2, ensure_ascii=False)


def format_text(report: Mapping[str, Any]) -> str:
    """Return a report as lines, most of them a label and a value."""
    return "\n".join(line for key, value in report.items() for line in _format_entry(key, value))


def describe_event(event: Mapping[str, Any]) -> str:
    """Return a warning of the log as one line, such as ``unknown variable ignored: …``."""
    match event:
        case {"warning": str(warning)}:
            return warning
        case {"did_you_mean": suggestion, "variable": variable}:
            return f"{event['event']}: {variable}: did you mean {suggestion}?"
    fields = {key: value for key, value in event.items() if key != "event"}
    only_value, *others = fields.values()
    return f"{event['event']}: {_format_value(fields if others else only_value)}"


def _format_value(value: object) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_format_value(item)}" for key, item in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _format_entry(key: str, value: Any) -> Iterator[str]:
    if key == "ignored_variables":  # each has a warning
        return
    if key in LISTS:
        for line in LISTS[key](value):
            yield _align(*line)
    elif key == "feature_list":
        yield from _format_features(value)
    elif key == "sample_response":
        yield from ("", "sample response", value.rstrip())
    else:
        label = LABELS.get(key, key.replace("_", " "))
        yield _align(label, "unknown" if value is None else str(value))


def _format_members(members: Mapping[str, int]) -> Iterator[Line]:
    for file_name, rounds in members.items():
        yield "ensemble member", f"{file_name}, {counted(rounds, 'round')}"


def _format_ignored_files(reasons: Mapping[str, str]) -> Iterator[Line]:
    for file_name, reason in reasons.items():
        yield "ignored file", f"{file_name}: {reason}"


def _format_missing_values(values: float | Mapping[str, float]) -> Iterator[Line]:
    if not isinstance(values, Mapping):
        yield "missing value", str(values)
        return
    for column, value in values.items():
        yield "missing value", f"{column}: {value}"


def _format_ignored_columns(names: Iterable[str]) -> Iterator[Line]:
    yield "ignored columns", listed(names)


def _format_warnings(warnings: Iterable[str]) -> Iterator[Line]:
    for warning in warnings:
        yield "warning", warning


def _align(label: str, value: str) -> str:
    return f"{label:<{LABEL_WIDTH}}{value}"


def _format_features(features: list[dict[str, Any]]) -> Iterator[str]:
    for number, feature in enumerate(features[:MAX_SHOWN_FEATURES], 1):
        yield f"  {number:>3}  {_describe_feature(feature)}"
    if len(features) > MAX_SHOWN_FEATURES:
        yield f"       and {len(features) - MAX_SHOWN_FEATURES} more features"


def _describe_feature(feature: Mapping[str, Any]) -> str:
    """Return the line for a feature, such as ``cut: category, required: "Fair", "Good"``."""
    name = "(unnamed)" if feature["name"] is None else _show_name(feature["name"])
    kind = {"c": "category", "i": "number or boolean"}.get(feature["type"], "number")
    presence = "may be missing" if feature["missing"] else "required"
    description = f"{name}: {kind}, {presence}"
    if "codes" in feature:
        return f"{description}, codes 0 to {feature['codes'] - 1}"
    if "categories" in feature:
        return f"{description}: {listed(feature['categories'])}"
    return description


def _show_name(name: str) -> str:
    """Return a name as it is, or in quotes if its ends or its characters could be misread."""
    is_plain = PLAIN_NAME.fullmatch(name) and name.isprintable() and "  " not in name
    return name if is_plain else printable(quoted(name))


# Entries of several lines.
LISTS: dict[str, Callable[[Any], Iterator[Line]]] = {
    "ensemble": _format_members,
    "ignored_columns": _format_ignored_columns,
    "ignored_files": _format_ignored_files,
    "missing_value": _format_missing_values,
    "warnings": _format_warnings,
}
