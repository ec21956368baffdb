"""Limits on what one request may cost: its records, and the size of its response."""

import math
from dataclasses import dataclass, replace
from typing import Protocol

from serve.errors import PayloadTooLarge, ResponseTooLarge

RECORDS_VARIABLE = "SERVE_MAX_RECORDS"
RESPONSE_VARIABLE = "SERVE_MAX_RESPONSE_IN_MB"
# One record of this many may be without any value. In a sparse format, such a record needs so few
# bytes that a small payload could contain millions.
RECORDS_PER_EMPTY_RECORD = 50
# A record counts once for each so many columns of the model, or part of them.
COLUMNS_PER_RECORD = 1000


@dataclass(frozen=True, slots=True)
class Limits:
    """The maximum number of records of a request, and the maximum size of its response."""

    max_records: float = math.inf
    max_response_bytes: float = math.inf

    def scale(self, width: int) -> "Limits":
        """Return the limits for records of ``width`` columns.

        A sparse record may be short, but has all columns in memory.
        """
        if math.isinf(self.max_records):
            return self
        records_per_record = max(1, -(-width // COLUMNS_PER_RECORD))
        return replace(self, max_records=self.max_records // records_per_record)

    def check_records(self, count: int, empty_count: int = 0) -> None:
        """Raise PayloadTooLarge for too many records, or too many of them without any value."""
        if count > self.max_records:
            raise PayloadTooLarge(
                f"payload too large: expected at most {int(self.max_records):,} records, got more; "
                f"{RECORDS_VARIABLE} sets the limit"
            )
        max_empty = self.max_records / RECORDS_PER_EMPTY_RECORD
        if empty_count > max_empty:
            raise PayloadTooLarge(
                f"payload too large: expected at most {int(max_empty):,} records without any "
                f"value, got more; the limit is a fiftieth of {RECORDS_VARIABLE}"
            )

    def check_response(self, response_bytes: int) -> None:
        """Raise ResponseTooLarge if a response that is held in memory becomes too large."""
        if response_bytes > self.max_response_bytes:
            raise ResponseTooLarge(
                f"response too large: expected at most {int(self.max_response_bytes):,} bytes; "
                "send fewer records at a time, or stream the response, as with Accept: text/csv; "
                f"stream=true; {RESPONSE_VARIABLE} sets the limit"
            )


UNLIMITED = Limits()


class HoldResponse(Protocol):
    """Reserves memory for a response, before it is in memory."""

    def __call__(self, response_bytes: int, *, estimated: bool = False) -> None:
        """Reserve this many bytes in total; raises InvocationError if there is not enough."""


def ignore_size(response_bytes: int, *, estimated: bool = False) -> None:
    """Reserve nothing, because nothing else needs the memory."""
