"""Content negotiation: the media types of a payload and its response.

Source: contract 3.5, 3.6; RFC 9110, section 12.
"""

from typing import NamedTuple

from serve.codecs import CODECS, LINE_CODECS, choose_charset, read_content_type
from serve.errors import NotAcceptable
from serve.media.accept import check_accept_parameters, parse_stream
from serve.media.types import CSV, JSON, JSON_LINES, MediaType, negotiate, parse_content_type
from serve.media.unsupported import describe_accept
from serve.settings import Settings


class Terms(NamedTuple):
    """The media types of a payload and its response, and how the response may be sent.

    ``charset`` is Python's name of the payload's encoding.
    """

    media_type: MediaType
    charset: str
    accept: MediaType
    streamable: bool
    row_errors: bool


def negotiate_terms(
    settings: Settings, content_type: str | None, accept_header: str | None
) -> Terms:
    """Return the media types of the payload and the response.

    If Accept leaves the choice open, the response has the default media type of the settings.
    Without a default, it is JSON for JSON, JSON Lines for JSON Lines, and CSV otherwise.
    Raises NotAcceptable, UnsupportedMediaType and MalformedPayload.
    """
    sent_type = parse_content_type(content_type).name
    fallback_type = sent_type if sent_type in (JSON, JSON_LINES) else CSV
    default = settings.default_accept or MediaType(fallback_type)
    accept = negotiate(accept_header, default, tuple(CODECS))
    if accept is None:
        raise NotAcceptable(describe_accept(accept_header, list(CODECS)))
    check_accept_parameters(accept_header)
    media_type = read_content_type(content_type)
    is_line_based = accept.name in LINE_CODECS
    return Terms(
        media_type,
        choose_charset(media_type),
        accept,
        streamable=is_line_based and (settings.streaming or parse_stream(accept.parameters)),
        row_errors=is_line_based and settings.row_errors and media_type.name in LINE_CODECS,
    )
