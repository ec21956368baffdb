"""Checks the media types and the environment of the container."""

import re
from collections.abc import Iterator

from deploy.config.configuration import Configuration
from serve.codecs import CODECS, DECODERS
from serve.settings import VARIABLES, suggest_settings

SHOWN_CHARACTERS = 60
DEFAULT_ACCEPT_VARIABLE = "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT"


def check_data_format(configuration: Configuration) -> Iterator[str]:
    data_format = configuration.data_format
    for media_type in data_format.content_types:
        if _without_parameters(media_type) not in DECODERS:
            yield (
                f"data_format.content_types: expected {', '.join(DECODERS)}; "
                f'got "{media_type[:SHOWN_CHARACTERS]}"'
            )
    if not data_format.content_types:
        yield "data_format.content_types: expected at least one media type, such as text/csv"
    accept, environment = data_format.accept, data_format.environment
    if accept and _without_parameters(accept) not in CODECS:
        yield (
            f"data_format.accept: expected one of {', '.join(CODECS)}; "
            f'got "{accept[:SHOWN_CHARACTERS]}"'
        )
    if accept and DEFAULT_ACCEPT_VARIABLE in environment:
        yield (
            f"data_format.accept: conflicts with {DEFAULT_ACCEPT_VARIABLE} in "
            "data_format.environment; remove one"
        )
    port = environment.get("SAGEMAKER_BIND_TO_PORT", "8080")
    if port != "8080":
        yield (
            "data_format.environment.SAGEMAKER_BIND_TO_PORT: expected 8080, SageMaker's port; "
            f'got "{port[:SHOWN_CHARACTERS]}"; remove the variable'
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


def _without_parameters(media_type: str) -> str:
    return media_type.partition(";")[0].strip()
