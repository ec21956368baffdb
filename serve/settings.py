"""Settings: what the environment decides, read once."""

import logging
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self

from serve.errors import BadSetting
from serve.media_types import RESPONSE_TYPES
from serve.text import listed, quoted

MIB = 1 << 20
LIKENESS = 0.9  # from 0 to 1; less alike are names of other programs' variables
DEFAULT_MAX_PAYLOAD_BYTES = 100 * MIB  # what batch transform sends at most: contract 5.3

BOOLEANS = {
    "true": True,
    "false": False,
    "1": True,
    "0": False,
    "yes": True,
    "no": False,
    "on": True,
    "off": False,
}


def _whole_number(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise ValueError(f"expected a whole number from {least:,} to {most:,}")
        return int(text)

    return read


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError(f"expected one of {listed(choices)}")
        return text.lower()

    return read


def _boolean(text: str) -> bool:
    if text.lower() not in BOOLEANS:
        raise ValueError(f"expected one of {listed(BOOLEANS)}")
    return BOOLEANS[text.lower()]


def _not_yet(text: str) -> bool:
    if _boolean(text):
        raise ValueError(
            "multi-model endpoints are not supported yet: serve one model, and leave the variable out"
        )
    return False


def _keys(text: str) -> tuple[str, ...]:
    keys = tuple(dict.fromkeys(key for key in "".join(text.split()).lower().split(",") if key))
    if not keys:
        raise ValueError("expected names with commas between")
    return keys


def _log_level(text: str) -> int:
    level = int(text) if text.isdecimal() else logging.getLevelNamesMapping().get(text.upper())
    if level is None:
        raise ValueError(f"expected a number or one of {listed(logging.getLevelNamesMapping())}")
    return level


def _setting(variable: str, default: Any, read: Callable[[str], Any], meaning: str) -> Any:
    return field(default=default, metadata={"variable": variable, "read": read, "meaning": meaning})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The server's settings; each field knows its variable and how that is read."""

    port: int = _setting(
        "SAGEMAKER_BIND_TO_PORT", 8080, _whole_number(1, 65535), "the port, on all addresses"
    )
    model_folder: Path = _setting(
        "SM_MODEL_DIR", Path("/opt/ml/model"), Path, "the folder of the artifact"
    )
    default_accept: str | None = _setting(
        "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT",
        None,
        _one_of(*RESPONSE_TYPES),
        "the reply's media type where Accept leaves it open; by default JSON and JSON lines in kind, all else as CSV",
    )
    max_payload_mib: int | None = _setting(
        "SAGEMAKER_MAX_PAYLOAD_IN_MB",
        None,
        _whole_number(0, 1 << 20),
        "the longest payload in MiB, 0 for no limit; by default 100",
    )
    max_content_length: int | None = _setting(
        "MAX_CONTENT_LENGTH",
        None,
        _whole_number(1, 1 << 40),
        "the same in bytes, where the former is not set",
    )
    max_concurrent_transforms: int | None = _setting(
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS",
        None,
        _whole_number(0, 1024),
        "how many invocations batch transform may have under way, as `/execution-parameters` says; by default one a worker",
    )
    batch: bool = _setting(
        "SAGEMAKER_BATCH",
        False,
        _boolean,
        "whether this is a batch transform job; no reply depends on it, the log's first line has it",
    )
    row_errors: bool = _setting(
        "SERVE_ROW_ERRORS",
        False,
        _boolean,
        "whether a bad line of CSV or JSON lines costs only its own prediction: `ERROR`, or an object with `error`, in its place",
    )
    streaming: bool = _setting(
        "SERVE_STREAMING",
        False,
        _boolean,
        "whether CSV and JSON lines leave in slices, without Content-Length, once more than 1 MiB came in",
    )
    multi_model: bool = _setting(
        "SAGEMAKER_MULTI_MODEL", False, _not_yet, "not supported yet: `true` stops the start"
    )
    inference_output: tuple[str, ...] = _setting(
        "SAGEMAKER_INFERENCE_OUTPUT",
        (),
        _keys,
        "what comes back of each record, names with commas between, such as `predicted_label,probability`; by default its score",
    )
    ensemble: bool | None = _setting(
        "SAGEMAKER_INFERENCE_ENSEMBLE",
        None,
        _boolean,
        "whether several models in the folder predict together; by default if their files are `xgboost-model-N`",
    )
    unknown_category: str = _setting(
        "SERVE_UNKNOWN_CATEGORY",
        "error",
        _one_of("error", "missing"),
        "what an unknown category is: an `error`, or `missing`",
    )
    libsvm_base: int | None = _setting(
        "SERVE_LIBSVM_BASE",
        None,
        _whole_number(0, 1),
        "the index of the first feature in `text/libsvm`, 0 or 1; by default what `schema.json` says, else 0",
    )
    early_stopping: bool = _setting(
        "SERVE_EARLY_STOPPING",
        True,
        _boolean,
        "whether a model that was stopped early predicts with its best iteration, or with all",
    )
    allow_newer: bool = _setting(
        "SERVE_ALLOW_NEWER_MODEL",
        False,
        _boolean,
        "whether to load a model that a newer XGBoost wrote, whose predictions may be wrong",
    )
    workers: int = _setting(
        "SAGEMAKER_MODEL_SERVER_WORKERS",
        0,
        _whole_number(0, 1024),
        "how many worker processes; 0 fits them to processors and memory",
    )
    worker_timeout_seconds: int = _setting(
        "SAGEMAKER_MODEL_SERVER_TIMEOUT",
        3600,
        _whole_number(1, 1 << 20),
        "seconds that a worker may be stuck before it is replaced; a prediction under way is not cut off",
    )
    queue_size: int = _setting(
        "SAGEMAKER_MODEL_JOB_QUEUE_SIZE",
        100,
        _whole_number(1, 1 << 20),
        "how many invocations may wait in each worker before a further one is answered 503",
    )
    frontend: str = _setting(
        "SERVE_FRONTEND",
        "asgi",
        _one_of("asgi", "flask"),
        "how requests come in: `asgi` answers pings and invocations itself and hands all else to Flask, `flask` is that alone",
    )
    log_level: int = _setting(
        "SAGEMAKER_CONTAINER_LOG_LEVEL",
        logging.INFO,
        _log_level,
        "the least level of events in the log, by name or number",
    )

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Self:
        """Return the settings that the environment holds; an empty variable counts as none.

        Raises BadSetting, which names the variable.
        """
        values = {}
        for each in fields(cls):
            variable = each.metadata["variable"]
            text = env.get(variable, "").strip()
            try:
                if text:
                    values[each.name] = each.metadata["read"](text)
            except ValueError as error:
                raise BadSetting(f"{variable}={quoted(text)}: {error}") from error
        return cls(**values)

    @property
    def max_payload_bytes(self) -> float:
        """The longest payload that is read; infinity where there is no limit."""
        if self.max_payload_mib is not None:
            return self.max_payload_mib * MIB or math.inf
        return self.max_content_length or DEFAULT_MAX_PAYLOAD_BYTES


VARIABLES = frozenset(each.metadata["variable"] for each in fields(Settings))


def misspelt(env: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables that look like one of the server's but are none, and which is meant: they do nothing, in silence."""
    unknown = [
        name for name in env if name.startswith(("SERVE_", "SAGEMAKER_")) and name not in VARIABLES
    ]
    return {
        name: near[0]
        for name in unknown
        if (near := get_close_matches(name, VARIABLES, 1, LIKENESS))
    }
