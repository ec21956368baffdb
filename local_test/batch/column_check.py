"""Checks that the columns of the input are the model's, in the model's order."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import zip_longest

from local_test.batch.errors import JobFailed
from local_test.batch.feature_names import (
    NamesDiffer,
    NotReported,
    OrderUnknown,
    fetch_feature_names,
)
from local_test.batch.header import Header, read_delimiter, split_cells
from serve.column_names import match_names, strip_blanks
from serve.media.types import parse_content_type
from serve.text import quoted

LATER_PAYLOADS = "all payloads except the first"
RENAME = "the header does not match the model's columns; rename, add or remove columns in the file"
BY_NAME = "set HEADER=repeat (--header repeat) to match them by name"
REORDER = f"reorder the columns, or {BY_NAME}"
REMOVE_HEADER = f"remove the header if the columns are in the model's order, or {BY_NAME}"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is or may be wrong with the columns, what that does to payloads, and the remedy."""

    text: str
    effect: str
    remedy: str = ""


def check_columns(header: Header, url: str, media_type: str, warn: Callable[[str], None]) -> None:
    """Check that payloads without the header have the model's columns, in the model's order.

    A container that is not this project's cannot be asked for them, which is a warning.

    Raises:
        JobFailed: the columns differ or cannot be checked, and the header is dropped.
    """
    if header.mode == "repeat":
        return
    try:
        problem = _find_problem(header, url, media_type)
    except NotReported:
        warn("column names not checked: the container does not report the model's feature names")
        return
    if problem is None:
        return
    if header.mode == "drop":
        raise JobFailed("; ".join(filter(None, (problem.text, problem.remedy))))
    warn(f"{problem.effect}: {problem.text}")


def _find_problem(header: Header, url: str, media_type: str) -> Problem | None:
    """Return the problem with the columns, or None; raises NotReported."""
    delimiter = read_delimiter(parse_content_type(media_type).parameters) or ","
    try:
        expected = fetch_feature_names(url, header, media_type, delimiter)
    except NamesDiffer as error:
        return Problem(f"{RENAME}: {error}", "all payloads will be rejected or misread")
    except OrderUnknown as error:
        text = f"the order of the columns cannot be checked: {error}"
        return Problem(text, f"{LATER_PAYLOADS} may be misread", REMOVE_HEADER)
    mismatch = _describe_first_difference(split_cells(header.line, delimiter), expected)
    if mismatch is None:
        return None
    text = f"the columns do not match the model's: {mismatch}"
    return Problem(text, f"{LATER_PAYLOADS} will be misread", REORDER)


def _describe_first_difference(names: list[str], expected: list[str]) -> str | None:
    """Return the first column whose name differs; None if there is none, or no expected name."""
    if not expected:
        return None
    pairs = zip_longest(match_names(names, expected), expected)
    for number, (name, feature) in enumerate(pairs, 1):
        if name != feature:
            return f"column {number}: expected {_quote(feature)}, got {_quote(name)}"
    return None


def _quote(name: str | None) -> str:
    return "no column" if name is None else quoted(strip_blanks(name))
