"""HEADER=auto: send a header with every payload if it has the model's names."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from local_test.batch.errors import JobFailed
from local_test.batch.feature_names import NamesDiffer, NoNames, NotReported, check_names
from local_test.batch.header import AUTO, Header
from serve.text import quoted

CHOICES = (
    "set HEADER=drop (--header drop) to remove it, if the columns are in the model's order; "
    "HEADER=send (--header send) to send it in the first payload only, as SageMaker does; or "
    "HEADER=repeat (--header repeat) to send it in every payload. "
    "If it is a record, set CONTENT_TYPE='text/csv; header=absent'"
)
IGNORE = (
    "to ignore unknown columns, such as id, "
    "set CONTENT_TYPE='text/csv; header=present; ignore=id' (--content-type)"
)


def choose_mode(
    header: Header, source: Path, url: str, media_type: str, report: Callable[[str], None]
) -> Header | None:
    """Return the header with a mode other than auto, or None if the line is a record.

    Raises JobFailed for a header with other names, and for one that cannot be checked.
    """
    if header.mode != AUTO:
        return header
    try:
        check_names(url, header, media_type)
    except (NamesDiffer, NoNames, NotReported) as error:
        if header.is_certain:
            raise JobFailed(_explain(error, header, source)) from error
        return None
    report("Header with the model's column names: it is sent with every payload")
    return replace(header, mode="repeat")


def _explain(error: Exception, header: Header, source: Path) -> str:
    """Return why a header cannot be sent with every payload, and what to do."""
    if isinstance(error, NamesDiffer):
        hint = IGNORE if "unknown column" in str(error) else "correct the columns of the file"
        return f"the header of {source} does not match the model's columns: {error}; {hint}"
    reason = "the model has no column names"
    if isinstance(error, NotReported):
        reason = "the container does not check the names of columns"
    text = quoted(header.line.decode("utf-8", "replace").strip())
    return f"the first line of {source} looks like a header: {text}, but {reason}: {CHOICES}"
