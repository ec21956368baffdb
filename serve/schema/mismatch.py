"""Unfit: what messages say of records that do not fit the columns, and what a line that is no record may be meant as."""

from collections import Counter
from collections.abc import Sequence

from serve.errors import SENT, HeaderMismatch
from serve.records import Records
from serve.text import counted, is_number, listed

# How pandas calls the index that to_csv writes as a column: not at all, and so when it reads that again.
INDEX_NAMES = {"", "Unnamed: 0"}
# Names that stand around rows, here or at pandas and other servers, taken for those of a row's values.
WRAPPERS = {
    "instances",
    "feature_names",
    "columns",
    "index",
    "data",
    "dataframe_split",
    "dataframe_records",
    "inputs",
    "records",
}


def unfit_width(names: Sequence[str] | None, expected: int, row: int, width: int) -> str:
    """Return what is wrong with a row of so many columns."""
    known = "" if names is None else f"; the columns are {listed(names)}"
    return f"row {row}: expected {counted(expected, 'column')}, got {width:,}{known}"


def unfit_names(names: Sequence[str], expected: Sequence[str], place: str) -> tuple[str, str]:
    """Return what is wrong with the names that came, and what of it was sent."""
    missing = [name for name in expected if name not in names]
    unknown = [name for name in dict.fromkeys(names) if name not in expected]
    repeated = [name for name, count in Counter(names).items() if count > 1]
    sent = "; ".join(
        _fault(fault, some)
        for fault, some in (("unknown", unknown), ("repeated", repeated))
        if some
    )
    reasons = [_fault("missing", missing)] * bool(missing) + [SENT] * bool(sent)
    if unknown and WRAPPERS.issuperset(unknown) and len(missing) == len(expected):
        reasons.append(
            'application/json takes {"feature_names": [name, ...], "instances": [row, ...]}'
        )
    elif unknown and INDEX_NAMES.issuperset(unknown):
        reasons.append("to_csv(index=False) writes no index")
    elif unknown and not missing:
        reasons.append("leave out what is unknown")
    return f"{place}: {'; '.join(reasons)}", sent


def check_first_line(names: Sequence[str] | None, records: Records) -> None:
    """Tell what is wrong with the names of a first line that is no record, but mostly names; raises HeaderMismatch."""
    if not records.textual or records.names is not None or records.first_row != 1 or names is None:
        return
    cells = [str(cell).strip() for cell in records.rows[0]]
    if 2 * sum(cell in names for cell in cells) > len(cells) and sorted(cells) != sorted(names):
        raise HeaderMismatch(*unfit_names(cells, names, "row 1 looks like a header"))


def joined_hint(records: Records, expected: int) -> str:
    """Return what to add to a message about a single line that may be several: where two meet, two of their cells are one."""
    cells = len(records.rows[0])
    if (
        not records.textual
        or len(records.rows) > 1
        or not 1 < expected < cells
        or (cells - 1) % (expected - 1)
    ):
        return ""
    return "; curl's -d joins the lines of a file, --data-binary sends them as they are"


def hint(names: Sequence[str] | None, records: Records, row: int) -> str:
    """Return what to add to a message about a line of text that may not be meant as a record."""
    if not records.textual:
        return ""
    cells = [str(cell) for cell in records.rows[row]]
    if cells[0].lstrip()[:1] in ("{", "["):
        return "; JSON comes with the Content-Type application/json"
    if len(cells) == 1 and any(separator in cells[0] for separator in ";\t|"):
        return '; where no comma separates columns, send text/csv; delimiter=";" or "tab" or "pipe"'
    if records.names is not None or records.first_row + row != 1 or any(map(is_number, cells)):
        return ""
    if names is None:
        return "; if this line is a header, leave it out: the model knows no column names"
    return "; if this line is a header, it must hold exactly the names of the columns"


def _fault(fault: str, names: Sequence[str]) -> str:
    return f"{fault} {'column' if len(names) == 1 else 'columns'} {listed(names)}"
