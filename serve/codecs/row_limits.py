"""Row limits: reject a row that is far larger than a row of the model, before it is parsed.

Parsing a single row blocks other threads, and needs up to 75 times its size in memory.
"""

from serve.diagnosis.file_types import find_binary_hint
from serve.diagnosis.line_forms import MAX_CHARACTERS, find_form_hint
from serve.diagnosis.lines import find_joined_lines_hint
from serve.errors import MalformedPayload, SchemaMismatch
from serve.schema.schema import Schema
from serve.text import counted, with_hint

# Rows up to this size, and with at most this many values, are parsed, whatever they contain.
SMALL_ROW_BYTES = 1 << 20
BYTES_PER_COLUMN = 1 << 10
# A row of JSON or quoted CSV may contain commas that do not separate its values.
SEPARATORS_PER_COLUMN = 4


def compute_max_row_bytes(width: int) -> int:
    """Return the maximum size of a row of ``width`` columns."""
    return SMALL_ROW_BYTES + BYTES_PER_COLUMN * width


def compute_max_separators(width: int) -> int:
    """Return the maximum number of separators in a row of ``width`` columns."""
    return max(SMALL_ROW_BYTES, SEPARATORS_PER_COLUMN * width)


def describe_long_row(row: int, width: int) -> str:
    """Return the message for a row that is too long."""
    max_bytes = compute_max_row_bytes(width)
    return f"row {row}: expected at most {max_bytes:,} bytes for {counted(width, 'column')}"


def check_last_line(
    lines: bytes, first_row: int, schema: Schema, delimiter: bytes | None = None
) -> None:
    """Raise SchemaMismatch or MalformedPayload if the last of the lines is too long or too wide.

    Slices of lines end with the first line that exceeds their size, so only that line can be long.
    ``delimiter`` is that of CSV, or None for JSON Lines.
    """
    if len(lines) <= SMALL_ROW_BYTES:
        return
    start = lines.rfind(b"\n") + 1
    if len(lines) - start > SMALL_ROW_BYTES:
        check_long_line(lines[start:], first_row + lines.count(b"\n"), schema, delimiter)


def check_long_line(line: bytes, row: int, schema: Schema, delimiter: bytes | None = None) -> None:
    """Raise SchemaMismatch or MalformedPayload if a line is too long or too wide."""
    separator_count = line.count(delimiter or b",")
    is_wide = separator_count > compute_max_separators(schema.width)
    if not is_wide and len(line) <= compute_max_row_bytes(schema.width):
        return
    hint = ""
    if delimiter is not None:
        start = line[:MAX_CHARACTERS]
        hint = find_binary_hint(start) or find_form_hint(start.decode("latin-1").split(","))
    width = separator_count + 1
    if width == schema.width or not _is_flat(line):
        raise MalformedPayload(with_hint(describe_long_row(row, schema.width), hint))
    if delimiter is not None and row == 1:
        hint = hint or find_joined_lines_hint(width, schema.width)
    raise SchemaMismatch(with_hint(schema.describe_width_mismatch(row, width), hint))


def _is_flat(line: bytes) -> bool:
    """Return whether the commas in a line separate its values: it has no strings and no nesting."""
    return b'"' not in line and b"{" not in line and b"[" not in line[1:]
