"""Media types as HTTP names them in Content-Type and Accept.

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

# The types that a response can have, in the order of preference.
RESPONSE_TYPES = (CSV, JSON, JSON_LINES, RECORDIO, NPY)
# The types of files by their suffix.
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

# What else a Content-Type may call them.
ALIASES = {"csv": CSV, "text/x-libsvm": LIBSVM, "libsvm": LIBSVM}

SPACED_EQUALS = re.compile(r"[ \t]*=[ \t]*")
PARAMETER = re.compile(r";\s*([\w-]+)=")


class MediaType(NamedTuple):
    """A media type in lower case, and its parameters."""

    name: str
    parameters: Mapping[str, str] = MappingProxyType({})


class _Range(NamedTuple):
    """One entry of Accept, such as ``text/*;q=0.5``."""

    name: str
    quality: float
    parameters: Mapping[str, str] = MappingProxyType({})

    @property
    def specificity(self) -> int:
        return 2 - self.name.count("*")

    def covers(self, name: str) -> bool:
        kind, _, subtype = self.name.partition("/")
        return self.name in ("*/*", name) or (subtype == "*" and name.startswith(f"{kind}/"))


def content_type(header: str | None) -> MediaType:
    """Return what a Content-Type header says; without one, CSV (contract 3.6).

    A parameter whose value is no token, such as ``delimiter=;``, is there with an empty value.
    """
    if not header or not header.strip():
        return MediaType(CSV)
    header = SPACED_EQUALS.sub("=", header)
    name, parameters = parse_options_header(header)
    unread = {each.lower(): "" for each in PARAMETER.findall(header)}
    name = name.strip().lower()
    return MediaType(ALIASES.get(name, name), MappingProxyType({**unread, **parameters}))


def acceptable(header: str | None, offers: Sequence[str]) -> MediaType | None:
    """Return the offer that an Accept header likes best, with the parameters of the entry that allows it; None without one.

    ``offers`` come in the server's order of preference, which decides where the header leaves the choice open.
    """
    ranges = [_range(entry) for entry in parse_list_header(header or "")] or [_Range("*/*", 1.0)]
    best = {
        offer: max(
            (each for each in ranges if each.covers(offer)),
            key=lambda each: each.specificity,
            default=None,
        )
        for offer in offers
    }
    for each in sorted(ranges, key=lambda each: (-each.quality, -each.specificity)):
        for offer in offers:
            if best[offer] == each and each.quality > 0:
                return MediaType(offer, each.parameters)
    return None


def _range(entry: str) -> _Range:
    name, parameters = parse_options_header(entry)
    try:
        quality = float(parameters.get("q", "1"))
    except ValueError:
        quality = 0.0
    unread = {each.lower(): "" for each in PARAMETER.findall(entry)}
    return _Range(name.strip().lower(), quality, MappingProxyType({**unread, **parameters}))
