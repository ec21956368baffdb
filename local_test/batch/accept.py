"""The Accept header of a job: its media type, and the outputs that it selects."""

import re

from local_test.batch.errors import JobFailed
from serve.media.types import CSV, JSON_LINES, parse_content_type, parse_media_type

ANY = "*/*"
SEPARATORS = re.compile(r"[+,\s]+")


def build_accept(
    accept: str | None, outputs: str | None, content_type: str, *, join: bool
) -> str | None:
    """Return the Accept header, or None if the job leaves the choice to the container.

    Args:
        accept: the header as the job sets it.
        outputs: the keys of the outputs, separated by ``+`` or commas.
        content_type: the media type of the input.
        join: whether predictions are added to the input, which requires their names.

    Raises:
        JobFailed: the input or the header is of a media type that cannot be joined.
    """
    if join:
        accept = _accept_names(accept, content_type)
    if not outputs:
        return accept
    keys = "+".join(filter(None, SEPARATORS.split(outputs)))
    return f"{accept or ANY}; outputs={keys}"


def _accept_names(accept: str | None, content_type: str) -> str:
    """Return an Accept header of JSON Lines, which names each output."""
    name = parse_content_type(content_type).name
    if name not in (CSV, JSON_LINES):
        raise JobFailed(f"JOIN=yes (--join): expected {CSV} or {JSON_LINES}, got {name}")
    if accept and parse_media_type(accept).name != JSON_LINES:
        raise JobFailed(
            f"JOIN=yes (--join): the output has the format of the input: remove ACCEPT={accept}, "
            f"or set ACCEPT='{JSON_LINES}' with parameters"
        )
    return accept or JSON_LINES
