"""Predict an uploaded CSV file in large payloads, and write it back with the predictions added.

Only one payload's records are in memory at a time.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO

from local_test.app.endpoints.endpoint import (
    Endpoint,
    EndpointError,
    ErrorResponse,
    Exchange,
    InvalidResponse,
)
from local_test.app.file.added_columns import encode_added_cells, label_cell, name_columns
from local_test.app.file.bad_rows import MAX_BAD_ROWS, BadRow, describe_first, locate_bad_row
from local_test.app.file.layout import CsvLayout, detect_layout
from local_test.app.file.records import BYTE_ORDER_MARK, BadFile, CsvRecord, split_records
from local_test.app.file.result import FileResult
from local_test.app.record.response import ACCEPT, parse_prediction
from local_test.app.schema import Schema
from serve.media.types import DELIMITERS

# SageMaker accepts 6 MB; smaller payloads report a bad row sooner, at the same throughput.
PAYLOAD_BYTES = 1 << 20


def predict_file(
    file: IO[bytes], out: IO[bytes], endpoint: Endpoint, schema: Schema, delimiter: str
) -> FileResult:
    """Write the bytes of a CSV file to ``out``, with predictions added at the end of each record.

    Raises:
        BadFile: the file is not CSV of the schema's columns, or has too many bad rows.
        EndpointError: an invocation failed for a reason other than one of its rows.
    """
    _copy_byte_order_mark(file, out)
    layout, records = detect_layout(split_records(file), schema, delimiter)
    predictor = _FilePredictor(out, endpoint, schema, layout)
    for batch in _split_batches(records):
        predictor.predict_batch(batch)
    result = predictor.result
    if not result.row_count and result.bad_rows:
        raise BadFile(f"no row is valid; {describe_first(result.bad_rows)}")
    if not result.row_count:
        raise BadFile("the file has no records")
    return result


def _copy_byte_order_mark(file: IO[bytes], out: IO[bytes]) -> None:
    if file.read(len(BYTE_ORDER_MARK)) == BYTE_ORDER_MARK:
        out.write(BYTE_ORDER_MARK)
    else:
        file.seek(0)


def _split_batches(records: Iterable[CsvRecord]) -> Iterator[list[CsvRecord]]:
    """Yield the records in lists of about PAYLOAD_BYTES."""
    batch: list[CsvRecord] = []
    size = 0
    for record in records:
        batch.append(record)
        size += len(record.body) + 1
        if size >= PAYLOAD_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


@dataclass(slots=True)
class _FilePredictor:
    """Sends one batch after the other, and writes each with its predictions."""

    out: IO[bytes]
    endpoint: Endpoint
    schema: Schema
    layout: CsvLayout
    result: FileResult = field(default_factory=FileResult)

    def predict_batch(self, batch: Sequence[CsvRecord]) -> None:
        has_one_column = len(self.schema.features) == 1
        records = [record for record in batch if not record.is_blank or has_one_column]
        scores = self._invoke(records)
        if not self.result.added_columns:
            self._begin_output(records, scores)
        cells = {line: self._add_label(row) for line, row in scores.items()}
        self._write_records(batch, cells)

    def _invoke(self, records: Sequence[CsvRecord]) -> dict[int, list[str]]:
        """Return the scores of the valid records, by their line; bad rows go to the result."""
        first_row = self.result.row_count + len(self.result.bad_rows) + 1
        numbered = list(enumerate(records, first_row))
        while numbered:
            payload = self.layout.build_payload(record for _, record in numbered)
            try:
                exchange = self.endpoint.invoke(payload, self.layout.content_type, "text/csv")
            except ErrorResponse as error:
                self._remove_bad_row(numbered, error)
                continue
            self.result.exchange = exchange
            rows = _parse_scores(exchange, len(numbered))
            self.result.row_count += len(rows)
            self._collect(rows)
            return {record.line: row for (_, record), row in zip(numbered, rows, strict=True)}
        return {}

    def _remove_bad_row(self, numbered: list[tuple[int, CsvRecord]], error: ErrorResponse) -> None:
        """Move the row that an error is about to the result; raises BadFile if it has too many."""
        index, message = locate_bad_row(error, len(numbered))
        row, record = numbered.pop(index)
        message = self.layout.describe_mismatch(record, self.schema) or message
        bad_rows = self.result.bad_rows
        bad_rows.append(BadRow(row, record.line, message))
        if len(bad_rows) > MAX_BAD_ROWS:
            raise BadFile(
                f"more than {MAX_BAD_ROWS} rows are invalid; {describe_first(bad_rows)}"
            ) from error

    def _collect(self, rows: Iterable[list[str]]) -> None:
        for row in rows:
            try:
                self.result.distribution.add(float(row[-1]))
            except (ValueError, IndexError):  # ERROR, if the server reports bad rows in place
                continue

    def _begin_output(self, records: Iterable[CsvRecord], scores: dict[int, list[str]]) -> None:
        """Name the added columns from the first prediction, and write the header if any."""
        first = next((record for record in records if record.line in scores), None)
        if first:
            self._identify_classes(first)
        score_count = len(scores[first.line]) if first else 0
        result = self.result
        result.added_columns = name_columns(
            self.schema.target.name, result.class_labels, score_count
        )
        header = self.layout.header
        if header:
            added = encode_added_cells(result.added_columns, DELIMITERS[self.layout.delimiter])
            self.out.write(header.body + added + (header.line_ending or b"\n"))

    def _identify_classes(self, record: CsvRecord) -> None:
        """Request an explanation of one record, which shows how a classifier's scores are meant."""
        if not self.schema.target.classes:
            return
        payload = self.layout.build_payload([record])
        try:
            exchange = self.endpoint.invoke(payload, self.layout.content_type, ACCEPT)
            prediction = parse_prediction(exchange, self.schema.target, self.schema.names)
        except EndpointError as error:
            self.result.warning = (
                f"The class names were not added, because one request failed: {error}"
            )
        else:
            self.result.class_labels = prediction.class_labels
            self.result.warning = prediction.warning

    def _add_label(self, row: list[str]) -> list[str]:
        """Return the cells of a prediction, with the class label in front for a classifier."""
        if not self.result.class_labels:
            return row
        try:
            label = self.result.class_labels.predicted_label([float(cell) for cell in row])
        except (ValueError, IndexError):  # ERROR, if the server reports bad rows in place
            return ["", *row]
        self.result.class_counts[label] += 1
        return [label_cell(label), *row]

    def _write_records(self, batch: Iterable[CsvRecord], cells: dict[int, list[str]]) -> None:
        delimiter = DELIMITERS[self.layout.delimiter]
        empty = encode_added_cells([""] * len(self.result.added_columns), delimiter)
        for record in batch:
            added = b"" if record.is_blank else empty
            if record.line in cells:
                added = encode_added_cells(cells[record.line], delimiter)
            self.out.write(record.body + added + record.line_ending)


def _parse_scores(exchange: Exchange, record_count: int) -> list[list[str]]:
    """Return the scores of each record in a CSV response; raises InvalidResponse."""
    text = exchange.response_body.decode("utf-8", "replace")
    try:
        rows = list(csv.reader(io.StringIO(text)))
    except csv.Error as error:
        raise InvalidResponse(
            f"Expected CSV with one line per record: {error}.", exchange
        ) from error
    if len(rows) != record_count:
        raise InvalidResponse(
            f"Expected {record_count} predictions, one per record, got {len(rows)}.", exchange
        )
    return rows
