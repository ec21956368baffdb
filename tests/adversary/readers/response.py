"""Read a response strictly: its outputs by key, float32, and the rows reported as errors."""

import csv
import io
import json
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from tests.adversary.columns import NUMBER
from tests.adversary.expected import Outputs
from tests.support.protobuf import MAGIC, Record

# The values of one record by key; None is a row that was reported as an error.
Row = dict[str, list[float]] | None
HEADER = struct.Struct("<II")


class BadResponse(ValueError):
    """A response that is not what the documentation says."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The keys of a response with their widths, and whether rows may be errors."""

    widths: dict[str, int]
    row_errors: bool

    @property
    def is_score(self) -> bool:
        return list(self.widths) == ["score"]


def read_response(content_type: str, body: bytes, shape: Shape) -> list[Row]:
    """Return the values of each record; raises BadResponse."""
    reader = READERS.get(content_type.partition(";")[0])
    if reader is None:
        raise BadResponse(f"Content-Type: {content_type}")
    try:
        return reader(body, shape)
    except (ValueError, KeyError, TypeError, IndexError, struct.error, csv.Error) as error:
        raise BadResponse(f"{type(error).__name__}: {error}") from error


def find_difference(expected: Outputs, rows: Sequence[Row], indices: Sequence[int]) -> str | None:
    """Return the first difference between the expected outputs and the rows at these indices."""
    for key, values in expected.items():
        got = np.array([(rows[index] or {})[key] for index in indices], dtype=np.float32)
        got = got.reshape(values.shape) if got.size == values.size else got
        if got.shape != values.shape:
            return f"{key}: expected shape {values.shape}, got {got.shape}"
        same = (_to_bits(got) == _to_bits(values)).all(axis=1)
        if not same.all():
            row = int(np.flatnonzero(~same)[0])
            return f"row {indices[row] + 1}, {key}: expected {values[row]}, got {got[row]}"
    return None


def _to_bits(values: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Return the bits of each number, with equal bits for all NaN."""
    return np.where(np.isnan(values), np.float32(np.nan), values).view(np.uint32)


def _read_csv(body: bytes, shape: Shape) -> list[Row]:
    text = body.decode()
    if text and not text.endswith("\n"):
        raise BadResponse("no final line break")
    if "\n\n" in text or text.startswith("\n"):
        raise BadResponse("a blank line")
    if not shape.is_score:
        lines = csv.reader(io.StringIO(text, newline=""), strict=True)
        return [_read_csv_cells(cells, shape) for cells in lines]
    return [_read_csv_cells(line.split(","), shape) for line in text.split("\n")[:-1]]


def _read_csv_cells(cells: list[str], shape: Shape) -> Row:
    if cells == ["ERROR"] and shape.row_errors:
        return None
    if shape.is_score:
        return {"score": [_read_csv_number(cell) for cell in cells]}
    pairs = zip(shape.widths, cells, strict=True)
    return {key: _read_csv_cell(cell) for key, cell in pairs}


def _read_csv_cell(cell: str) -> list[float]:
    if cell.startswith("[") and cell.endswith("]"):
        return [_read_csv_number(text.strip()) for text in cell[1:-1].split(",")]
    return [_read_csv_number(cell)]


def _read_csv_number(text: str) -> float:
    if text in ("nan", "inf", "-inf") or NUMBER.fullmatch(text):
        return float(text)
    raise BadResponse(f"not a number: {text!r}")


def _reject_constant(name: str) -> NoReturn:
    raise BadResponse(f"{name} is not JSON")


def _read_strictly(text: str) -> Any:
    return json.loads(text, parse_constant=_reject_constant)


def _read_json(body: bytes, shape: Shape) -> list[Row]:
    document = _read_strictly(body.decode())
    if list(document) != ["predictions"]:
        raise BadResponse(f"keys: {list(document)}")
    return [_read_object(row, shape) for row in document["predictions"]]


def _read_json_lines(body: bytes, shape: Shape) -> list[Row]:
    lines = body.decode().split("\n")
    if lines.pop():
        raise BadResponse("no final line break")
    return [_read_object(_read_strictly(line), shape) for line in lines]


def _read_object(row: dict[str, Any], shape: Shape) -> Row:
    if list(row) == ["error"] and shape.row_errors and isinstance(row["error"], str):
        return None
    if list(row) != list(shape.widths):
        raise BadResponse(f"keys: {list(row)}")
    values = {key: value if isinstance(value, list) else [value] for key, value in row.items()}
    return {key: [_read_json_number(item) for item in items] for key, items in values.items()}


def _read_json_number(value: Any) -> float:
    if value is None:
        return float("nan")
    if type(value) not in (int, float):
        raise BadResponse(f"not a number: {value!r}")
    return float(value)


def _read_recordio(body: bytes, shape: Shape) -> list[Row]:
    rows: list[Row] = []
    offset = 0
    while offset < len(body):
        magic, length = HEADER.unpack_from(body, offset)
        if magic != MAGIC:
            raise BadResponse(f"magic number {magic:x}")
        start = offset + HEADER.size
        labels = Record.FromString(body[start : start + length]).label
        if set(labels) != set(shape.widths):
            raise BadResponse(f"labels: {sorted(labels)}")
        rows.append({key: list(labels[key].float32_tensor.values) for key in shape.widths})
        offset = start + length + -length % 4
    if offset != len(body):
        raise BadResponse("truncated record")
    return rows


def _read_npy(body: bytes, shape: Shape) -> list[Row]:
    array = np.load(io.BytesIO(body), allow_pickle=False)
    if array.dtype != np.float32 or array.ndim not in (1, 2):
        raise BadResponse(f"{array.dtype} {array.shape}")
    if not len(array):
        return []
    ends = np.cumsum(list(shape.widths.values()))
    parts = np.split(array.reshape(len(array), -1), ends, axis=1)
    if parts.pop().size:
        raise BadResponse(f"more than {ends[-1]} values a row")
    lists = [part.tolist() for part in parts]
    return [dict(zip(shape.widths, values, strict=True)) for values in zip(*lists, strict=True)]


READERS: dict[str, Callable[[bytes, Shape], list[Row]]] = {
    "text/csv": _read_csv,
    "application/json": _read_json,
    "application/jsonlines": _read_json_lines,
    "application/x-recordio-protobuf": _read_recordio,
    "application/x-npy": _read_npy,
}
