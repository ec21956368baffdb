"""Packs lines into mini-batches, the payloads of a job with SplitType=Line (contract 5.5, 5.7)."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from local_test.batch.errors import JobFailed
from local_test.batch.parameters import MIB, JobParameters


@dataclass(frozen=True, slots=True)
class MiniBatch:
    """The payload of one request, and the rows of the file in it; a header is not a row.

    ``header_bytes`` is the length of the header in front of the rows.
    """

    number: int
    first_row: int
    row_count: int
    payload: bytes
    header_bytes: int = 0

    def __str__(self) -> str:
        rows = f"row {self.first_row:,}"
        if self.row_count > 1:
            rows = f"rows {self.first_row:,} to {self.last_row:,}"
        return f"mini-batch {self.number:,} ({rows})"

    @property
    def last_row(self) -> int:
        """The number of the last row in the file."""
        return self.first_row + self.row_count - 1

    @property
    def row_bytes(self) -> int:
        """The size of the rows."""
        return len(self.payload) - self.header_bytes

    def rows(self) -> Iterator[bytes]:
        """Yield the rows with their line endings."""
        lines = io.BytesIO(self.payload)
        lines.seek(self.header_bytes)
        yield from lines

    def ends_with_blank_line(self) -> bool:
        """Return whether the last line of the payload is blank."""
        return not self.payload.removesuffix(b"\n").rpartition(b"\n")[2].strip()


def pack(
    lines: Iterable[bytes],
    parameters: JobParameters,
    *,
    header: bytes = b"",
    repeat_header: bool = False,
) -> Iterator[MiniBatch]:
    """Yield mini-batches of as many lines as fit, or of one line with SingleRecord.

    Args:
        lines: the rows, with their line endings.
        parameters: the maximum payload and the strategy.
        header: the line before the first row of the first mini-batch.
        repeat_header: whether every mini-batch starts with the header.

    Raises:
        JobFailed: a line is longer than the maximum payload.
    """
    max_bytes, is_single = parameters.max_payload_bytes, parameters.strategy == "SingleRecord"
    number, first_row, row_count = 1, 1, 0
    header_bytes = len(header)
    payload = bytearray(header)
    for row, line in enumerate(lines, 1):
        is_full = max_bytes is not None and len(payload) + len(line) > max_bytes
        if row_count and (is_single or is_full):
            yield MiniBatch(number, first_row, row_count, bytes(payload), header_bytes)
            number, first_row, row_count = number + 1, row, 0
            payload = bytearray(header if repeat_header else b"")
            header_bytes = len(payload)
        if max_bytes is not None and len(payload) + len(line) > max_bytes:
            raise JobFailed(
                f"row {row:,} is longer than a payload: expected at most "
                f"{max_bytes - len(payload):,} bytes with MaxPayloadInMB={max_bytes // MIB}; "
                "raise MAX_PAYLOAD_IN_MB or shorten the line"
            )
        payload += line
        row_count += 1
    if row_count:
        yield MiniBatch(number, first_row, row_count, bytes(payload), header_bytes)
