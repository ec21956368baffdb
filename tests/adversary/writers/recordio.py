"""Write application/x-recordio-protobuf: dense and sparse tensors of every type, in parts too."""

import struct
from dataclasses import replace
from typing import Any

from tests.adversary.payloads import Payload
from tests.adversary.tables import ANY, FLOAT32, NumberType, integers
from tests.adversary.writers.context import Context, is_missing
from tests.support.protobuf import MAGIC, Record, UnpackedRecord, framed, labeled, record

MEDIA_TYPE = "application/x-recordio-protobuf"
# Tensors of int32 cannot hold NaN, so only sparse ones can have missing values.
WHOLE_NUMBERS = integers(32, signed=True)
TYPES: dict[str, NumberType] = {
    "dense float32": FLOAT32,
    "dense float64": ANY,
    "dense int32": WHOLE_NUMBERS,
    "sparse float32": FLOAT32,
    "sparse float64": ANY,
    "sparse int32": replace(WHOLE_NUMBERS, has_nan=True),
}
FIRST, MIDDLE, LAST = 1, 2, 3
MAGIC_BYTES = struct.pack("<I", MAGIC)


def write_recordio(context: Context, kind: str) -> Payload:
    """Return one record per row; ``kind`` is a key of TYPES."""
    random = context.random
    message = Record if context.chance(0.8) else UnpackedRecord
    shape = [context.width] if context.chance(0.5) else []
    has_label = context.chance(0.3)
    frames = []
    for row in context.table:
        keys, values = _choose_values(context, row, kind)
        written = record(values, keys, shape, kind.partition(" ")[2], message)
        if has_label:
            written = labeled(written, random.random(), uid=str(random.random()))
        frames.append(_frame(written, in_parts=context.chance(0.02)))
    return context.build_payload(b"".join(frames), MEDIA_TYPE, f"recordio: {kind}")


def _choose_values(context: Context, row: list[float], kind: str) -> tuple[list[int], list[Any]]:
    """Return the keys and the values of a tensor; a dense one has no keys."""
    convert = int if kind.endswith("int32") else float
    if kind.startswith("dense"):
        return [], list(map(convert, row))
    keys = [index for index, number in enumerate(row) if not is_missing(number)]
    if context.chance(0.2):
        context.random.shuffle(keys)
    return keys, [convert(row[key]) for key in keys]


def _frame(message: bytes, *, in_parts: bool) -> bytes:
    """Return a framed message; one in parts is split at a magic number in its metadata."""
    if not in_parts:
        return framed(message)
    # MAGIC is not UTF-8, so it is in a field that the message does not define.
    unknown = bytes([15 << 3 | 2, len(MAGIC_BYTES)]) + MAGIC_BYTES
    first, *middle, last = (message + unknown).split(MAGIC_BYTES)
    parts = [framed(first, FIRST), *(framed(part, MIDDLE) for part in middle)]
    return b"".join([*parts, framed(last, LAST)])
