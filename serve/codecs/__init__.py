"""Codecs: one module or package per media type, which decodes payloads and encodes predictions.

``CODECS`` and ``DECODERS`` register the modules. The name of a new media type also belongs in
serve/media/types.py.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from serve.codecs import npy
from serve.codecs.charset import UTF_8, find_charset
from serve.codecs.csv import codec as csv
from serve.codecs.csv.dialect import check_parameters
from serve.codecs.csv.header import check_names
from serve.codecs.csv.ignored import parse_ignored
from serve.codecs.json import codec as json
from serve.codecs.json import lines as jsonlines
from serve.codecs.libsvm import codec as libsvm
from serve.codecs.recordio import codec as recordio
from serve.columns import Columns
from serve.errors import UnsupportedMediaType
from serve.media.parameters import check_content_type_parameters
from serve.media.types import (
    CSV,
    JSON,
    JSON_LINES,
    LIBSVM,
    NPY,
    RECORDIO,
    MediaType,
    parse_content_type,
)
from serve.media.unsupported import describe_content_type
from serve.records import Records
from serve.schema.schema import Schema


class Decoder(Protocol):
    """The module of a media type that requests can have."""

    def decode(
        self, payload: bytes, parameters: Mapping[str, str], schema: Schema
    ) -> Iterator[Records]:
        """Yield the payload's records in slices, in order.

        ``parameters`` are those of the Content-Type. Raises MalformedPayload and SchemaMismatch.
        """


class Codec(Decoder, Protocol):
    """The module of a media type that requests and responses can have.

    ``CONCATENATES`` promises that the encoded predictions of two slices, one after the other, equal
    the encoded predictions of both slices together.
    """

    CONCATENATES: bool

    def encode(self, predictions: NDArray[np.float32]) -> bytes:
        """Return the encoded predictions, float32 (n,) or (n, k), one per record, in order."""

    def encode_columns(self, columns: Columns) -> bytes:
        """Return the encoded columns, each of which has one value per record, in order."""

    def join(self, encoded: list[bytes]) -> list[bytes]:
        """Return one response, in pieces, given the encoded predictions of its slices.

        The list may be changed, because holding it and the response would need twice the memory.
        """


class LineCodec(Codec, Protocol):
    """The module of a media type whose lines can be decoded one by one."""

    def split_header(
        self, payload: bytes, parameters: Mapping[str, str], schema: Schema
    ) -> tuple[bytes | None, tuple[str, ...] | None]:
        """Return the lines below the header and the header's names; either may be None.

        Raises MalformedPayload and SchemaMismatch.
        """

    def read_lines(
        self, lines: bytes, first_row: int, names: tuple[str, ...] | None, schema: Schema
    ) -> Iterator[Records]:
        """Yield lines as records, the first of which is row ``first_row``.

        Raises MalformedPayload and SchemaMismatch.
        """


# Payloads and responses that can be read and written line by line.
LINE_CODECS: dict[str, LineCodec] = {CSV: csv, JSON_LINES: jsonlines}
# Requests and responses.
CODECS: dict[str, Codec] = {
    CSV: csv,
    JSON: json,
    JSON_LINES: jsonlines,
    RECORDIO: recordio,
    NPY: npy,
}
# Requests only: libsvm has no form for predictions.
DECODERS: dict[str, Decoder] = {**CODECS, LIBSVM: libsvm}


def check_csv_parameters(parameters: Mapping[str, str]) -> None:
    """Raise UnsupportedMediaType or MalformedPayload for an invalid parameter of text/csv."""
    check_parameters(parameters)
    parse_ignored(parameters)


TEXT_TYPES = (CSV, JSON, JSON_LINES, LIBSVM)
PARAMETER_CHECKS: dict[str, Callable[[Mapping[str, str]], None]] = {
    CSV: check_csv_parameters,
    LIBSVM: libsvm.check_parameters,
}


def find_decoder(media_type: str) -> Decoder:
    """Return the decoder of a media type; raises UnsupportedMediaType."""
    try:
        return DECODERS[media_type]
    except KeyError:
        message = describe_content_type(media_type, list(DECODERS))
        raise UnsupportedMediaType(message) from None


def read_content_type(header: str | None) -> MediaType:
    """Return the media type of a payload and its parameters, all of which are valid.

    Raises UnsupportedMediaType and MalformedPayload.
    """
    media_type = parse_content_type(header)
    find_decoder(media_type.name)
    check_content_type_parameters(header, media_type.name)
    choose_charset(media_type)
    if media_type.name in PARAMETER_CHECKS:
        PARAMETER_CHECKS[media_type.name](media_type.parameters)
    return media_type


def check_model_accepts(media_type: MediaType, schema: Schema) -> None:
    """Raise SchemaMismatch if every payload with this media type would be rejected."""
    if media_type.name == CSV:
        check_names(media_type.parameters, schema)


def choose_schema(media_type: str, parameters: Mapping[str, str], schema: Schema) -> Schema:
    """Return the schema of a payload, which may ignore more columns than the model's."""
    if not parameters or media_type != CSV:
        return schema
    names = parse_ignored(parameters)
    return schema.ignoring(names) if names else schema


def choose_charset(media_type: MediaType) -> str:
    """Return the charset of a payload, UTF-8 if it is binary; raises UnsupportedMediaType."""
    return find_charset(media_type.parameters) if media_type.name in TEXT_TYPES else UTF_8
