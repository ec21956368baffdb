"""Checks the media types and the environment of the container, by the server's own rules."""

import re
from collections.abc import Iterator

from deploy.config.configuration import Configuration
from deploy.config.environment import ACCEPT_VARIABLE
from serve.codecs import read_content_type
from serve.errors import BadSetting, InvocationError
from serve.http.messages import MAX_HEADER_LENGTH
from serve.settings import VARIABLES, Settings, suggest_settings
from serve.text import printable
from serve.variables.parsers import parse_default_accept

SHOWN_CHARACTERS = 60
# SageMaker mounts the artifact here, and connects to this port.
MODEL_FOLDER = "/opt/ml/model"
PORT = 8080


def check_data_format(configuration: Configuration) -> Iterator[str]:
    data_format = configuration.data_format
    for media_type in data_format.content_types:
        if not media_type.strip():
            yield 'data_format.content_types: expected a media type, such as text/csv; got ""'
            continue
        if len(media_type) > MAX_HEADER_LENGTH or not re.fullmatch(r"[ -~\t]+", media_type):
            yield (
                f"data_format.content_types: expected at most {MAX_HEADER_LENGTH:,} printable "
                f'ASCII characters; got "{printable(media_type[:SHOWN_CHARACTERS])}"'
            )
            continue
        try:
            read_content_type(media_type)
        except InvocationError as error:
            yield f"data_format.content_types: {error}"
    if not data_format.content_types:
        yield "data_format.content_types: expected at least one media type, such as text/csv"
    if not data_format.accept:
        return
    try:
        parse_default_accept(data_format.accept)
    except ValueError as error:
        yield f'data_format.accept: {error}; got "{data_format.accept[:SHOWN_CHARACTERS]}"'
    if ACCEPT_VARIABLE in data_format.environment:
        yield (
            f"data_format.accept: conflicts with {ACCEPT_VARIABLE} in "
            "data_format.environment; remove one"
        )


def check_environment(configuration: Configuration) -> Iterator[str]:
    environment = configuration.data_format.environment
    meant = suggest_settings(environment)
    for name in sorted(environment.keys() - VARIABLES):
        key = f"data_format.environment.{name[:SHOWN_CHARACTERS]}"
        if name in meant:
            yield f"{key}: unknown setting; did you mean {meant[name]}?"
        elif name.startswith("SERVE_"):  # other names may belong to other programs
            yield f"{key}: unknown setting; see docs/settings.md"
    for name in environment:
        if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]{0,1023}", name):
            yield (
                "data_format.environment: expected variable names of letters, digits and _, "
                f'not starting with a digit; got "{name[:SHOWN_CHARACTERS]}"'
            )
    yield from _check_settings(configuration)


def _check_settings(configuration: Configuration) -> Iterator[str]:
    known = {
        name: value
        for name, value in configuration.data_format.environment.items()
        if name in VARIABLES or not name.startswith("SERVE_")
    }
    try:
        settings = Settings.from_env(known)
    except BadSetting as error:
        yield f"data_format.environment: the server would not start: {error}"
        return
    key = "data_format.environment"
    if settings.port != PORT:
        yield (
            f"{key}.SAGEMAKER_BIND_TO_PORT: expected {PORT}, SageMaker's port; "
            f'got "{settings.port}"; remove the variable'
        )
    if str(settings.model_folder) != MODEL_FOLDER:
        yield (
            f"{key}.SM_MODEL_DIR: expected {MODEL_FOLDER}, where SageMaker stores the artifact; "
            f'got "{str(settings.model_folder)[:SHOWN_CHARACTERS]}"; remove the variable'
        )
