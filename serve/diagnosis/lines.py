"""Lines: find out what a line of text with the wrong cells really is."""

from collections.abc import Sequence

from serve.diagnosis.names import describe_name_mismatch
from serve.errors import HeaderMismatch
from serve.records import Rows
from serve.text import counted, is_number, listed


def describe_width_mismatch(
    names: Sequence[str] | None, expected_width: int, row: int, width: int
) -> str:
    """Return the message for a row with the wrong number of columns."""
    columns = "" if names is None else f"; the columns are {listed(names)}"
    return f"row {row}: expected {counted(expected_width, 'column')}, got {width:,}{columns}"


def check_for_header(names: Sequence[str] | None, rows: Rows) -> None:
    """Raise HeaderMismatch if the first line looks like a header whose names do not match."""
    if not rows.textual or rows.names is not None or rows.first_row != 1 or names is None:
        return
    cells = [str(cell).strip() for cell in rows.cells[0]]
    known_count = sum(cell in names for cell in cells)
    if 2 * known_count > len(cells) and sorted(cells) != sorted(names):
        raise HeaderMismatch(*describe_name_mismatch(cells, names, "row 1 looks like a header"))


def find_joined_lines_hint(rows: Rows, expected_width: int) -> str:
    """Return a hint if a single line may consist of several lines without line breaks.

    Where two lines were joined, the last cell of one and the first cell of the next are one cell.
    """
    width = len(rows.cells[0])
    if not rows.textual or len(rows) > 1 or not 1 < expected_width < width:
        return ""
    if (width - 1) % (expected_width - 1):
        return ""
    return "curl -d removes line breaks: use --data-binary instead"


def find_line_hint(names: Sequence[str] | None, rows: Rows, row: int) -> str:
    """Return a hint if a line of text was probably not meant as a record."""
    if not rows.textual:
        return ""
    cells = [str(cell) for cell in rows.cells[row]]
    if cells[0].lstrip()[:1] in ("{", "["):
        return "send JSON with Content-Type: application/json"
    if len(cells) == 1 and any(delimiter in cells[0] for delimiter in ";\t|"):
        return (
            "if the delimiter is not a comma, send "
            'Content-Type: text/csv; delimiter=";" (or tab, pipe)'
        )
    if rows.names is not None or rows.first_row + row != 1 or any(map(is_number, cells)):
        return ""
    if names is None:
        return "if this line is a header, remove it: the model has no column names"
    return "if this line is a header, it must contain exactly the column names of the model"
