"""The server's settings, read once from environment variables."""

import logging
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from serve.errors import BadSetting
from serve.limits import Limits
from serve.media.types import MediaType
from serve.output_keys import parse_output_keys
from serve.text import quoted
from serve.variables.other_images import explain_ineffective, reject_user_code
from serve.variables.parsers import (
    integer_between,
    one_of,
    parse_boolean,
    parse_default_accept,
    parse_log_level,
    parse_unsupported_multi_model,
    reject_quotes,
)
from serve.variables.unknown import reject_unknown_variables, suggest_variables

MIB = 1 << 20
DEFAULT_MAX_PAYLOAD_BYTES = 100 * MIB  # the most that batch transform sends: contract 5.3

# The server reduces this if the container has little memory: container/sizing.py.
DEFAULT_MAX_RESPONSE_MIB = 512


def _setting(variable: str, default: Any, parse: Callable[[str], Any], meaning: str) -> Any:
    return field(
        default=default, metadata={"variable": variable, "parse": parse, "meaning": meaning}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The server's settings; a field's metadata contains its variable, parser and meaning."""

    port: int = _setting(
        "SAGEMAKER_BIND_TO_PORT",
        8080,
        integer_between(1, 65535),
        "port to listen on, on all IPv4 and IPv6 interfaces",
    )
    model_folder: Path = _setting(
        "SM_MODEL_DIR", Path("/opt/ml/model"), Path, "folder of the model artifact"
    )
    default_accept: MediaType | None = _setting(
        "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT",
        None,
        parse_default_accept,
        "media type of the response if `Accept` leaves it open, also with parameters, "
        "such as `text/csv; stream=true`; "
        "default: JSON for JSON, JSON Lines for JSON Lines, CSV for everything else",
    )
    max_payload_mib: int | None = _setting(
        "SAGEMAKER_MAX_PAYLOAD_IN_MB",
        None,
        integer_between(0, 1 << 20),
        "maximum payload size in MiB; 0 means no limit; default: 100",
    )
    max_content_length: int | None = _setting(
        "MAX_CONTENT_LENGTH",
        None,
        integer_between(1, 1 << 40),
        "maximum payload size in bytes, if `SAGEMAKER_MAX_PAYLOAD_IN_MB` is not set",
    )
    max_gzip_ratio: int = _setting(
        "SERVE_MAX_GZIP_RATIO",
        200,
        integer_between(0, 1 << 20),
        "maximum ratio of a payload's size to that of its gzip body, if the payload is larger than "
        "8 MiB; 0 means no limit",
    )
    max_records: int = _setting(
        "SERVE_MAX_RECORDS",
        50_000_000,
        integer_between(0, 1 << 40),
        "maximum number of records in a payload, of which a fiftieth may be without any value; "
        "a record counts once for each 1,000 columns; 0 means no limit",
    )
    max_response_mib: int | None = _setting(
        "SERVE_MAX_RESPONSE_IN_MB",
        None,
        integer_between(0, 1 << 20),
        "maximum size in MiB of a response that is not streamed; 0 means no limit; default: half "
        "of the worker's share of the memory, at least 64 and at most 512",
    )
    max_concurrent_transforms: int | None = _setting(
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS",
        None,
        integer_between(0, 1024),
        "maximum number of concurrent invocations that `/execution-parameters` "
        "reports to batch transform; default: the number of workers",
    )
    batch: bool = _setting(
        "SAGEMAKER_BATCH",
        False,
        parse_boolean,
        "whether this is a batch transform job; logged at startup, has no other effect",
    )
    row_errors: bool = _setting(
        "SERVE_ROW_ERRORS",
        False,
        parse_boolean,
        "report a bad row of CSV or JSON Lines in its place in the response "
        '(`ERROR`, or `{"error": …}`) instead of rejecting the request',
    )
    streaming: bool = _setting(
        "SERVE_STREAMING",
        False,
        parse_boolean,
        "stream CSV and JSON Lines responses, without `Content-Length`, "
        "if the payload is larger than 1 MiB",
    )
    multi_model: bool = _setting(
        "SAGEMAKER_MULTI_MODEL",
        False,
        parse_unsupported_multi_model,
        "multi-model endpoint; not supported yet: `true` prevents startup",
    )
    inference_output: tuple[str, ...] = _setting(
        "SAGEMAKER_INFERENCE_OUTPUT",
        (),
        parse_output_keys,
        "comma-separated keys to return for each record, such as `predicted_label,probability`, "
        "if `Accept` has no `outputs=`; default: only the score",
    )
    ensemble: bool | None = _setting(
        "SAGEMAKER_INFERENCE_ENSEMBLE",
        None,
        parse_boolean,
        "combine the predictions of all models in the artifact; "
        "default: only if their files are named `xgboost-model-N`",
    )
    unknown_category: str = _setting(
        "SERVE_UNKNOWN_CATEGORY",
        "error",
        one_of("error", "missing"),
        "handling of an unknown category: "
        "`error` rejects the request, `missing` treats it as a missing value",
    )
    libsvm_base: int | None = _setting(
        "SERVE_LIBSVM_BASE",
        None,
        integer_between(0, 1),
        "index of the first feature in `text/libsvm`, 0 or 1; "
        "default: `libsvm_base` in `schema.json`, otherwise 0",
    )
    early_stopping: bool | None = _setting(
        "SERVE_EARLY_STOPPING",
        None,
        parse_boolean,
        "`true` predicts with the rounds up to the model's `best_iteration`, `false` with all "
        "rounds; default: up to `best_iteration` if training may have stopped early, with a "
        "warning",
    )
    allow_newer: bool = _setting(
        "SERVE_ALLOW_NEWER_MODEL",
        False,
        parse_boolean,
        "load a model saved by a newer version of XGBoost, although its predictions may be wrong",
    )
    kernel: str = _setting(
        "SERVE_KERNEL",
        "auto",
        one_of("auto", "off", "base", "avx2", "avx512"),
        "predictor: `auto` predicts with the kernel if its predictions equal XGBoost's bit for "
        "bit, `off` always with XGBoost; the others name a variant of the kernel, for tests",
    )
    workers: int = _setting(
        "SAGEMAKER_MODEL_SERVER_WORKERS",
        0,
        integer_between(0, 1024),
        "number of worker processes; 0 means as many as CPUs and memory allow",
    )
    worker_timeout_seconds: int = _setting(
        "SAGEMAKER_MODEL_SERVER_TIMEOUT",
        30,
        integer_between(1, 1 << 20),
        "seconds until a worker that does not respond to anything is replaced; more than 30 count "
        "as 30; a prediction may take longer without being interrupted",
    )
    max_in_flight: int = _setting(
        "SAGEMAKER_MODEL_JOB_QUEUE_SIZE",
        100,
        integer_between(1, 1 << 20),
        "maximum number of invocations in flight in each worker; "
        "further ones are rejected with status 503",
    )
    max_held_mib: int | None = _setting(
        "SERVE_MAX_HELD_IN_MB",
        None,
        integer_between(0, 1 << 20),
        "maximum total size of the payloads in flight in each worker, in MiB; further ones are "
        "rejected with status 503, before they are sent; a response counts with a quarter of its "
        "size until it is sent; 0 means no limit; default: a quarter of the worker's share of the "
        "memory",
    )
    frontend: str = _setting(
        "SERVE_FRONTEND",
        "asgi",
        one_of("asgi", "flask"),
        "HTTP front end: `asgi` handles pings and invocations itself and passes other requests "
        "to Flask; `flask` handles all requests in Flask",
    )
    fast_path: bool = _setting(
        "SERVE_FAST_PATH",
        True,
        parse_boolean,
        "`asgi` only: respond to a short request without gunicorn's parser if it arrives in one "
        "piece; no response depends on this",
    )
    log_level: int = _setting(
        "SAGEMAKER_CONTAINER_LOG_LEVEL",
        logging.INFO,
        parse_log_level,
        "minimum log level: a name or a number",
    )

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Self:
        """Return the settings in the environment; an empty variable counts as unset.

        Raises BadSetting, with the variables' names, for invalid values, for unknown SERVE_
        variables, and for user code.
        """
        reject_unknown_variables(env, VARIABLES)
        reject_user_code(env)
        values: dict[str, Any] = {}
        errors = []
        for setting in fields(cls):
            variable = setting.metadata["variable"]
            text = env.get(variable, "").strip()
            try:
                if text:
                    reject_quotes(text)
                    values[setting.name] = setting.metadata["parse"](text)
            except ValueError as error:
                errors.append(f"{variable}={quoted(text)}: {error}")
        if errors:
            raise BadSetting("; ".join(errors))
        return cls(**values)

    @property
    def max_payload_bytes(self) -> float:
        """The maximum payload size in bytes; infinity if unlimited."""
        if self.max_payload_mib is not None:
            return self.max_payload_mib * MIB or math.inf
        return self.max_content_length or DEFAULT_MAX_PAYLOAD_BYTES

    @property
    def limits(self) -> Limits:
        """The limits on the records of a request and on its response; infinity if unlimited."""
        response_mib = self.max_response_mib
        if response_mib is None:
            response_mib = DEFAULT_MAX_RESPONSE_MIB
        return Limits(self.max_records or math.inf, response_mib * MIB or math.inf)


VARIABLES = frozenset(setting.metadata["variable"] for setting in fields(Settings))


def find_ineffective_variables(env: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Map each variable of another image that changes that image's behavior to the reason.

    The reason is why it has no effect here, or the setting to use instead.
    """
    return explain_ineffective(env)


def suggest_settings(env: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Map each unknown variable that resembles a setting to the variable of that setting."""
    return suggest_variables(env, VARIABLES)
