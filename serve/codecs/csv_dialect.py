"""Dialect: what the parameters of text/csv say of its columns, ``delimiter`` and ``label_size``.

Source: contract 3.6; peers: AWS's image guesses the delimiter, and takes ``label_size=1`` and no other.
"""

import csv
import io
from collections.abc import Mapping

from serve.codecs.lines import text_of
from serve.errors import MalformedPayload, UnsupportedMediaType
from serve.media_types import DELIMITERS
from serve.text import listed, quoted

PART_OF_NUMBERS = "+-._"


def with_commas(body: bytes, parameters: Mapping[str, str]) -> bytes:
    """Return the body with commas between its columns, whatever its ``delimiter``; raises MalformedPayload.

    ``label_size=1`` has no effect, as with AWS's image: there is no label in what is to be predicted. Raises UnsupportedMediaType
    for any other, and for a delimiter that is none.
    """
    label_size = parameters.get("label_size", "1")
    if label_size != "1":
        raise UnsupportedMediaType(
            f"label_size={label_size}: expected label_size=1, or leave it out: no column is a label here"
        )
    delimiter = _delimiter(parameters.get("delimiter", ","))
    if delimiter == ",":
        return body
    if b"," not in body and b'"' not in body:
        return body.replace(delimiter.encode(), b",")
    reader = csv.reader(io.StringIO(text_of(body, 1), newline=""), delimiter=delimiter, strict=True)
    rewritten = io.StringIO(newline="")
    try:
        csv.writer(rewritten, lineterminator="\n").writerows(reader)
    except csv.Error as error:
        raise MalformedPayload(f"line {reader.line_num}: this is no CSV: {error}") from error
    return rewritten.getvalue().encode()


def _delimiter(value: str) -> str:
    delimiter = DELIMITERS.get(value.lower(), value)
    is_one = (
        len(delimiter) == 1
        and delimiter.isascii()
        and (delimiter.isprintable() or delimiter == "\t")
    )
    if is_one and not delimiter.isalnum() and delimiter != '"' and delimiter not in PART_OF_NUMBERS:
        return delimiter
    names = listed(name for name in DELIMITERS if len(name) > len(r"\t"))
    raise UnsupportedMediaType(
        f'delimiter={quoted(value)}: expected a character in quotes, such as delimiter=";", or {names}; '
        "no letter, digit, quote or part of a number"
    )
