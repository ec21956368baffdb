"""The parameters of Accept: explanations, outputs, cells and streams."""

from collections.abc import Mapping

from serve.errors import NotAcceptable
from serve.media.parameters import find_problem
from serve.media.types import (
    ACCEPT_PARAMETERS,
    CELLS,
    EXPLAIN,
    OUTPUTS,
    STREAM,
    TOP,
    parse_media_type,
    split_accept,
)
from serve.output_keys import OUTPUT_KEYS, parse_output_keys
from serve.text import listed, quoted

HINTS = {
    **dict.fromkeys(OUTPUT_KEYS, "join several outputs with +, such as outputs=class+probability"),
    "threshold": 'the threshold is declared in schema.json, in "prediction"',
}


def check_accept_parameters(header: str | None) -> None:
    """Raise NotAcceptable for an entry of Accept that is not a media range.

    Raise it also for a misspelled, repeated or invalid parameter of any entry.
    """
    if not header or not (";" in header or "," in header):
        return
    for entry in split_accept(header):
        _check_is_media_range(entry)
        if problem := find_problem(entry, ACCEPT_PARAMETERS, HINTS):
            raise NotAcceptable(f"Accept: {problem}")
        parameters = parse_media_type(entry).parameters
        parse_stream(parameters)
        parse_outputs(parameters)
        parse_cells(parameters)
        if TOP in parameters and EXPLAIN not in parameters:
            raise NotAcceptable(
                f"Accept: top={parameters[TOP]}: requires explain=contributions in the same entry"
            )


def parse_stream(parameters: Mapping[str, str]) -> bool:
    """Return whether the parameters of Accept request a stream; raises NotAcceptable."""
    text = parameters.get(STREAM, "false")
    if text.lower() not in ("true", "false"):
        raise NotAcceptable(f"Accept: expected stream=true or stream=false, got {quoted(text)}")
    return text.lower() == "true"


def parse_outputs(parameters: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return the output keys that the parameters of Accept select, or None if they select none.

    Raises NotAcceptable for an unknown key.
    """
    if OUTPUTS not in parameters:
        return None
    try:
        return parse_output_keys(parameters[OUTPUTS])
    except ValueError as error:
        keys = listed(OUTPUT_KEYS)
        message = str(error) if keys in str(error) else f"{error} expected {keys}"
        raise NotAcceptable(f"Accept: outputs={quoted(parameters[OUTPUTS])}: {message}") from error


def parse_cells(parameters: Mapping[str, str]) -> bool:
    """Return whether the parameters of Accept request a cell per value; raises NotAcceptable."""
    text = parameters.get(CELLS, "flat")
    if text.lower() != "flat":
        raise NotAcceptable(f"Accept: expected cells=flat, got {quoted(text)}")
    return CELLS in parameters


def _check_is_media_range(entry: str) -> None:
    """Raise NotAcceptable for an entry without a slash, such as a key after an unquoted comma.

    Java's HttpURLConnection sends ``*`` for ``*/*``.
    """
    name = entry.partition(";")[0].strip()
    if "/" not in name and name not in ("", "*"):
        raise NotAcceptable(
            f"Accept: {quoted(name)} is not a media type; join several values with +, "
            f'or quote them, such as outputs="class,probabilities"; the keys of outputs are '
            f"{listed(OUTPUT_KEYS)}"
        )
