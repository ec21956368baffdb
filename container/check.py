"""Check an artifact without serving it, and report how the server would serve it."""

import logging
import platform
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from container.check_report import describe_event
from container.startup import prepare
from serve import __version__
from serve.codecs import check_model_accepts, read_content_type
from serve.errors import BadArtifact, InvocationError
from serve.inference import infer
from serve.invocation import Invocation
from serve.logs import collecting_events
from serve.media.types import SUFFIXES
from serve.model.files.listing import NotReadable
from serve.model.files.reading import MAX_PAYLOAD_BYTES, read_regular
from serve.model.model import Model
from serve.model.summary import describe_features, summarize
from serve.settings import MIB, Settings, suggest_settings


def check(
    settings: Settings,
    folder: Path | None,
    sample: Path | None,
    env: Mapping[str, str],
    content_types: Sequence[str] = (),
) -> dict[str, Any]:
    """Return a report on the artifact, including the response to the sample payload, if any.

    The artifact is in ``folder``; the default is the model folder of the settings, which were read
    from the environment variables ``env``. Raises StartupError for anything that would prevent
    startup, and for a sample that the server would reject; and InvocationError if it would reject
    every payload with one of the ``content_types``.
    """
    settings = replace(settings, model_folder=folder or settings.model_folder)
    with collecting_events(logging.WARNING) as events:
        prepared = prepare(settings, env)
    model, sizing = prepared.model, prepared.sizing
    for content_type in content_types:
        check_model_accepts(read_content_type(content_type), model.schema)
    report = {
        "version": __version__,
        "architecture": platform.machine(),
        **summarize(model),
        "feature_list": describe_features(model.schema),
        "self_test_records": prepared.self_test_records,
        "workers": sizing.workers,
        "sizing": sizing.reason,
        "memory_forecast_mib": sizing.memory_bytes // MIB,
        "warnings": [describe_event(event) for event in events],
    }
    if suggestions := suggest_settings(env):
        report["ignored_variables"] = suggestions
    if sample is not None:
        report |= _score_sample(model, settings, sample)
    return report


def _score_sample(model: Model, settings: Settings, sample: Path) -> dict[str, str]:
    """Return the request that sends a sample payload to the server, and its response."""
    media_type = SUFFIXES.get(sample.suffix)
    if media_type is None:
        raise BadArtifact(
            f"{sample}: unknown suffix: expected a sample payload named {_list_patterns()}"
        )
    try:
        invocation = Invocation(_read_sample(sample), media_type, {}, media_type)
        response = infer(model, invocation, output_keys=settings.inference_output)
    except InvocationError as error:
        raise BadArtifact(f"{sample}: {error}") from error
    request = (
        f"curl -H 'Content-Type: {media_type}' --data-binary @{shlex.quote(str(sample))} "
        f"http://127.0.0.1:{settings.port}/invocations"
    )
    return {"sample_request": request, "sample_response": response.body.decode()}


def _read_sample(sample: Path) -> bytes:
    try:
        return read_regular(sample, MAX_PAYLOAD_BYTES)
    except NotReadable as error:
        reason = str(error).removeprefix("cannot be read: ")
        raise BadArtifact(f"{sample}: cannot read the sample payload: {reason}") from error


def _list_patterns() -> str:
    *patterns, last_pattern = (f"*{suffix}" for suffix in SUFFIXES)
    return f"{', '.join(patterns)} or {last_pattern}"
