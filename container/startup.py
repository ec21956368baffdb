"""Prepare to serve: everything that can prevent startup, for `serve` and for `check`."""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace

from container.limits import read_limits
from container.sizing import Sizing, compute_sizing
from container.trial import try_model
from serve.errors import BadSetting
from serve.http.responder import Responder
from serve.logs import log_event
from serve.model.artifact import ModelFile, find_model
from serve.model.model import Model, load_model
from serve.parallel import ParallelMap
from serve.self_test import run_self_test
from serve.settings import MIB, Settings, find_ineffective_variables, suggest_settings

HEARTBEAT_FOLDERS = ("/dev/shm", "/tmp")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A model that is ready to serve; ``self_test_records`` is 0 without a self-test."""

    model: Model
    sizing: Sizing
    responder: Responder
    self_test_records: int
    heartbeat_folder: str


def prepare(settings: Settings, env: Mapping[str, str] = os.environ) -> Prepared:
    """Load and test the model, and log every warning about it and the environment variables.

    Raises StartupError, or OSError for a file of the artifact that cannot be read.
    """
    heartbeat_folder = _find_heartbeat_folder()
    model_file = find_model(settings.model_folder, ensemble=settings.ensemble)
    limits = read_limits()
    sizing = compute_sizing(model_file, limits, settings)
    model_file = try_model(settings, model_file, limits)
    model = load_model(settings, model_file)
    self_test_records = run_self_test(model)
    if settings.max_response_mib is None:
        settings = replace(settings, max_response_mib=sizing.response_bytes // MIB)
    responder = Responder(model, settings, ParallelMap(sizing.threads), sizing.held_bytes)
    if sizing.warning:
        log_event(logging.WARNING, "memory warning", warning=sizing.warning)
    for warning in model.warnings:
        log_event(logging.WARNING, "model warning", warning=warning)
    _log_ignored(model.file, env)
    return Prepared(model, sizing, responder, self_test_records, heartbeat_folder)


def _log_ignored(model_file: ModelFile, env: Mapping[str, str]) -> None:
    """Log variables and model files that have no effect, although a user may expect one."""
    for variable, suggestion in suggest_settings(env).items():
        log_event(
            logging.WARNING,
            "unknown variable ignored",
            variable=variable,
            did_you_mean=suggestion,
        )
    if ineffective := find_ineffective_variables(env):
        log_event(
            logging.WARNING, "recognized variables have no effect here", variables=ineffective
        )
    if ignored_models := model_file.ignored_models:
        log_event(logging.WARNING, "model files ignored", files=ignored_models)


def _find_heartbeat_folder() -> str:
    """Return a writable folder for the workers' heartbeat files (contract 4.8).

    Raises BadSetting if there is none.
    """
    for folder in HEARTBEAT_FOLDERS:
        if os.access(folder, os.W_OK):
            return folder
    raise BadSetting(
        f"neither {' nor '.join(HEARTBEAT_FOLDERS)} is writable: "
        "with docker run --read-only, add --tmpfs /tmp"
    )
