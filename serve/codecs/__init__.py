"""The codecs: one module for each media type, from payload to records and from predictions to reply."""

from collections.abc import Iterator, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from serve.codecs import csv, json, jsonlines, libsvm, npy, recordio
from serve.columns import Columns
from serve.errors import UnsupportedMediaType
from serve.media_types import CSV, JSON, JSON_LINES, LIBSVM, NPY, RECORDIO
from serve.records import Records
from serve.schema.schema import Schema
from serve.text import quoted


class Decoder(Protocol):
    """What the module of a media type has that comes in."""

    def decode(
        self, payload: bytes, parameters: Mapping[str, str], schema: Schema
    ) -> Iterator[Records]:
        """Yield the payload's records in slices, in order; raises MalformedPayload and SchemaMismatch."""


class Codec(Decoder, Protocol):
    """What the module of a media type has that comes in and goes out.

    ``CONCATENATES`` promises that the encoded replies of two slices, one after the other, are the reply of both.
    """

    CONCATENATES: bool

    def encode(self, predictions: NDArray[np.float32]) -> bytes:
        """Return predictions, float32 (n,) or (n, k), as one output for each record, in order."""

    def encode_columns(self, columns: Columns) -> bytes:
        """Return columns, each with a value or a list of them for each record, as one output for each record, in order."""


class LineCodec(Codec, Protocol):
    """What the module of a media type has whose records are lines, so that each can be read for itself."""

    def framed(
        self, payload: bytes, parameters: Mapping[str, str], schema: Schema
    ) -> tuple[bytes | None, tuple[str, ...] | None]:
        """Return the lines that are records, None for none, and the names before them; raises MalformedPayload, SchemaMismatch."""

    def records(
        self, lines: bytes, first_row: int, names: tuple[str, ...] | None, schema: Schema
    ) -> Iterator[Records]:
        """Yield such lines from this row on as records; raises MalformedPayload and SchemaMismatch."""


LINE_CODECS: dict[str, LineCodec] = {CSV: csv, JSON_LINES: jsonlines}
CODECS: dict[str, Codec] = {
    CSV: csv,
    JSON: json,
    JSON_LINES: jsonlines,
    RECORDIO: recordio,
    NPY: npy,
}
DECODERS: dict[str, Decoder] = {**CODECS, LIBSVM: libsvm}


def decoder_for(media_type: str) -> Decoder:
    """Return what reads a media type; raises UnsupportedMediaType."""
    try:
        return DECODERS[media_type]
    except KeyError:
        raise UnsupportedMediaType(
            f"{quoted(media_type)} is no Content-Type that can be read here: send {', '.join(DECODERS)}"
        ) from None
