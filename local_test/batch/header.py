"""The header: a first line of names, and whether rows without it would be read as it says."""

import csv
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import requests
from werkzeug.http import parse_options_header

from local_test.batch.source import reading
from serve.media_types import DELIMITERS
from serve.text import is_number

# How much of the first two lines tells whether the first is a header.
HEAD_BYTES = 1 << 20
ANSWER_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Header:
    """A first line of names, the record below it, and what becomes of the names: drop, repeat or send."""

    line: bytes
    record: bytes
    fate: str = ""


def header_of(path: Path, media_type: str) -> Header | None:
    """Return the first line of CSV if it seems to be a header: no number in it, and numbers in the line below."""
    delimiter = _delimiter(media_type)
    with reading(path) as source:
        lines = source.lines(HEAD_BYTES)
        first, second = next(lines, b""), next(lines, b"")
    cells = _cells(first, delimiter)
    seems = (
        cells and not any(map(is_number, cells)) and any(map(is_number, _cells(second, delimiter)))
    )
    return Header(first, second) if seems else None


def first_difference(header: Header, url: str, media_type: str) -> str | None:
    """Return the first column whose name is not the container's own: "" if all are, None if it does not tell its names."""
    # The first record is read by the names, in any order; or by a model that knows none, as the job would send it.
    expected = _names(url, header.line + header.record, f"{media_type}; header=present")
    if not expected:
        expected = _names(url, header.record, f"{media_type}; header=absent")
        if expected == [f"f{place}" for place in range(len(expected))]:
            return "" if expected else None
    sent = [name.strip() for name in _cells(header.line, _delimiter(media_type) or ",")]
    for place, (name, wanted) in enumerate(zip_longest(sent, expected), 1):
        if name is None or wanted is None or name != wanted.strip():
            return f"column {place}: expected {_quoted(wanted)}, got {_quoted(name)}"
    return ""


def _names(url: str, body: bytes, content_type: str) -> list[str]:
    """Return the features' names in the model's order, which explanations have; none if the container does not tell them."""
    headers = {"Content-Type": content_type, "Accept": "application/json; explain=contributions"}
    try:
        response = requests.post(
            f"{url}/invocations", body, headers=headers, timeout=ANSWER_SECONDS
        )
        return list(response.json()["predictions"][0]["contributions"])
    except (
        requests.RequestException,
        LookupError,
        TypeError,
    ):  # it refuses, or is another container than this project's
        return []


def _quoted(name: str | None) -> str:
    return "none" if name is None else f'"{name}"'


def _delimiter(media_type: str) -> str | None:
    """Return the character that a media type names, None if it names none that separates columns."""
    told = parse_options_header(media_type)[1].get("delimiter", "")
    delimiter = DELIMITERS.get(told.lower(), told)
    return delimiter if len(delimiter) == 1 else None


def _cells(line: bytes, delimiter: str | None) -> list[str]:
    """Return the cells of a line, of one whose delimiter is not known by the usual ones."""
    text = (
        line.decode("utf-8", "replace").removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}").rstrip("\r\n")
    )
    if delimiter is None:
        text = text.replace(";", ",").replace("\t", ",").replace("|", ",")
    try:
        return next(csv.reader([text], delimiter=delimiter or ","), [])
    except (
        csv.Error,
        ValueError,
    ):  # a cell longer than the module takes, or what it does not take for a delimiter
        return []
