"""Find the row that the endpoint rejected in its error message."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from local_test.app.endpoints.endpoint import ErrorResponse

MAX_BAD_ROWS = 20
# How the server's messages begin: row 3, column "carat": … or row 3: …
ROW = re.compile(r"row (\d+)[,:]? ?(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row without a prediction: its number as the endpoint counts, its line in the file, and why.

    Rows count from 1 without the header; lines count from 1 with it.
    """

    row: int
    line: int
    message: str


def locate_bad_row(error: ErrorResponse, row_count: int) -> tuple[int, str]:
    """Return the index of the row that an error is about, and the message without its number.

    Raises:
        ErrorResponse: the error itself, if it is not about one of the ``row_count`` rows.
    """
    match = ROW.fullmatch(str(error)) if error.is_input_error else None
    if match is None or not 1 <= int(match[1]) <= row_count:
        raise error
    return int(match[1]) - 1, match[2]


def describe_first(bad_rows: Sequence[BadRow]) -> str:
    """Return the number, the line and the problem of the bad row nearest to the top."""
    first = min(bad_rows, key=lambda bad_row: bad_row.row)
    return f"row {first.row} (line {first.line}): {first.message}"
