"""The input's header line: how it is detected, and how the payloads declare it."""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local_test.batch.errors import JobFailed
from local_test.batch.input_file import open_input
from serve.column_names import MIN_NUMBERED_COLUMNS, are_numbered
from serve.media.types import CSV, DELIMITERS, MediaType, parse_content_type
from serve.text import is_number

# The lines below the header that are read in advance.
MAX_SAMPLE_RECORDS = 100
MAX_SAMPLE_BYTES = 1 << 20
BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
AUTO = "auto"
MODES = (AUTO, "drop", "repeat", "send")
HEADER_PARAMETER = re.compile(r";\s*header\s*=[^;]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Header:
    """The header line, the first records below it, and the mode: auto, drop, repeat or send.

    Unless it ``is_certain``, the line is only a header if the container knows its names.
    """

    line: bytes
    records: tuple[bytes, ...]
    mode: str
    is_certain: bool = True


def read_header(path: Path, media_type: str, mode: str = AUTO) -> Header | None:
    """Return the header of a file with the mode to apply, or None if the file has no header.

    Raises:
        JobFailed: a mode other than auto is set, and the file has no header.
    """
    parsed = parse_content_type(media_type)
    declared = parsed.parameters.get("header", "").lower()
    if parsed.name != CSV or declared == "absent":
        if mode == AUTO:
            return None
        raise JobFailed(
            f"HEADER={mode} (--header {mode}): {media_type} has no header; remove HEADER"
        )
    line, *records = _read_sample(path) or [b""]
    names = split_cells(line, read_delimiter(parsed.parameters))
    if declared == "present" or _is_header(names, records, parsed, mode):
        return Header(line, tuple(records), mode)
    if mode == AUTO:
        could_be_header = _are_texts(names) or _is_numbered(names)
        return Header(line, tuple(records), mode, is_certain=False) if could_be_header else None
    raise JobFailed(f"HEADER={mode} (--header {mode}): the first line of {path} is not a header")


def declare_header(header: Header, media_type: str) -> str:
    """Return the media type of the payloads, whose parameter ``header`` is true for each of them.

    A parameter of the input's media type is about the file, from which a header may be dropped.
    """
    if header.mode == "repeat":
        return set_header_parameter(media_type, "present")
    if header.mode == "drop" and HEADER_PARAMETER.search(media_type):
        return set_header_parameter(media_type, "absent")
    return media_type


def set_header_parameter(media_type: str, value: str) -> str:
    """Return the media type with the parameter ``header``, in place of the one it may have."""
    return f"{HEADER_PARAMETER.sub('', media_type)}; header={value}"


def read_delimiter(parameters: Mapping[str, str]) -> str | None:
    """Return a media type's delimiter, or None unless it has one of exactly one character."""
    value = parameters.get("delimiter", "")
    delimiter = DELIMITERS.get(value.lower(), value)
    return delimiter if len(delimiter) == 1 else None


def split_cells(line: bytes, delimiter: str | None) -> list[str]:
    """Return the cells of a line; without a delimiter, split it at commas, ;, | and tabs."""
    text = line.decode("utf-8", "replace").removeprefix(BYTE_ORDER_MARK).rstrip("\r\n")
    if delimiter is None:
        text = text.replace(";", ",").replace("\t", ",").replace("|", ",")
    try:
        return next(csv.reader([text], delimiter=delimiter or ","), [])
    except (csv.Error, ValueError):  # a cell beyond csv's limit, or a delimiter that csv rejects
        return []


def _read_sample(path: Path) -> list[bytes]:
    """Return the first lines of a file, without blank lines below the first."""
    sample: list[bytes] = []
    sample_bytes = 0
    with open_input(path) as input_file:
        for line in input_file.lines(MAX_SAMPLE_BYTES):
            if line.strip() or not sample:
                sample.append(line)
            sample_bytes += len(line)
            if len(sample) > MAX_SAMPLE_RECORDS or sample_bytes > MAX_SAMPLE_BYTES:
                break
    return sample


def _is_header(
    names: Sequence[str], records: Sequence[bytes], media_type: MediaType, mode: str
) -> bool:
    """Return whether the first line has names but no number, and a later line has a number.

    If a mode is set, records of text only may follow, and the names may be numbered columns.
    """
    if mode != AUTO:
        return _are_texts(names) or _is_numbered(names)
    delimiter = read_delimiter(media_type.parameters)
    return _are_texts(names) and any(
        is_number(cell) for record in records for cell in split_cells(record, delimiter)
    )


def _is_numbered(cells: Sequence[str]) -> bool:
    return len(cells) >= MIN_NUMBERED_COLUMNS and are_numbered(cells)


def _are_texts(cells: Sequence[str]) -> bool:
    return any(cell.strip() for cell in cells) and not any(map(is_number, cells))
