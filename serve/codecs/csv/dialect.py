"""CSV dialect: the parameters ``header``, ``delimiter`` and ``label_size`` of text/csv.

Source: contract 3.6. AWS's image guesses the delimiter and accepts only ``label_size=1``, although
AWS's guide also uses ``label_size=0``.
"""

import csv
import io
from collections.abc import Mapping
from functools import lru_cache

from serve.codecs.csv.text import CsvText, RowTooLong
from serve.codecs.lines import split_slices
from serve.codecs.row_limits import describe_long_row
from serve.diagnosis.invalid_csv import explain_invalid_csv
from serve.errors import MalformedPayload, UnsupportedMediaType
from serve.media.types import DELIMITERS
from serve.schema.schema import Schema
from serve.text import quoted

DOCUMENTED_NAMES = ("comma", "tab", "semicolon", "pipe", "space")
NUMBER_PUNCTUATION = "+-._"
LABEL_SIZES = ("0", "1")
HEADER_VALUES = ("present", "absent")
CACHED_DELIMITERS = 32


def check_parameters(parameters: Mapping[str, str]) -> None:
    """Raise UnsupportedMediaType, or MalformedPayload for ``header``, if a value is invalid."""
    parse_header(parameters)
    _check_label_size(parameters)
    _parse_delimiter(parameters.get("delimiter", ","))


def parse_header(parameters: Mapping[str, str]) -> str:
    """Return "present", "absent", or "" without a ``header`` parameter; raises MalformedPayload."""
    header = parameters.get("header")
    if header is None:
        return ""
    if header.lower() not in HEADER_VALUES:
        raise MalformedPayload(
            f"Content-Type: expected header=present or header=absent, got header={header}"
        )
    return header.lower()


def normalize_delimiter(body: bytes, parameters: Mapping[str, str], schema: Schema) -> bytes:
    """Return the body with commas in place of the ``delimiter`` parameter's character.

    Raises UnsupportedMediaType for an invalid delimiter, and MalformedPayload and SchemaMismatch
    for invalid CSV.
    """
    delimiter = _parse_delimiter(parameters.get("delimiter", ","))
    if delimiter == ",":
        return body
    if b"," not in body and b'"' not in body:
        return body.replace(delimiter.encode(), b",")
    return _rewrite(body.removesuffix(b"\n"), delimiter, schema)


def _check_label_size(parameters: Mapping[str, str]) -> None:
    label_size = parameters.get("label_size", "0")
    if label_size not in LABEL_SIZES:
        raise UnsupportedMediaType(
            f"Content-Type: expected label_size=0 or label_size=1, got {quoted(label_size)}; "
            "neither has an effect, because a payload contains no label"
        )


def _rewrite(body: bytes, delimiter: str, schema: Schema) -> bytes:
    """Return the CSV with commas as delimiters; cells with a comma or a line break are quoted."""
    text = CsvText(split_slices(body), 1, schema, delimiter)
    rewritten = io.BytesIO()
    try:
        while rows := text.read_batch():
            _check_delimiter(rows, schema)
            rewritten.write(_write(rows))
    except csv.Error as error:
        raise explain_invalid_csv(error, f"line {text.reader.line_num}", text.start) from error
    except RowTooLong as error:
        message = describe_long_row(text.reader.line_num, schema.width)
        raise MalformedPayload(message) from error
    return rewritten.getvalue()


def _check_delimiter(rows: list[list[str]], schema: Schema) -> None:
    """Raise MalformedPayload if commas separate the cells, although another character should."""
    if schema.width > 1 and all(len(row) == 1 and "," in row[0] for row in rows):
        raise MalformedPayload(
            f"{schema.describe_width_mismatch(1, 1)}; the cells are separated by commas, "
            "so remove the parameter delimiter from Content-Type"
        )


def _write(rows: list[list[str]]) -> bytes:
    # Only "unix" quotes a carriage return, which would otherwise end the line.
    has_carriage_return = any("\r" in cell for row in rows for cell in row)
    dialect = "unix" if has_carriage_return else "excel"
    rewritten = io.StringIO(newline="")
    csv.writer(rewritten, dialect, lineterminator="\n").writerows(rows)
    return rewritten.getvalue().encode()


@lru_cache(CACHED_DELIMITERS)
def _parse_delimiter(value: str) -> str:
    delimiter = DELIMITERS.get(value.lower(), value)
    if _is_valid_delimiter(delimiter):
        return delimiter
    raise UnsupportedMediaType(
        'Content-Type: expected a quoted character, such as delimiter=";", or a name '
        f"({', '.join(DOCUMENTED_NAMES)}), got delimiter={quoted(value)}; "
        f"letters, digits, quotes and {NUMBER_PUNCTUATION} are not delimiters"
    )


def _is_valid_delimiter(delimiter: str) -> bool:
    if len(delimiter) != 1 or not delimiter.isascii():
        return False
    if delimiter.isalnum() or delimiter == '"' or delimiter in NUMBER_PUNCTUATION:
        return False
    return delimiter.isprintable() or delimiter == "\t"
