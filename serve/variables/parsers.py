"""Parse environment variables; each parser raises ValueError with the values it expects."""

import logging
from collections.abc import Callable

from serve.errors import NotAcceptable
from serve.media.accept import check_accept_parameters
from serve.media.types import RESPONSE_TYPES, MediaType, parse_media_type
from serve.text import listed

MAX_DIGITS = 18  # more than any setting needs; int() rejects thousands of digits
QUOTES = "\"'"
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


def reject_quotes(text: str) -> None:
    """Reject a value in quotes, which Docker's --env-file and Kubernetes do not remove."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in QUOTES:
        raise ValueError("remove the quotes around the value")


def integer_between(minimum: int, maximum: int) -> Callable[[str], int]:
    """Return a parser of whole numbers from ``minimum`` to ``maximum``."""

    def parse(text: str) -> int:
        is_whole = text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS
        if not (is_whole and minimum <= int(text) <= maximum):
            raise ValueError(f"expected a whole number from {minimum:,} to {maximum:,}")
        return int(text)

    return parse


def one_of(*choices: str) -> Callable[[str], str]:
    """Return a case-insensitive parser of the choices, which are in lower case."""

    def parse(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError(f"expected one of {listed(choices)}")
        return text.lower()

    return parse


def parse_boolean(text: str) -> bool:
    if text.lower() not in BOOLEANS:
        raise ValueError(f"expected one of {listed(BOOLEANS)}")
    return BOOLEANS[text.lower()]


def parse_unsupported_multi_model(text: str) -> bool:
    """Accept only false, until multi-model endpoints are supported."""
    if parse_boolean(text):
        raise ValueError(
            "multi-model endpoints are not supported yet; unset the variable to serve one model"
        )
    return False


def parse_default_accept(text: str) -> MediaType:
    """Return one media type of a response with its parameters, as Accept would contain it."""
    media_type = parse_media_type(text)
    if media_type.name not in RESPONSE_TYPES:
        raise ValueError(f"expected one of {listed(RESPONSE_TYPES)}, with or without parameters")
    try:
        check_accept_parameters(text)
    except NotAcceptable as error:
        raise ValueError(str(error)) from error
    return media_type


def parse_log_level(text: str) -> int:
    """Return the log level that a text gives by number or by name, such as INFO."""
    levels = logging.getLevelNamesMapping()
    is_number = text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS
    level = int(text) if is_number else levels.get(text.upper())
    if level is None:
        raise ValueError(f"expected a number or one of {listed(levels)}")
    return level
