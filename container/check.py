"""Check: what the server would decide of an artifact, and of a sample payload, without serving."""

import json
import platform
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

from container.limits import read_limits
from container.sizing import MIB, size
from serve import __version__
from serve.errors import BadArtifact, InvocationError
from serve.inference import Invocation, infer
from serve.media_types import SUFFIXES
from serve.model.model import load_model
from serve.model.summary import describe_features, summarize
from serve.self_test import run_self_test
from serve.settings import Settings, suggest_settings
from serve.text import counted, listed

SHOWN_FEATURES = 50


def check(settings: Settings, folder: Path | None, sample: Path | None) -> dict[str, Any]:
    """Return all that the server would decide; raises StartupError for what would stop it, or for a sample that does not fit."""
    settings = replace(settings, model_folder=folder or settings.model_folder)
    model = load_model(settings)
    sizing = size(model.file, read_limits(), settings)
    report = {
        "version": __version__,
        "architecture": platform.machine(),
        **summarize(model),
        "feature_list": describe_features(model.schema),
        "self_test_records": run_self_test(model, settings.model_folder),
        "workers": sizing.workers,
        "workers_because": sizing.reason,
        "memory_forecast_mib": sizing.memory_bytes // MIB,
    }
    if suggestions := suggest_settings():
        report["ignored_variables"] = suggestions
    if sample is None:
        return report
    if sample.suffix not in SUFFIXES:
        raise BadArtifact(f"{sample}: expected a sample whose name ends in {', '.join(SUFFIXES)}")
    media_type = SUFFIXES[sample.suffix]
    try:
        reply = infer(
            model,
            Invocation(sample.read_bytes(), media_type, {}, media_type),
            output_keys=settings.inference_output,
        )
    except InvocationError as error:
        raise BadArtifact(f"{sample}: {error}") from error
    except OSError as error:
        raise BadArtifact(
            f"{sample}: {error.strerror}: name a file that holds a payload"
        ) from error
    request = f"curl -H 'Content-Type: {media_type}' --data-binary @{shlex.quote(str(sample))} http://127.0.0.1:{settings.port}/invocations"
    return {**report, "sample_request": request, "sample_reply": reply.body.decode()}


def as_text(report: dict[str, Any]) -> str:
    """Return a report for people."""
    lines = []
    for key, value in report.items():
        if key == "feature_list":
            lines += [
                f"  {number:>3}  {_feature(feature)}"
                for number, feature in enumerate(value[:SHOWN_FEATURES], 1)
            ]
            lines += [f"       and {counted(len(value) - SHOWN_FEATURES, 'feature')} more"] * (
                len(value) > SHOWN_FEATURES
            )
        elif key == "ignored_files":
            lines += [f"{'ignored':<22}{name}: {why}" for name, why in value.items()]
        elif key == "ignored_variables":
            lines += [
                f"{'ignored variable':<22}{name}: did you mean {suggestion}?"
                for name, suggestion in value.items()
            ]
        elif key == "sample_reply":
            lines += ["", value.rstrip()]
        else:
            lines.append(f"{key.replace('_', ' '):<22}{'-' if value is None else value}")
    return "\n".join(lines)


def as_json(report: dict[str, Any]) -> str:
    """Return a report for programs."""
    return json.dumps(report, indent=2, ensure_ascii=False)


def _feature(feature: dict[str, Any]) -> str:
    takes = {"c": "category", "i": "number, true or false"}.get(feature["type"], "number")
    known = f": {listed(feature['categories'])}" if "categories" in feature else ""
    known = f", codes 0 to {feature['codes'] - 1}" if "codes" in feature else known
    missing = ", may be missing" if feature["missing"] else ", must be there"
    return f"{feature['name'] or '(no name)'}: {takes}{missing}{known}"
