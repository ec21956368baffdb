"""Lines: find out what a line of text with the wrong cells really is."""

from collections.abc import Sequence

from serve.column_names import match_names
from serve.diagnosis.delimiters import find_delimiter_hint
from serve.diagnosis.line_forms import find_form_hint
from serve.diagnosis.names import describe_name_mismatch, is_mostly_names
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
    cells = [str(cell) for cell in rows.cells[0]]
    if is_mostly_names(cells, names) and sorted(match_names(cells, names)) != sorted(names):
        raise HeaderMismatch(*describe_name_mismatch(cells, names, "row 1 looks like a header"))


def find_width_hint(names: Sequence[str] | None, rows: Rows, row: int, expected_width: int) -> str:
    """Return a hint for a row of text with the wrong number of columns, or an empty string."""
    if not rows.textual:
        return ""
    if hint := find_line_hint(names, rows, row, expected_width):
        return hint
    if expected_width > 1 and {len(cells) for cells in rows.cells} == {expected_width + 1}:
        return _find_additional_column_hint(rows)
    return find_joined_lines_hint(len(rows.cells[0]), expected_width) if len(rows) == 1 else ""


def find_line_hint(
    names: Sequence[str] | None, rows: Rows, row: int, expected_width: int, cell_hint: str = ""
) -> str:
    """Return what a row of text really is, or the hint for one of its cells, or an empty string."""
    if not rows.textual:
        return cell_hint
    cells = [str(cell) for cell in rows.cells[row]]
    is_first_line = rows.names is None and rows.first_row + row == 1
    return (
        find_form_hint(cells)
        or _find_delimiter_hint(cells, expected_width)
        or _find_own_names_hint(names, cells, is_first_line=is_first_line)
        or cell_hint
        or (_find_header_hint(names, cells) if is_first_line else "")
    )


def _find_delimiter_hint(cells: Sequence[str], expected_width: int) -> str:
    if len(cells) > 1 and not any(mark in cell for cell in cells for mark in ";\t|"):
        return ""
    return find_delimiter_hint(",".join(cells), expected_width)


def _find_own_names_hint(
    names: Sequence[str] | None, cells: Sequence[str], *, is_first_line: bool
) -> str:
    """Return a hint if the cells are the model's column names."""
    if names is None or sorted(match_names(cells, names)) != sorted(names):
        return ""
    if is_first_line:
        return "this line is a header: send Content-Type: text/csv; header=present"
    return "this line repeats the header: remove it"


def _find_header_hint(names: Sequence[str] | None, cells: Sequence[str]) -> str:
    if any(map(is_number, cells)) or not any(cell.strip() for cell in cells):
        return ""
    if names is None:
        return "if this line is a header, remove it: the model has no column names"
    hint = "if this line is a header, it must contain exactly the column names of the model"
    _, _, spelling = describe_name_mismatch(cells, names, "")[0].rpartition("; ")
    return f"{hint}; {spelling}" if spelling.startswith("did you mean") else hint


def _find_additional_column_hint(rows: Rows) -> str:
    """Return a hint for lines of which every one has one column too many."""
    first, last = ([str(cells[index]).strip() for cells in rows.cells] for index in (0, -1))
    if not any(last):
        return "remove the comma at the end of each line"
    indices = range(len(rows))
    if len(rows) > 1 and first in ([str(n) for n in indices], [str(n + 1) for n in indices]):
        return "remove the index column, as with to_csv(index=False)"
    return "remove the additional column, such as the label or an index"


def find_joined_lines_hint(width: int, expected_width: int) -> str:
    """Return a hint if a single line of a payload may be several lines without line breaks.

    Where two lines were joined, the last cell of one and the first cell of the next are one cell.
    """
    if not 1 < expected_width < width:
        return ""
    if (width - 1) % (expected_width - 1):
        return ""
    return "curl -d removes line breaks: use --data-binary instead"
