"""Forecast: reject a payload with too many records, or too large a response, before predicting.

Only the records of payloads of lines can be counted without decoding them. Other payloads are
rejected as soon as a limit is exceeded.
"""

import math
import re
from collections.abc import Callable
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


def check_response_size(
    record_count: int, width: int, predict: Predict, encode: Callable[[Any], bytes], limits: Limits
) -> None:
    """Raise ResponseTooLarge if the response to this many records would certainly be too large.

    The records are assumed to have a response like that of records of zeros, in which every number
    has only one digit. A part of which the response has only one, such as a header, counts once.
    """
    if not record_count or math.isinf(limits.max_response_bytes):
        return
    one, two = (
        len(NUMBER.sub(b"0", encode(predict(np.zeros((rows, width), dtype=np.float32)))))
        for rows in (1, 2)
    )
    limits.check_response(one + (record_count - 1) * (two - one))
