"""Charset: the parameter ``charset`` of Content-Type, and payloads that are not UTF-8."""

from collections.abc import Mapping

from serve.errors import SENT, MalformedPayload, UnsupportedMediaType
from serve.media.parameters import CHARSET
from serve.text import quoted

UTF_8 = "utf-8"
# ASCII is a subset of UTF-8.
CODEC_BY_CHARSET = {
    "utf-8": UTF_8,
    "utf8": UTF_8,
    "us-ascii": UTF_8,
    "ascii": UTF_8,
    "iso-8859-1": "latin-1",
    "latin-1": "latin-1",
    "latin1": "latin-1",
    "iso-8859-15": "iso-8859-15",
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
}
DOCUMENTED_CHARSETS = ("utf-8", "iso-8859-1", "iso-8859-15", "windows-1252", "utf-16")


def find_charset(parameters: Mapping[str, str]) -> str:
    """Return Python's name of the charset in the parameters, UTF-8 if there is none.

    Raises UnsupportedMediaType.
    """
    charset = parameters.get(CHARSET, UTF_8)
    codec = CODEC_BY_CHARSET.get(charset.lower())
    if codec is None:
        raise UnsupportedMediaType(
            f"Content-Type: unsupported charset {quoted(charset)}: "
            f"expected {', '.join(DOCUMENTED_CHARSETS)}"
        )
    return codec


def transcode(payload: bytes, charset: str) -> bytes:
    """Return the payload, of the charset that ``find_charset`` returned, as UTF-8.

    Raises MalformedPayload if the payload is invalid in its charset.
    """
    if charset == UTF_8 or (payload.isascii() and not charset.startswith("utf-16")):
        return payload
    try:
        return payload.decode(charset).encode()
    except UnicodeError as error:
        raise MalformedPayload(f"expected text in {charset}: {SENT}", str(error)) from error
