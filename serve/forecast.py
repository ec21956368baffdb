"""Forecast: reject a payload with too many records, or too large a response, before predicting.

Only the records of payloads of lines can be counted without decoding them. Other payloads are
rejected as soon as a limit is exceeded.
"""

import re
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serve.codecs.lines import BLANKS, SLICE_BYTES
from serve.limits import Limits
from serve.media.types import CSV, JSON_LINES, LIBSVM

# The bytes that show that a line may not be a record, or not a whole one.
EXCEPTIONS = {CSV: b'"', JSON_LINES: b"", LIBSVM: b"#"}
NUMBER = re.compile(rb"[0-9.eE+-]+")

Predict = Callable[[NDArray[np.float32]], Any]


def check_record_count(payload: bytes, media_type: str, limits: Limits) -> int:
    """Return the number of records in a large payload of lines, or 0 if it is not known.

    Raises PayloadTooLarge for more records than the limit.
    """
    exception = EXCEPTIONS.get(media_type)
    if exception is None or len(payload) <= SLICE_BYTES:
        return 0
    if exception and exception in payload:
        return 0
    # Trailing blank lines are records only in libsvm.
    end = len(payload) if media_type == LIBSVM else len(payload.rstrip(BLANKS))
    count = 0
    for start in range(0, end, SLICE_BYTES):
        count += payload.count(b"\n", start, min(end, start + SLICE_BYTES))
        limits.check_records(count)
    return count


class ResponseForecast:
    """Forecasts the size of a response from those of one and of two records of zeros.

    A part of which the response has only one, such as a header, counts once.
    """

    def __init__(self, width: int, predict: Predict, encode: Callable[[Any], bytes]) -> None:
        self._width = width
        self._predict = predict
        self._encode = encode

    def minimum(self, record_count: int) -> int:
        """Return the size if every number had only one digit, so it is certainly not less."""
        return _extrapolate(record_count, [NUMBER.sub(b"0", text) for text in self._responses])

    def estimate(self, record_count: int) -> int:
        """Return the size if the numbers have as many digits as those of records of zeros."""
        return _extrapolate(record_count, self._responses)

    @cached_property
    def _responses(self) -> list[bytes]:
        zeros = np.zeros((2, self._width), dtype=np.float32)
        return [self._encode(self._predict(zeros[:rows])) for rows in (1, 2)]


def _extrapolate(record_count: int, responses: list[bytes]) -> int:
    one, two = map(len, responses)
    return one + (record_count - 1) * (two - one)
