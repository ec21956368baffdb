"""The input's header line: how it is detected, and whether its columns match the model's."""

import csv
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

import requests
from werkzeug.http import parse_options_header

from local_test.batch.errors import JobFailed
from local_test.batch.input_file import open_input
from serve.column_names import match_names
from serve.media_types import DELIMITERS
from serve.text import is_number, quoted

# The part of the first two lines that decides whether the first is a header.
MAX_LINE_BYTES = 1 << 20
TIMEOUT_SECONDS = 60
BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
MODES = ("drop", "repeat", "send")


class NamesUnavailable(Exception):
    """The container does not report the names of the model's features."""


@dataclass(frozen=True, slots=True)
class Header:
    """The header line, the record below it, and the mode: drop, repeat or send."""

    line: bytes
    first_record: bytes
    mode: str = ""


def read_header(path: Path, media_type: str, mode: str | None) -> Header | None:
    """Return the header of a file with the mode to apply, or None if the file has no header.

    Raises:
        JobFailed: the file has a header but no mode is set, or the other way around.
    """
    header = None
    if media_type.startswith(("text/csv", "csv")):
        header = _detect_header(path, media_type)
    if header is None:
        if mode:
            raise JobFailed(
                f"HEADER={mode} (--header {mode}): the first line of {path} is not a header"
            )
        return None
    if mode is None:
        line = header.line.decode("utf-8", "replace").strip()
        raise JobFailed(
            f"the first line of {path} looks like a header: {quoted(line)}. SageMaker would send "
            "it in the first payload only. Set HEADER=drop (--header drop) to remove it, if the "
            "columns are in the model's order; HEADER=repeat (--header repeat) to send it in every "
            "payload, which SageMaker cannot do; or HEADER=send (--header send) to send it as "
            "SageMaker does"
        )
    return replace(header, mode=mode)


def declare_header(header: Header, media_type: str) -> str:
    """Return the media type of the payloads, with header=present if each starts with the header."""
    if header.mode == "repeat" and "header=" not in media_type:
        return f"{media_type}; header=present"
    return media_type


def check_column_order(
    header: Header, url: str, media_type: str, warn: Callable[[str], None]
) -> None:
    """Check that payloads without the header have the model's columns, in the model's order.

    Raises:
        JobFailed: they do not, and the header is dropped.
    """
    if header.mode == "repeat":
        return
    try:
        mismatch = _find_mismatch(header, url, media_type)
    except NamesUnavailable:
        warn("column names not checked: the container does not report the model's feature names")
        return
    if mismatch is None:
        return
    if header.mode == "drop":
        raise JobFailed(
            f"the columns do not match the model's: {mismatch}; reorder the columns, "
            "or set HEADER=repeat (--header repeat) to match them by name"
        )
    warn(
        "all payloads except the first will be misread: "
        f"their columns do not match the model's: {mismatch}"
    )


def _detect_header(path: Path, media_type: str) -> Header | None:
    """Return the first line of CSV if it has no number and the second line has one."""
    delimiter = _read_delimiter(media_type)
    with open_input(path) as input_file:
        lines = input_file.lines(MAX_LINE_BYTES)
        first, second = next(lines, b""), next(lines, b"")
    names, values = _split_cells(first, delimiter), _split_cells(second, delimiter)
    is_header = bool(names) and not any(map(is_number, names)) and any(map(is_number, values))
    return Header(first, second) if is_header else None


def _find_mismatch(header: Header, url: str, media_type: str) -> str | None:
    """Return a description of the first column whose name does not match, or None if all match.

    Raises:
        NamesUnavailable: the container does not report the names.
    """
    # With the header the record may have its columns in any order.
    expected = _fetch_feature_names(
        url, header.line + header.first_record, f"{media_type}; header=present"
    )
    if not expected:
        # A model without names rejects the header, and reports f0, f1, and so on.
        expected = _fetch_feature_names(url, header.first_record, f"{media_type}; header=absent")
        if not expected:
            raise NamesUnavailable
        if expected == [f"f{index}" for index in range(len(expected))]:
            return None
    names = _split_cells(header.line, _read_delimiter(media_type) or ",")
    for number, (name, feature) in enumerate(
        zip_longest(match_names(names, expected), expected), 1
    ):
        if name != feature:
            return f"column {number}: expected {_quote(feature)}, got {_quote(name)}"
    return None


def _fetch_feature_names(url: str, payload: bytes, content_type: str) -> list[str]:
    """Return the names in a record's explanation, in the model's order.

    The list is empty if the container rejects the request, or is not this project's.
    """
    headers = {"Content-Type": content_type, "Accept": "application/json; explain=contributions"}
    try:
        response = requests.post(
            f"{url}/invocations", payload, headers=headers, timeout=TIMEOUT_SECONDS
        )
        return list(response.json()["predictions"][0]["contributions"])
    except (requests.RequestException, LookupError, TypeError):
        return []


def _quote(name: str | None) -> str:
    return "no column" if name is None else quoted(name.strip())


def _read_delimiter(media_type: str) -> str | None:
    """Return the media type's delimiter, or None unless it has one of exactly one character."""
    value = parse_options_header(media_type)[1].get("delimiter", "")
    delimiter = DELIMITERS.get(value.lower(), value)
    return delimiter if len(delimiter) == 1 else None


def _split_cells(line: bytes, delimiter: str | None) -> list[str]:
    """Return the cells of a line; without a delimiter, split it at commas, ;, | and tabs."""
    text = line.decode("utf-8", "replace").removeprefix(BYTE_ORDER_MARK).rstrip("\r\n")
    if delimiter is None:
        text = text.replace(";", ",").replace("\t", ",").replace("|", ",")
    try:
        return next(csv.reader([text], delimiter=delimiter or ","), [])
    except (csv.Error, ValueError):  # a cell beyond csv's limit, or a delimiter that csv rejects
        return []
