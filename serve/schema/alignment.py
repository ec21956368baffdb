"""Alignment: turn the records of a payload into the features that a schema describes."""

from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from serve.diagnosis.lines import check_for_header, find_line_hint, find_width_hint
from serve.diagnosis.names import describe_header_mismatch, describe_name_mismatch
from serve.errors import HeaderMismatch, SchemaMismatch
from serve.records import Cell, Matrix, Records, Rows
from serve.schema.feature import CellMismatch
from serve.schema.ignored import drop_ignored
from serve.schema.schema import Schema
from serve.text import column_label, quoted, with_hint

NUMBER_TYPES = {int, float, type(None)}


def align_records(records: Records, schema: Schema) -> NDArray[np.float32]:
    """Return the records as features, float32 (n, f), in the order of the schema.

    Categories become codes, and missing values become NaN. A number sent as text becomes
    float32(float64(text)). Raises SchemaMismatch with the row and the column.
    """
    match records:
        case Matrix(accepted=True):
            order = schema.find_order(records.names)
            return records.numbers if isinstance(order, range) else records.numbers[:, order]
        case Matrix():
            return _align_matrix(records, schema)
        case Rows():
            return _align_rows(records, schema)


def _align_matrix(matrix: Matrix, schema: Schema) -> NDArray[np.float32]:
    numbers = matrix.numbers
    if numbers.shape[1] != schema.width:
        raise SchemaMismatch(schema.describe_width_mismatch(matrix.first_row, numbers.shape[1]))
    with np.errstate(over="ignore"):
        features = numbers.astype(np.float32, order="C")
    schema.replace_missing_values(features)
    for row, column in np.argwhere(schema.find_unverified(features)):
        number = float(numbers[row, column])
        try:
            features[row, column] = schema.features_as_codes[column].read(number, textual=False)
        except CellMismatch as error:
            place = _describe_place(matrix, schema, row, column)
            reason = with_hint(error.reason, error.hint)
            raise SchemaMismatch(f"{place}: {reason}", quoted(number)) from error
    return features


def _align_rows(rows: Rows, schema: Schema) -> NDArray[np.float32]:
    rows = drop_ignored(rows, schema)
    _check_names(rows, schema)
    order = schema.find_order(rows.names)
    if not rows.cells:
        return np.empty((0, schema.width), dtype=np.float32)
    _check_widths(rows, schema)
    with np.errstate(over="ignore"):  # a number beyond float32 becomes infinite
        features = _read_matrix(rows, schema, order)
        if features is None:
            features = _read_columns(rows, schema, order)
    schema.replace_missing_values(features)
    _verify(features, rows, schema, order)
    return features


def _check_names(rows: Rows, schema: Schema) -> None:
    names, source = rows.names, rows.names_source
    if names is None or names == schema.names:
        return
    if schema.names is None:
        raise SchemaMismatch(
            f"{source}: the model has no column names; "
            f"send each row as a list of {schema.width} values in order"
        )
    if schema.match_names(names) is not None:
        return
    if rows.textual:
        is_record = schema.could_be_record(names)
        raise HeaderMismatch(*describe_header_mismatch(names, schema.names, is_record=is_record))
    raise SchemaMismatch(*describe_name_mismatch(names, schema.names, source))


def _check_widths(rows: Rows, schema: Schema) -> None:
    if set(map(len, rows.cells)) <= {schema.width}:
        return
    check_for_header(schema.names, rows)
    widths = enumerate(map(len, rows.cells))
    row, width = next((row, width) for row, width in widths if width != schema.width)
    hint = find_width_hint(schema.names, rows, row, schema.width)
    mismatch = schema.describe_width_mismatch(rows.first_row + row, width)
    raise SchemaMismatch(with_hint(mismatch, hint))


def _read_matrix(rows: Rows, schema: Schema, order: Sequence[int]) -> NDArray[np.float32] | None:
    """Return the cells as one matrix, or None if any of them is not a number."""
    if rows.textual or schema.has_labels:
        return None
    if not set(map(type, chain.from_iterable(rows.cells))) <= NUMBER_TYPES:
        return None
    try:
        numbers = np.array(rows.cells, dtype=np.float32).reshape(len(rows), schema.width)
    except OverflowError:  # an integer beyond float64
        return None
    return numbers if isinstance(order, range) else numbers[:, order]


def _read_columns(rows: Rows, schema: Schema, order: Sequence[int]) -> NDArray[np.float32]:
    columns: list[Sequence[Cell]] = list(zip(*rows.cells, strict=True))
    features = np.empty((len(rows), schema.width), dtype=np.float32)
    for column, feature in enumerate(schema.features):
        numbers = feature.read_column(columns[order[column]], textual=rows.textual)
        if numbers is None:
            numbers = [_read_cell(rows, schema, row, column, order) for row in range(len(rows))]
        features[:, column] = numbers
    return features


def _verify(
    features: NDArray[np.float32], rows: Rows, schema: Schema, order: Sequence[int]
) -> None:
    """Replace unverified numbers, in place, by numbers read again from their cells."""
    suspects = {int(column) for column in np.flatnonzero(~np.isfinite(features).all(axis=0))}
    for column in sorted(suspects.union(schema.columns_with_codes)):
        for row in np.flatnonzero(schema.features[column].find_unverified(features[:, column])):
            features[row, column] = _read_cell(rows, schema, int(row), column, order)


def _read_cell(rows: Rows, schema: Schema, row: int, column: int, order: Sequence[int]) -> float:
    cell = rows.cells[row][order[column]]
    try:
        return schema.features[column].read(cell, textual=rows.textual)
    except CellMismatch as error:
        check_for_header(schema.names, rows)
        hint = find_line_hint(schema.names, rows, row, schema.width, error.hint)
        place = _describe_place(rows, schema, row, column)
        raise SchemaMismatch(f"{place}: {with_hint(error.reason, hint)}", quoted(cell)) from error


def _describe_place(records: Records, schema: Schema, row: int, column: int) -> str:
    return f"row {records.first_row + row}, {column_label(schema.names, column)}"
