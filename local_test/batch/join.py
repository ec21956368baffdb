"""JOIN=yes: write each record of the input with its predictions added.

CSV gets a column for each output. JSON Lines get them as SageMaker's JoinSource=Input writes them,
under the key SageMakerOutput.
"""

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from local_test.batch.container_client import BatchResponse
from local_test.batch.errors import JobFailed
from local_test.batch.flat_outputs import ERROR, parse_outputs
from local_test.batch.header import Header, read_delimiter, split_cells
from local_test.batch.mini_batch import MiniBatch
from serve.column_names import strip_blanks
from serve.media.types import JSON_LINES, parse_content_type
from serve.text import listed

# Returns the part of the output for a mini-batch and its response.
Assembler = Callable[[MiniBatch, BatchResponse], bytes]
ERROR_CELL = "ERROR"
PREFIX = "predicted_"
SPECIAL = re.compile(r'["\r\n ]')


def assemble_responses(_mini_batch: MiniBatch, response: BatchResponse) -> bytes:
    """Return the response itself, terminated by a newline."""
    body = response.body
    return body if not body or body.endswith(b"\n") else body + b"\n"


def choose_assembler(media_type: str, header: Header | None, *, join: bool) -> Assembler:
    """Return the function that assembles the output of a job."""
    if not join:
        return assemble_responses
    parsed = parse_content_type(media_type)
    if parsed.name == JSON_LINES:
        return _join_json_lines
    return _CsvJoin(header, read_delimiter(parsed.parameters) or ",").join


def _join_json_lines(mini_batch: MiniBatch, response: BatchResponse) -> bytes:
    pairs = zip(mini_batch.rows(), _split_outputs(mini_batch, response), strict=True)
    return b"".join(_join_object(row.strip(), output) + b"\n" for row, output in pairs)


def _join_object(row: bytes, output: bytes) -> bytes:
    """Return a record with its output; a list is put in an object."""
    if not row.startswith(b"{"):
        return b'{"SageMakerInput": ' + row + b', "SageMakerOutput": ' + output + b"}"
    members = row.removesuffix(b"}").rstrip()
    separator = b"" if members == b"{" else b", "
    return members + separator + b'"SageMakerOutput": ' + output + b"}"


@dataclass(slots=True)
class _CsvJoin:
    """Adds the outputs as columns, whose names are those of the first valid record."""

    header: Header | None
    delimiter: str
    names: list[str] = field(default_factory=list)

    def join(self, mini_batch: MiniBatch, response: BatchResponse) -> bytes:
        """Return the rows of a mini-batch with their outputs, below the header the first time."""
        lines = _split_outputs(mini_batch, response)
        header = b""
        if not self.names:
            self.names = _list_names(lines, mini_batch)
            header = self._build_header()
        pairs = enumerate(zip(mini_batch.rows(), lines, strict=True), mini_batch.first_row)
        return header + b"".join(
            self._add(row, self._list_cells(_parse(line, mini_batch), number))
            for number, (row, line) in pairs
        )

    def _build_header(self) -> bytes:
        if self.header is None:
            return b""
        existing = set(map(strip_blanks, split_cells(self.header.line, self.delimiter)))
        names = [PREFIX + name if name in existing else name for name in self.names]
        return self._add(self.header.line, names)

    def _list_cells(self, outputs: dict[str, str], row: int) -> list[str]:
        if list(outputs) == [ERROR]:
            return [ERROR_CELL, *[""] * (len(self.names) - 1)]
        if list(outputs) != self.names:
            raise JobFailed(
                f"row {row:,}: expected the outputs {listed(self.names)}, as in the first row, "
                f"got {listed(outputs)}"
            )
        return list(outputs.values())

    def _add(self, row: bytes, cells: Sequence[str]) -> bytes:
        """Return a line with cells added before its line ending."""
        text = row.rstrip(b"\r\n")
        added = self.delimiter.join(["", *cells])
        # The csv module is slow, and only needed for cells that require quotes.
        if SPECIAL.search(added) or added.count(self.delimiter) != len(cells):
            added = _quote(cells, self.delimiter)
        return text + added.encode() + (row[len(text) :] or b"\n")


def _quote(cells: Sequence[str], delimiter: str) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="").writerow(["", *cells])
    return text.getvalue()


def _split_outputs(mini_batch: MiniBatch, response: BatchResponse) -> list[bytes]:
    name = parse_content_type(response.media_type).name
    if name != JSON_LINES:
        raise JobFailed(f"{mini_batch}: JOIN=yes: expected {JSON_LINES} as response, got {name}")
    return response.body.splitlines()


def _parse(line: bytes, mini_batch: MiniBatch) -> dict[str, str]:
    try:
        return parse_outputs(line)
    except ValueError as error:
        raise JobFailed(f"{mini_batch}: the response is not JSON Lines: {error}") from error


def _list_names(lines: Sequence[bytes], mini_batch: MiniBatch) -> list[str]:
    """Return the names of the outputs of the first record that is not an error."""
    for line in lines:
        if list(record := _parse(line, mini_batch)) != [ERROR]:
            return list(record)
    raise JobFailed(f"{mini_batch}: no row is valid; the last error: {record[ERROR]}")
