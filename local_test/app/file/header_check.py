"""Checks of a file's first line: whether it is a header, and whether it has the model's names."""

from collections.abc import Sequence
from operator import contains

from local_test.app.file.records import BadFile
from local_test.app.schema import Schema
from serve.column_names import MIN_NUMBERED_COLUMNS, are_numbered
from serve.text import is_number


def check_ambiguity(cells: Sequence[str], schema: Schema) -> None:
    """Reject a first line that could be either the header or a record; raises BadFile."""
    pairs = zip(cells, schema.features, strict=True)
    if all(cell in feature.options or is_number(cell) for cell, feature in pairs):
        raise BadFile(
            "the first line could be a header or a record; if it is a header, remove it, "
            "otherwise move it below another record"
        )


def check_names(cells: Sequence[str], schema: Schema) -> None:
    """Reject a header with other column names than the schema's; raises BadFile.

    Without this check, cells would be assigned to the schema's columns by position alone.
    """
    if not _looks_like_header(cells, schema):
        return
    if not schema.is_named:
        raise BadFile(
            "the first line looks like a header, but the model has no column names to compare it "
            "with; remove it if the columns are in the required order"
        )
    problems = {
        "missing": [name for name in schema.names if name not in cells],
        "unknown": [cell for cell in cells if cell not in schema.names],
        "repeated": sorted({cell for cell in cells if cells.count(cell) > 1}),
    }
    details = "; ".join(
        f"{problem}: {', '.join(names)}" for problem, names in problems.items() if names
    )
    raise BadFile(f"the header’s column names do not match the model’s: {details}")


def _looks_like_header(cells: Sequence[str], schema: Schema) -> bool:
    """Return whether most cells are column names, or every cell is a word that is not a value."""
    if not schema.is_named and len(cells) >= MIN_NUMBERED_COLUMNS and are_numbered(cells):
        return True
    known = sum(cell in schema.names for cell in cells)
    if 2 * known > len(cells):
        return True
    all_words = bool(cells) and all(cell and not is_number(cell) for cell in cells)
    options = (feature.options for feature in schema.features)
    return all_words and not any(map(contains, options, cells))
