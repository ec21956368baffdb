"""Blank lines at the end of the input, which are not records unless the model has one column."""

from collections.abc import Iterable, Iterator

from local_test.batch.header import read_delimiter, split_cells
from serve.media.types import CSV, JSON_LINES, parse_content_type

BLANKS = b" \t\r\n"


def strip_blank_end(lines: Iterable[bytes], media_type: str) -> Iterator[bytes]:
    """Yield the lines without those blank lines at the end that are not records.

    A blank line is a record, with missing values, in CSV with one column and in libsvm. If all
    lines are blank, they are sent, because only the container knows the number of columns.
    """
    name, parameters = parse_content_type(media_type)
    delimiter = read_delimiter(parameters) or ","
    blanks = BLANKS.replace(delimiter.encode(), b"")
    blank_lines: list[bytes] = []
    has_columns = name == JSON_LINES
    last_line = b""
    for line in lines:
        if not line.strip(blanks):
            blank_lines.append(line)
            continue
        if not last_line:
            has_columns = has_columns or _has_columns(line, name, delimiter)
        yield from blank_lines
        blank_lines.clear()
        last_line = line
        yield line
    if not has_columns and not _has_columns(last_line, name, delimiter):
        yield from blank_lines


def _has_columns(line: bytes, media_type: str, delimiter: str) -> bool:
    return media_type == CSV and len(split_cells(line, delimiter)) > 1
