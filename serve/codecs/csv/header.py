"""CSV header: decide whether the first line of a payload is a header or a record.

A first line that could be either is rejected, because the other reading would lose a record or
predict a header.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from serve.codecs.csv.dialect import parse_header
from serve.codecs.csv.ignored import parse_ignored
from serve.codecs.lines import LINE_END, decode_text
from serve.codecs.row_limits import check_long_line, compute_max_row_bytes
from serve.column_names import MIN_NUMBERED_COLUMNS, are_numbered, match_names, strip_blanks
from serve.diagnosis.invalid_csv import explain_invalid_csv
from serve.diagnosis.names import describe_name_mismatch, is_mostly_names
from serve.errors import HeaderMismatch, SchemaMismatch
from serve.media.parameters import IGNORE
from serve.schema.schema import Schema

# What pandas writes for columns without names, alone and beside an index.
NUMBERED_HEADER_STARTS = (b"0,1,2", b'"0","1","2"', b",0,1,2", b'"","0","1","2"')


class Header(NamedTuple):
    """The names in the first line, or None if that is a record, and where the records begin."""

    names: tuple[str, ...] | None = None
    end: int = 0


NO_HEADER = Header()


def read_header(body: bytes, parameters: Mapping[str, str], schema: Schema) -> Header:
    """Return the header of a body; raises MalformedPayload and SchemaMismatch.

    The parameter ``header=present`` or ``header=absent`` decides. Without it, the first line is a
    header if it contains exactly the schema's names and could not be a record.
    """
    declared = parse_header(parameters)
    check_names(parameters, schema)
    if declared == "absent" or not (declared or _may_be_header(body, schema)):
        return NO_HEADER
    cells, end = _read_first_line(body, schema)
    if declared:
        return Header(tuple(cells), end)
    return _detect_header(cells, end, schema)


def check_names(parameters: Mapping[str, str], schema: Schema) -> None:
    """Raise SchemaMismatch if the model does not allow the header that is declared.

    It must have names, and need none of the columns that ``ignore`` names.
    """
    if parse_header(parameters) == "present" and schema.names is None:
        raise SchemaMismatch(
            "header=present: the model has no column names; "
            "send the columns in order and without a header"
        )
    if IGNORE in parameters:
        _check_ignored(parameters, schema.names or ())


def _check_ignored(parameters: Mapping[str, str], names: Sequence[str]) -> None:
    for name in match_names(parse_ignored(parameters), names):
        if name in names:
            raise SchemaMismatch(f"ignore={name}: the model needs this column")


def _detect_header(cells: Sequence[str], end: int, schema: Schema) -> Header:
    columns = cells
    if kept := schema.find_kept(cells):
        cells = [columns[index] for index in kept]
    names = schema.match_names(cells)
    if names is None and not (_is_numbered(cells, schema) or schema.could_be_header(cells)):
        return NO_HEADER
    if names is None and schema.names and is_mostly_names(cells, schema.names):
        source = "row 1 looks like a header"
        raise HeaderMismatch(*describe_name_mismatch(cells, schema.names, source))
    if names is None or schema.could_be_record(cells):
        choice = "send Content-Type: text/csv with header=present or header=absent"
        if schema.names is None:
            choice = "remove a header, or send Content-Type: text/csv; header=absent for a record"
        raise HeaderMismatch(f"the first line could be a header or a record; {choice}")
    return Header(tuple(columns), end)


def _may_be_header(body: bytes, schema: Schema) -> bool:
    """Return False if the first line is certainly a record, or certainly an error.

    This is fast, because it is done for every payload without ``header``.
    """
    if schema.accepts_unknown_labels:
        return True
    if schema.names is None:
        return body.startswith(NUMBERED_HEADER_STARTS)
    return _may_contain_names(body, schema.names)


def _may_contain_names(body: bytes, names: Sequence[str]) -> bool:
    """Return False if the first line cannot be a header because the first name is not in it."""
    name = strip_blanks(names[0])
    if '"' in name or "\n" in name:  # written with doubled quotes, or on several lines
        return True
    end = body.find(b"\n")
    return body.find(name.encode(), 0, len(body) if end < 0 else end) >= 0


def _is_numbered(cells: Sequence[str], schema: Schema) -> bool:
    """Return whether the cells count from 0, like a header that pandas writes for a matrix.

    If the model has names, these cells are not its header, and so they are a record.
    """
    if schema.names is not None or not MIN_NUMBERED_COLUMNS <= len(cells) == schema.width:
        return False
    return are_numbered(cells[1:] if cells[0] == "" else cells)


def _read_first_line(body: bytes, schema: Schema) -> tuple[list[str], int]:
    """Return the cells of the first line, which may contain quoted line breaks, and its end."""
    end, max_bytes = 0, compute_max_row_bytes(schema.width)

    def lines() -> Iterator[str]:
        nonlocal end
        while end < len(body):
            start, line_end = end, LINE_END.search(body, end, end + max_bytes + 1)
            end = line_end.end() if line_end else min(len(body), end + max_bytes + 1)
            if end > max_bytes:
                check_long_line(body[: _find_line_end(body, end)], 1, schema, b",")
            yield decode_text(body[start:end], 1)

    try:
        return next(csv.reader(lines(), strict=True), []), end
    except csv.Error as error:
        raise explain_invalid_csv(error, "row 1", decode_text(body[:end], 1)) from error


def _find_line_end(body: bytes, start: int) -> int:
    end = body.find(b"\n", start)
    return len(body) if end < 0 else end
