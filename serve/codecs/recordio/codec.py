"""application/x-recordio-protobuf: one SageMaker Record message in a RecordIO frame per record.

Source: contract 3.17.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serve.codecs.recordio.frames import Frame, compute_padding, read_frame, write_header
from serve.codecs.recordio.protobuf import LENGTH_DELIMITED, InvalidMessage, read_fields
from serve.codecs.sparse import compute_rows_per_slice
from serve.codecs.tensor import FEATURES, FLOAT32, KEY, VALUE, VALUES, Tensor, read_tensor
from serve.columns import Columns, flatten_columns
from serve.errors import SENT, MalformedPayload, SchemaMismatch
from serve.records import Matrix, Records
from serve.schema.schema import Schema
from serve.text import counted, quoted

CONCATENATES = True

# A Record has four fields besides its features. Fields beyond this number are compared like fixed
# bytes, so records that have them are often read one by one.
MAX_IGNORED_FIELDS = 8
# SageMaker's own algorithms return predictions as the label "score".
LABEL, SCORE = 2, b"score"
FLOAT32_BYTES = 4


def decode(payload: bytes, _parameters: Mapping[str, str], schema: Schema) -> Iterator[Records]:
    """Yield dense and sparse records; one with an empty tensor is a row of missing values.

    Raises MalformedPayload and SchemaMismatch.
    """
    offset, row = 0, 1
    while offset < len(payload):
        uniform = _read_uniform_records(payload, offset, row, schema.width)
        numbers, offset = uniform or _read_one_by_one(payload, offset, row, schema)
        yield Matrix(numbers, row)
        row += len(numbers)


def encode(predictions: NDArray[np.float32]) -> bytes:
    """Return one record per prediction, with its values as the label "score", float32."""
    if not len(predictions):
        return b""
    return _encode_labels({SCORE: predictions.reshape(len(predictions), -1)})


def encode_columns(columns: Columns) -> bytes:
    """Return one record per prediction, with each column as a float32 label; null is NaN."""
    labels = {name.encode(): values for name, values in flatten_columns(columns).items()}
    return _encode_labels(labels) if labels else b""


def join(encoded: list[bytes]) -> list[bytes]:
    """Return the encoded slices, which are a response one after the other."""
    return encoded


def _encode_labels(labels: Mapping[bytes, NDArray[np.float32]]) -> bytes:
    """Return one record per row of the labels, float32 (n, k); all records have the same length."""
    rows = len(next(iter(labels.values())))
    pieces = []
    for label, values in labels.items():
        length = values.shape[1] * FLOAT32_BYTES
        pieces.append(_repeat(_encode_label_prefix(label, length), rows))
        octets = np.ascontiguousarray(values, dtype="<f4").view(np.uint8)
        pieces.append(octets.reshape(rows, length))
    length = sum(piece.shape[1] for piece in pieces)
    header = _repeat(write_header(length), rows)
    padding = np.zeros((rows, compute_padding(length)), dtype=np.uint8)
    return np.concatenate([header, *pieces, padding], axis=1).tobytes()


def _encode_label_prefix(label: bytes, length: int) -> bytes:
    """Return the bytes of a label before its values; ``length`` is the values' length in bytes.

    The prefix is built from the inside out, because each level contains the length of the next.
    """
    key = _encode_field_prefix(KEY, len(label)) + label
    prefix = _encode_field_prefix(VALUES, length)
    prefix = _encode_field_prefix(FLOAT32, length + len(prefix)) + prefix
    prefix = key + _encode_field_prefix(VALUE, length + len(prefix)) + prefix
    return _encode_field_prefix(LABEL, length + len(prefix)) + prefix


def _encode_field_prefix(number: int, length: int) -> bytes:
    """Return the tag and the length of a length-delimited field."""
    octets = [number << 3 | LENGTH_DELIMITED]
    while length >= 1 << 7:
        octets.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([*octets, length])


def _repeat(octets: bytes, rows: int) -> NDArray[np.uint8]:
    return np.broadcast_to(np.frombuffer(octets, np.uint8), (rows, len(octets)))


def _read_uniform_records(
    payload: bytes, offset: int, row: int, width: int
) -> tuple[NDArray[Any], int] | None:
    """Return the values of the next records, and the offset after these records.

    The records may differ only in their values and ignored fields. Reading such records
    together is many times faster than reading them one by one. Return None if there are fewer than
    two such records.
    """
    first = read_frame(payload, offset, row, width)
    tensor = _read_message(first, row, width)
    if first.buffer is not payload or tensor.span is None or tensor.dtype is None:
        return None
    if len(tensor.values) != width or tensor.size not in (None, width):
        return None
    step = first.next_offset - offset
    count = min((len(payload) - offset) // step, compute_rows_per_slice(width))
    if count <= 1:
        return None
    frames = np.frombuffer(payload, np.uint8, count * step, offset).reshape(count, step)
    fixed = np.ones(step, dtype=bool)
    for start, end in [*_find_ignored_spans(first), tensor.span]:
        fixed[start - offset : end - offset] = False
    fixed[first.end - offset :] = False  # the padding
    differing = np.flatnonzero((frames[:, fixed] != frames[0, fixed]).any(axis=1))
    if len(differing):
        count = int(differing[0])
    if count <= 1:
        return None
    start, end = tensor.span[0] - offset, tensor.span[1] - offset
    values = np.ascontiguousarray(frames[:count, start:end]).view(tensor.dtype)
    return values, offset + count * step


def _find_ignored_spans(frame: Frame) -> list[tuple[int, int]]:
    """Return the offsets of the values of ignored fields, such as labels, IDs and metadata."""
    fields = islice(read_fields(frame.buffer, frame.start, frame.end), MAX_IGNORED_FIELDS)
    return [
        (field.start, field.end)
        for field in fields
        if field.number != FEATURES and field.wire_type == LENGTH_DELIMITED
    ]


def _read_one_by_one(
    payload: bytes, offset: int, row: int, schema: Schema
) -> tuple[NDArray[np.float64], int]:
    tensors: list[Tensor] = []
    while offset < len(payload) and len(tensors) < compute_rows_per_slice(schema.width):
        frame = read_frame(payload, offset, row + len(tensors), schema.width)
        tensor = _read_message(frame, row + len(tensors), schema.width)
        _check_columns(tensor, row + len(tensors), schema)
        tensors.append(tensor)
        offset = frame.next_offset
    numbers = np.full((len(tensors), schema.width), np.nan)
    for values, tensor in zip(numbers, tensors, strict=True):
        if len(tensor.keys):
            values[tensor.keys.astype(np.intp)] = tensor.values
        elif len(tensor.values):
            values[:] = tensor.values
    return numbers, offset


def _read_message(frame: Frame, row: int, width: int) -> Tensor:
    try:
        return read_tensor(frame.buffer, frame.start, frame.end, width)
    except InvalidMessage as error:
        raise MalformedPayload(f"row {row}: invalid protobuf record: {error}") from error


def _check_columns(tensor: Tensor, row: int, schema: Schema) -> None:
    """Raise SchemaMismatch or MalformedPayload if a record does not have the model's columns."""
    value_count, keys = len(tensor.values), tensor.keys
    if tensor.size not in (None, schema.width):
        raise SchemaMismatch(
            f"row {row}: expected a tensor of {schema.width:,} values, got {SENT}",
            quoted(tensor.size),
        )
    if not len(keys):
        if value_count not in (0, schema.width):
            raise SchemaMismatch(schema.describe_width_mismatch(row, value_count))
        return
    if len(keys) != value_count:
        raise MalformedPayload(
            f"row {row}: expected as many keys as values, "
            f"got {counted(len(keys), 'key')} and {counted(value_count, 'value')}"
        )
    if int(keys.max()) >= schema.width:
        raise SchemaMismatch(
            f"row {row}: expected keys from 0 to {schema.width - 1}, got {SENT}", f"{keys.max()}"
        )
    if len(set(keys.tolist())) != len(keys):
        raise MalformedPayload(f"row {row}: duplicate key")
