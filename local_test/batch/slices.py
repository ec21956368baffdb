"""Slices: whole lines of the input, packed into payloads as SplitType Line has it.

Source: contract 5.5 and 5.7.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from local_test.batch.errors import JobFailed
from local_test.batch.parameters import MIB, Parameters


@dataclass(frozen=True, slots=True)
class Slice:
    """One payload, and which of the file's rows it holds; the header is no row."""

    number: int
    first_row: int
    records: int
    body: bytes

    def __str__(self) -> str:
        rows = (
            f"row {self.first_row:,}"
            if self.records == 1
            else f"rows {self.first_row:,} to {self.first_row + self.records - 1:,}"
        )
        return f"slice {self.number:,} ({rows})"

    @property
    def blank_at_the_end(self) -> int:
        """How many of its last lines are blank."""
        lines = self.body.split(b"\n")[:-1] if self.body.endswith(b"\n") else self.body.split(b"\n")
        filled = len(lines)
        while filled and not lines[filled - 1].strip():
            filled -= 1
        return len(lines) - filled


def split(
    lines: Iterable[bytes], parameters: Parameters, *, header: bytes = b"", repeated: bool = False
) -> Iterator[Slice]:
    """Pack lines into payloads, as many into each as fit or one with SingleRecord; raises JobFailed at a line that does not.

    Args:
        lines: the records, each with its line end.
        parameters: the payload's limit and the strategy.
        header: what goes before the first record.
        repeated: whether it goes before the first record of each payload, instead of the file's.
    """
    limit, single = parameters.payload_bytes, parameters.strategy == "SingleRecord"
    number, first_row = 1, 1
    body, records = bytearray(header), 0
    for row, line in enumerate(lines, 1):
        if records and (single or (limit is not None and len(body) + len(line) > limit)):
            yield Slice(number, first_row, records, bytes(body))
            number, first_row, records = number + 1, row, 0
            body = bytearray(header if repeated else b"")
        if limit is not None and len(body) + len(line) > limit:
            raise JobFailed(
                f"row {row:,} does not fit into a payload of MaxPayloadInMB={limit // MIB}: expected lines of at most "
                f"{limit - len(body):,} bytes; raise MAX_PAYLOAD_IN_MB, or mend the line"
            )
        body += line
        records += 1
    if records:
        yield Slice(number, first_row, records, bytes(body))
