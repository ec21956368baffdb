"""Row errors: read lines on their own, so an error in one line does not affect the others.

Source: contract 5.9.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray

from serve.codecs import LineCodec
from serve.codecs.lines import split_slices
from serve.errors import (
    HeaderMismatch,
    InvocationError,
    MalformedPayload,
    SchemaMismatch,
    TooManyErrors,
)
from serve.media.types import CSV
from serve.records import Rows
from serve.schema.alignment import align_records
from serve.schema.schema import Schema

# Lines that contain a bad one are split into this many parts, and each part is read again.
PARTS = 32
MAX_ERROR_CHARACTERS = 500
# Explaining a bad record takes about 0.1 ms, so 100 MiB of them would take 15 minutes.
MAX_BAD_RECORDS = 100_000


@dataclass(frozen=True, slots=True)
class AlignedLines:
    """The features of the good lines in a slice, float32 (n, f), and the errors of the bad lines.

    The keys of ``errors`` are the indices of the bad lines in the slice.
    """

    features: NDArray[np.float32]
    errors: Mapping[int, str]


@dataclass(slots=True)
class Tally:
    """The number of bad records so far."""

    bad_records: int = 0


def align_lines(
    codec: LineCodec, payload: bytes, parameters: Mapping[str, str], schema: Schema
) -> Iterator[AlignedLines]:
    """Decode and align a payload of lines, and yield it in slices that are not empty.

    Every line is one record, so quoted line breaks are errors. Errors that affect the whole payload
    are raised: HeaderMismatch, TooManyErrors, and errors for invalid media type parameters.
    """
    body, names = codec.split_header(payload, parameters, schema)
    align_records(Rows([], textual=True, names=names), schema)
    if body is None:
        return
    reader = _LineReader(codec, names, schema, Tally())
    first_row = 1
    for part in split_slices(body):
        lines = part.split(b"\n")
        yield reader.read(lines, first_row)
        first_row += len(lines)


def insert_errors(media_type: str, encoded: bytes, errors: Mapping[int, str]) -> bytes:
    """Return the encoded lines with an error line inserted at each index in ``errors``."""
    good_lines = encoded.splitlines()
    remaining = iter(good_lines)
    lines = []
    for index in range(len(good_lines) + len(errors)):
        if index in errors:
            lines.append(_format_error_line(media_type, errors[index]))
        else:
            lines.append(next(remaining))
    return b"\n".join(lines) + b"\n"


def _format_error_line(media_type: str, message: str) -> bytes:
    return b"ERROR" if media_type == CSV else orjson.dumps({"error": message})


@dataclass(frozen=True, slots=True)
class _LineReader:
    codec: LineCodec
    names: tuple[str, ...] | None
    schema: Schema
    tally: Tally

    def read(self, lines: Sequence[bytes], first_row: int) -> AlignedLines:
        errors: dict[int, str] = {}
        no_features = np.empty((0, self.schema.width), dtype=np.float32)
        features = [no_features, *self._read_good_lines(lines, first_row, errors)]
        by_index = {row - first_row: message for row, message in errors.items()}
        return AlignedLines(np.concatenate(features), by_index)

    def _read_good_lines(
        self, lines: Sequence[bytes], first_row: int, errors: dict[int, str]
    ) -> Iterator[NDArray[np.float32]]:
        """Yield the features of good lines, and add the errors of bad lines to ``errors``."""
        try:
            yield self._align(lines, first_row)
        except HeaderMismatch:
            raise
        except (MalformedPayload, SchemaMismatch) as error:
            if len(lines) == 1:
                self._count_bad_record(first_row, error)
                message = str(error)[:MAX_ERROR_CHARACTERS]
                errors[first_row] = message.encode(errors="replace").decode()
                return
            step = -(-len(lines) // PARTS)
            for start in range(0, len(lines), step):
                part = lines[start : start + step]
                yield from self._read_good_lines(part, first_row + start, errors)

    def _count_bad_record(self, row: int, error: InvocationError) -> None:
        """Raise TooManyErrors, with the latest error, for too many bad records."""
        self.tally.bad_records += 1
        if self.tally.bad_records > MAX_BAD_RECORDS:
            raise TooManyErrors(
                f"more than {MAX_BAD_RECORDS:,} records are invalid, the last of them row {row}; "
                "check the format of the payload, or send fewer records at a time"
            ) from error

    def _align(self, lines: Sequence[bytes], first_row: int) -> NDArray[np.float32]:
        text = b"\n".join(lines)
        slices = self.codec.read_lines(text, first_row, self.names, self.schema)
        features = np.concatenate([align_records(records, self.schema) for records in slices])
        if len(features) != len(lines):
            # A quoted cell that spans several lines would shift the rows after it.
            raise MalformedPayload(
                f"row {first_row}: expected one record per line, got a line break in quotes"
            )
        return features
