"""Write and read SageMaker's recordio-protobuf with Google's library.

The message is defined as in the SageMaker guide.
"""

import struct
from collections.abc import Iterable
from typing import Any

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from numpy.typing import NDArray

MAGIC = 0xCED7230A
TENSORS = {
    "Float32Tensor": ("float32_tensor", 2),
    "Float64Tensor": ("float64_tensor", 3),
    "Int32Tensor": ("int32_tensor", 7),
}
pb: Any = descriptor_pb2  # its classes are created at run time
FIELD = pb.FieldDescriptorProto


def _record_class(*, packed: bool) -> Any:
    file = pb.FileDescriptorProto(name="record.proto", package="aialgs.data", syntax="proto2")
    kinds = (FIELD.TYPE_FLOAT, FIELD.TYPE_DOUBLE, FIELD.TYPE_INT32)
    for name, kind in zip(TENSORS, kinds, strict=True):
        tensor = file.message_type.add(name=name)
        for number, (key, type_of) in enumerate(
            (("values", kind), ("keys", FIELD.TYPE_UINT64), ("shape", FIELD.TYPE_UINT64)), 1
        ):
            _add(tensor, key, number, type_of, many=True).options.packed = packed
    _add(file.message_type.add(name="Bytes"), "value", 1, FIELD.TYPE_BYTES, many=True)
    value = file.message_type.add(name="Value")
    value.oneof_decl.add(name="value")
    for name, (key, number) in {**TENSORS, "Bytes": ("bytes", 9)}.items():
        _add(value, key, number, name).oneof_index = 0
    record = file.message_type.add(name="Record")
    for number, key in enumerate(("features", "label"), 1):
        entry = record.nested_type.add(name=f"{key.capitalize()}Entry")
        entry.options.map_entry = True
        _add(entry, "key", 1, FIELD.TYPE_STRING)
        _add(entry, "value", 2, "Value")
        _add(record, key, number, f"Record.{entry.name}", many=True)
    for number, key in enumerate(("uid", "metadata", "configuration"), 3):
        _add(record, key, number, FIELD.TYPE_STRING)
    pool: Any = descriptor_pool
    pool = pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("aialgs.data.Record"))  # type: ignore[no-untyped-call]


def _add(message: Any, name: str, number: int, type_of: int | str, *, many: bool = False) -> Any:
    """Add a field of a scalar or message type to a message definition."""
    label = FIELD.LABEL_REPEATED if many else FIELD.LABEL_OPTIONAL
    kind = (
        {"type": FIELD.TYPE_MESSAGE, "type_name": f".aialgs.data.{type_of}"}
        if isinstance(type_of, str)
        else {"type": type_of}
    )
    return message.field.add(name=name, number=number, label=label, **kind)


Record = _record_class(packed=True)
UnpackedRecord = _record_class(packed=False)


def record(
    values: Iterable[float],
    keys: Iterable[int] = (),
    shape: Iterable[int] = (),
    kind: str = "float32",
    message: Any = Record,
) -> bytes:
    """Return the serialized message of one record."""
    written = message()
    tensor = getattr(written.features["values"], f"{kind}_tensor")
    tensor.SetInParent()
    tensor.values.extend(values)
    tensor.keys.extend(keys)
    tensor.shape.extend(shape)
    serialized: bytes = written.SerializeToString()
    return serialized


def labeled(message: bytes, label: float, **texts: str) -> bytes:
    """Return a record with a label and text fields after its features."""
    more = Record(**texts)
    more.label["values"].float32_tensor.values.append(label)
    added: bytes = more.SerializeToString()
    return message + added


def framed(message: bytes, flag: int = 0) -> bytes:
    """Return a framed message: magic number, flag and length, message, padding to four bytes."""
    return struct.pack("<II", MAGIC, len(message) | flag << 29) + message + bytes(-len(message) % 4)


def dense(matrix: NDArray[Any], kind: str = "float32") -> bytes:
    """Return one record per row, with all its values."""
    return b"".join(framed(record(row.tolist(), kind=kind)) for row in matrix)


def sparse(matrix: NDArray[Any], kind: str = "float32", *, shape: bool = True) -> bytes:
    """Return one record per row, with only the values that are not NaN."""
    messages = []
    for row in matrix:
        keys = np.flatnonzero(~np.isnan(row))
        messages.append(
            record(row[keys].tolist(), keys.tolist(), [len(row)] if shape else [], kind)
        )
    return b"".join(map(framed, messages))


def read_scores(body: bytes) -> list[list[float]]:
    """Return the label "score" of each record in a response."""
    scores, offset = [], 0
    while offset < len(body):
        magic, length = struct.unpack_from("<II", body, offset)
        assert magic == MAGIC
        read = Record.FromString(body[offset + 8 : offset + 8 + length])
        assert set(read.label) == {"score"}
        assert not read.features
        scores.append(list(read.label["score"].float32_tensor.values))
        offset += 8 + length + -length % 4
    return scores
