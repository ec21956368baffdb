"""Ignored columns of CSV: the parameter ``ignore``, and how to drop the cells of plain lines.

Example: ``text/csv; header=present; ignore=id+comment``.
"""

from collections.abc import Mapping

from serve.codecs.csv.dialect import parse_header
from serve.errors import UnsupportedMediaType
from serve.media.parameters import IGNORE
from serve.schema.ignored import build_selector
from serve.schema.schema import Schema

Names = tuple[str, ...] | None


def parse_ignored(parameters: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names in the parameter ``ignore``, separated by commas, or else by +.

    Raises UnsupportedMediaType if there is none, or no header.
    """
    if IGNORE not in parameters:
        return ()
    text = parameters[IGNORE]
    names = [name.strip() for name in text.split("," if "," in text else "+")]
    if not any(names):
        raise UnsupportedMediaType(
            'Content-Type: ignore= expects column names, such as ignore=id, or ignore="id,comment"'
        )
    if parse_header(parameters) != "present":
        raise UnsupportedMediaType(
            "Content-Type: ignore= requires header=present, because columns are ignored by name"
        )
    return tuple(name for name in names if name)


def drop_ignored_cells(lines: bytes, names: Names, schema: Schema) -> tuple[bytes, Names]:
    """Return lines and names without ignored columns.

    They are unchanged if there are none, if cells are quoted, or if a line has too few or too many.
    """
    kept = schema.find_kept(names)
    if names is None or kept is None or b'"' in lines:
        return lines, names
    rows = [line.split(b",") for line in lines.split(b"\n")]
    if any(len(row) != len(names) for row in rows):
        return lines, names
    select = build_selector(kept)
    return b"\n".join([b",".join(select(row)) for row in rows]), select(names)
