"""Read text/csv strictly, with Python's own csv module."""

import csv
import io
from collections.abc import Sequence

from tests.adversary.columns import Invalid, read_row
from tests.adversary.models import Model
from tests.adversary.readers.rows import Rows, decode_text, find_order, normalize_line_endings

DELIMITERS = {"": ",", "comma": ",", "tab": "\t", "semicolon": ";", "pipe": "|", "space": " "}


def read_csv(body: bytes, parameters: dict[str, str], model: Model) -> Rows:
    """Return the records of CSV; raises Invalid."""
    name = parameters.get("delimiter", "")
    delimiter = DELIMITERS.get(name.lower(), name)
    row_errors = "row_errors" in parameters
    text = decode_text(body, keep_invalid=row_errors)
    lines = _split_lines(text, delimiter) if row_errors else _parse(text, delimiter)
    order = _read_header(lines, parameters, model)
    has_header = order is not None
    is_declared = parameters.get("header", "").lower() == "present"
    _strip_end(lines, len(model.columns))
    records = lines[1:] if has_header else lines
    if not records and not is_declared:
        raise Invalid("no record")
    rows: Rows = []
    for cells in records:
        try:
            rows.append(_read_cells(cells, order, model))
        except Invalid:
            if not row_errors:
                raise
            rows.append(None)
    return rows


def _parse(text: str, delimiter: str) -> list[list[str]]:
    """Return the cells of all lines; a blank line is an empty list."""
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except (csv.Error, TypeError) as error:
        raise Invalid(str(error)) from error


def _split_lines(text: str, delimiter: str) -> list[list[str]]:
    """Return the cells of each line by itself; of an invalid line, none that fit any model."""
    lines = normalize_line_endings(text).removesuffix("\n").split("\n")
    return [_parse_line(line, delimiter) for line in lines]


def _parse_line(line: str, delimiter: str) -> list[str]:
    try:
        parsed = _parse(line, delimiter)
    except Invalid:
        return [line] * 1000
    return parsed[0] if parsed else []


def _strip_end(lines: list[list[str]], width: int) -> None:
    """Remove trailing blank lines, which are records only if there is one column."""
    while width > 1 and lines and len(lines[-1]) <= 1 and not "".join(lines[-1]).strip(" \t\r\n"):
        lines.pop()


def _read_header(
    lines: Sequence[Sequence[str]], parameters: dict[str, str], model: Model
) -> list[int] | None:
    """Return the position of each column, or None if the first line is a record."""
    declared = parameters.get("header", "").lower()
    if declared not in ("", "present", "absent"):
        raise Invalid(f"header={declared}")
    if declared == "absent" or not lines:
        return None
    try:
        order = find_order(lines[0], model.names)
    except Invalid:
        if declared == "present":
            raise
        return None
    if declared == "present":
        return order
    try:
        read_row(model.columns, lines[0], textual=True)
    except Invalid:
        return order
    return None


def _read_cells(cells: Sequence[str], order: list[int] | None, model: Model) -> list[float]:
    width = len(model.columns)
    if not cells and width == 1:
        cells = [""]
    if len(cells) != width:
        raise Invalid(f"{len(cells)} cells")
    ordered = cells if order is None else [cells[position] for position in order]
    return read_row(model.columns, ordered, textual=True)
