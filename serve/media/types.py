"""Media types, and how Content-Type and Accept name them.

Source: RFC 9110, sections 8.3 and 12.5.1.
"""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from werkzeug.http import parse_list_header, parse_options_header

CSV = "text/csv"
JSON = "application/json"
JSON_LINES = "application/jsonlines"
LIBSVM = "text/libsvm"
RECORDIO = "application/x-recordio-protobuf"
NPY = "application/x-npy"

# The media types of a response, in the server's order of preference.
RESPONSE_TYPES = (CSV, JSON, JSON_LINES, RECORDIO, NPY)
# The media type of a file, by its suffix.
SUFFIXES = {".csv": CSV, ".json": JSON, ".jsonl": JSON_LINES}

# The delimiters of text/csv by name. A header value cannot contain a tab; a quoted \t is read as t.
DELIMITERS = {
    "comma": ",",
    "tab": "\t",
    "\\t": "\t",
    "t": "\t",
    "semicolon": ";",
    "pipe": "|",
    "space": " ",
}

# Other names that a Content-Type may use: those in AWS's XGBoost image, and those for JSON Lines,
# which is not a registered media type.
ALIASES = {
    "csv": CSV,
    "libsvm": LIBSVM,
    "text/x-libsvm": LIBSVM,
    "recordio-protobuf": RECORDIO,
    "application/jsonl": JSON_LINES,
    "application/x-jsonlines": JSON_LINES,
    "application/ndjson": JSON_LINES,
    "application/x-ndjson": JSON_LINES,
}

# The parameters that an Accept header may use to shape the response.
EXPLAIN, TOP, STREAM, OUTPUTS, CELLS = "explain", "top", "stream", "outputs", "cells"
ACCEPT_PARAMETERS = (EXPLAIN, TOP, STREAM, OUTPUTS, CELLS)

# Without the alternative, a text of many escaped quotes would take quadratic time.
QUOTED_STRING = re.compile(r'"(?:[^"\\]|\\.)*(?:"|(?P<unterminated>\\?\Z))')
PARAMETER = re.compile(r";\s*([\w-]+)=")


class MediaType(NamedTuple):
    """A media type in lower case, and its parameters."""

    name: str
    parameters: Mapping[str, str] = MappingProxyType({})


class _Range(NamedTuple):
    """One entry of an Accept header, such as ``text/*;q=0.5``."""

    name: str
    quality: float
    parameters: Mapping[str, str] = MappingProxyType({})

    @property
    def specificity(self) -> int:
        return 2 - self.name.count("*")

    @property
    def leaves_choice(self) -> bool:
        """Whether the range leaves both the media type and its parameters open."""
        return "*" in self.name and not self.parameters.keys() & set(ACCEPT_PARAMETERS)

    def matches(self, name: str) -> bool:
        kind, _, subtype = self.name.partition("/")
        return self.name in ("*/*", name) or (subtype == "*" and name.startswith(f"{kind}/"))


def parse_content_type(header: str | None) -> MediaType:
    """Parse a Content-Type header; a missing or empty header means CSV (contract 3.6).

    A parameter whose value is not a token, such as ``delimiter=;``, has an empty value.
    """
    if not header or not header.strip():
        return MediaType(CSV)
    name, parameters = parse_media_type(header)
    return MediaType(ALIASES.get(name, name), parameters)


def parse_media_type(text: str) -> MediaType:
    """Parse a media type that is not an alias, with its parameters."""
    text = "=".join(part.strip(" \t") for part in text.split("="))
    name, parameters = parse_options_header(text)
    return MediaType(name.strip().lower(), _collect_parameters(text, parameters))


def remove_quoted(text: str) -> str:
    """Return a header's value with the content of its quoted strings removed."""

    def replace(match: re.Match[str]) -> str:
        return '""' if match["unterminated"] is None else match[0]

    return QUOTED_STRING.sub(replace, text)


def split_accept(header: str | None) -> list[str]:
    """Return the entries of an Accept header, each a media range with its parameters."""
    return parse_list_header(header or "")


def negotiate(header: str | None, default: MediaType, offers: Sequence[str]) -> MediaType | None:
    """Return the offer that an Accept header prefers, with the parameters of the matching entry.

    ``default`` is the most preferred offer. Its parameters apply if the matching entry is a range,
    such as ``*/*``, that has none of ACCEPT_PARAMETERS. The other ``offers`` are in the server's
    order of preference, which decides between offers of equal quality. Return None if the header
    allows none of the offers.
    """
    ranges = [_parse_range(entry) for entry in split_accept(header)]
    ranges = ranges or [_Range("*/*", 1.0)]
    offers = (default.name, *offers)
    closest = {offer: _find_closest_range(offer, ranges) for offer in offers}
    for media_range in sorted(ranges, key=lambda range_: (-range_.quality, -range_.specificity)):
        for offer in offers:
            if closest[offer] == media_range and media_range.quality > 0:
                is_open = offer == default.name and media_range.leaves_choice
                return default if is_open else MediaType(offer, media_range.parameters)
    return None


def _find_closest_range(offer: str, ranges: Sequence[_Range]) -> _Range | None:
    """Return the most specific range that matches an offer; its quality applies to the offer."""
    matching = [media_range for media_range in ranges if media_range.matches(offer)]
    return max(matching, key=lambda media_range: media_range.specificity, default=None)


def _parse_range(entry: str) -> _Range:
    name, parameters = parse_media_type(entry)
    try:
        quality = float(parameters.get("q", "1"))
    except ValueError:
        quality = 0.0
    return _Range(name, quality, parameters)


def _collect_parameters(header: str, parsed: Mapping[str, str]) -> Mapping[str, str]:
    """Return the parsed parameters, and an empty value for each one that could not be parsed."""
    empty = {name.lower(): "" for name in PARAMETER.findall(remove_quoted(header))}
    return MappingProxyType({**empty, **parsed})
