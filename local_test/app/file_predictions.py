"""A file of records with their predictions added: in large payloads to the endpoint, in little memory here."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO

from local_test.app import response
from local_test.app.class_labels import ClassLabels
from local_test.app.csv_layout import DELIMITERS, CsvLayout, detect_layout
from local_test.app.csv_records import BYTE_ORDER_MARK, BadFile, Record, records
from local_test.app.endpoint import (
    Endpoint,
    EndpointError,
    ErrorResponse,
    Exchange,
    InvalidResponse,
)
from local_test.app.histogram import Distribution
from local_test.app.schema import Schema

# A request to SageMaker may have 6 MB; less shows sooner whether anything is wrong, and costs no throughput.
PAYLOAD_BYTES = 1 << 20
MOST_BAD_ROWS = 20
# What it cuts off is advice to who writes the request, which is the application.
ROW = re.compile(
    r"row (\d+)[,:]? ?(.*?)(?:; (?:where no comma separates|JSON comes with|curl's -d joins).*)?",
    re.DOTALL,
)
FORMULA = ("=", "+", "-", "@")  # what a cell that a spreadsheet runs begins with


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row without a prediction: its number, counted as the endpoint does, its line in the file, and why."""

    row: int
    line: int
    message: str


@dataclass(slots=True)
class Scoring:
    """What became of a file: how many rows have predictions, of which classes, which rows have none, and the last exchange."""

    names: list[str] = field(default_factory=list)
    rows: int = 0
    bad: list[BadRow] = field(default_factory=list)
    distribution: Distribution = field(default_factory=Distribution)
    exchange: Exchange | None = None
    classes: ClassLabels | None = None
    counts: Counter[str] = field(default_factory=Counter)
    warning: str = ""

    @property
    def charted(self) -> str:
        """The class whose probability is the last value of each row; nothing if that is no probability."""
        if self.classes is None or not (self.classes.probable or len(self.names) > 2):
            return ""
        return self.classes.labels[-1]


def score(
    file: IO[bytes], out: IO[bytes], endpoint: Endpoint, schema: Schema, delimiter: str
) -> Scoring:
    """Write the file's bytes with predictions added to ``out``; raises BadFile, or EndpointError."""
    mark = file.read(len(BYTE_ORDER_MARK))
    if mark != BYTE_ORDER_MARK:
        file.seek(0)
    else:
        out.write(mark)
    layout, rows = detect_layout(records(file), schema, delimiter)
    scoring = Scoring()
    for batch in _batches(rows):
        sent = [record for record in batch if not record.blank or len(schema.features) == 1]
        predicted = _predicted(sent, layout, endpoint, scoring)
        if not scoring.names:
            good = next((record for record in sent if record.line in predicted), None)
            if good:
                _read_classes(good, layout, endpoint, schema, scoring)
            _begin(out, layout, schema, scoring, len(predicted[good.line]) if good else 0)
        labelled = {line: _with_label(cells, scoring) for line, cells in predicted.items()}
        _write(out, batch, labelled, DELIMITERS[layout.delimiter], len(scoring.names))
    if not scoring.rows:
        raise BadFile(
            "the file has no records"
            if not scoring.bad
            else f"no row is good: {scoring.bad[0].message}"
        )
    return scoring


def _batches(rows: Iterable[Record]) -> Iterator[list[Record]]:
    """Yield the records in lists of about PAYLOAD_BYTES."""
    batch: list[Record] = []
    size = 0
    for record in rows:
        batch.append(record)
        size += len(record.body) + 1
        if size >= PAYLOAD_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _predicted(
    batch: list[Record], layout: CsvLayout, endpoint: Endpoint, scoring: Scoring
) -> dict[int, list[str]]:
    """Return the cells of the predictions by the line of their record; rows that are refused are noted and left out."""
    first_row = scoring.rows + len(scoring.bad) + 1
    numbered = list(enumerate(batch, first_row))
    while numbered:
        payload = layout.payload(record for _, record in numbered)
        try:
            scoring.exchange = endpoint.invoke(payload, layout.content_type, "text/csv")
        except ErrorResponse as refused:
            place, message = _refused_row(refused, len(numbered))
            row, record = numbered.pop(place)
            scoring.bad.append(BadRow(row, record.line, message))
            if len(scoring.bad) > MOST_BAD_ROWS:
                raise BadFile(_too_many(scoring.bad)) from refused
            continue
        lines = _lines(scoring.exchange)
        if len(lines) != len(numbered):
            raise InvalidResponse(
                f"{len(numbered)} records were sent, and {len(lines)} predictions came back.",
                scoring.exchange,
            )
        scoring.rows += len(lines)
        _collect(lines, scoring)
        return {record.line: line for (_, record), line in zip(numbered, lines, strict=True)}
    return {}


def _lines(exchange: Exchange) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO(exchange.response_body.decode("utf-8", "replace"))))
    except csv.Error as error:
        raise InvalidResponse(
            f"A line of CSV for each record was expected back: {error}.", exchange
        ) from error


def _collect(lines: list[list[str]], scoring: Scoring) -> None:
    for line in lines:
        try:
            scoring.distribution.add(float(line[-1]))
        except (
            ValueError,
            IndexError,
        ):  # such as ERROR, where the server answers bad rows one by one
            continue


def _refused_row(refused: ErrorResponse, rows: int) -> tuple[int, str]:
    """Return the place of the row that was refused and why; raises the refusal itself where it is of no row."""
    match = ROW.fullmatch(str(refused)) if refused.is_input_error else None
    if match is None or not 1 <= int(match[1]) <= rows:
        raise refused
    return int(match[1]) - 1, match[2]


def _too_many(bad: list[BadRow]) -> str:
    first = bad[0]
    return f"more than {MOST_BAD_ROWS} rows are refused, the first is row {first.row} (line {first.line}): {first.message}"


def _read_classes(
    record: Record, layout: CsvLayout, endpoint: Endpoint, schema: Schema, scoring: Scoring
) -> None:
    """Have one record explained, since that tells what the values of a classifier are."""
    if not schema.prediction.classes:
        return
    try:
        exchange = endpoint.invoke(layout.payload([record]), layout.content_type, response.ACCEPT)
        answer = response.read(exchange, schema.prediction, schema.names)
    except EndpointError as error:
        scoring.warning = (
            f"No row has the name of its class, since one that was to be explained was not: {error}"
        )
    else:
        scoring.classes, scoring.warning = answer.classes, answer.warning


def _begin(out: IO[bytes], layout: CsvLayout, schema: Schema, scoring: Scoring, width: int) -> None:
    """Settle the names of the columns that are added, and write the line of names if the file has one."""
    name = f"predicted_{schema.prediction.name}"
    if scoring.classes:
        labels = scoring.classes.labels
        several = labels if width > 1 else labels[-1:] if scoring.classes.probable else ("score",)
        scoring.names = [name, *(f"{name}_{label}" for label in several)]
    else:
        scoring.names = [name] if width < 2 else [f"{name}_{place}" for place in range(width)]
    if layout.header:
        out.write(
            layout.header.body
            + _added(scoring.names, DELIMITERS[layout.delimiter])
            + (layout.header.line_end or b"\n")
        )


def _with_label(line: list[str], scoring: Scoring) -> list[str]:
    """Return the cells of a prediction, the name of its class before them if there is one."""
    if not scoring.classes:
        return line
    try:
        label = scoring.classes.label([float(cell) for cell in line])
    except (ValueError, IndexError):  # such as ERROR, where the server answers bad rows one by one
        return ["", *line]
    scoring.counts[label] += 1
    return [f"'{label}" if label.startswith(FORMULA) else label, *line]


def _write(
    out: IO[bytes], batch: list[Record], predicted: dict[int, list[str]], delimiter: str, width: int
) -> None:
    for record in batch:
        added = (
            b""
            if record.blank and record.line not in predicted
            else _added(predicted.get(record.line, [""] * width), delimiter)
        )
        out.write(record.body + added + record.line_end)


def _added(row: list[str], delimiter: str) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="").writerow(["", *row])
    return text.getvalue().encode()
