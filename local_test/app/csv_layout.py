"""How an uploaded file is written: its delimiter, and its line of names if it has one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from local_test.app.csv_records import BadFile, Record, cells
from local_test.app.schema import Schema
from local_test.cell import is_number

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}


@dataclass(frozen=True, slots=True)
class CsvLayout:
    """The delimiter's name, and the line of names."""

    delimiter: str
    header: Record | None

    @property
    def content_type(self) -> str:
        delimiter = "" if self.delimiter == "comma" else f"; delimiter={self.delimiter}"
        return f"text/csv; header={'present' if self.header else 'absent'}{delimiter}"

    def payload(self, records: Iterable[Record]) -> bytes:
        """Return the records as they are sent, under the line of names."""
        head = [self.header.body] if self.header else []
        return b"\n".join([*head, *(record.body for record in records), b""])


def detect_layout(
    found: Iterator[Record], schema: Schema, delimiter: str
) -> tuple[CsvLayout, Iterable[Record]]:
    """Return a file's layout and its records without the names; raises BadFile where the first line shows that it has another."""
    first = next(found, None)
    if first is None:
        raise BadFile("the file is empty")
    _check_kind(first.body, schema)
    line = [cell.strip() for cell in cells(first.body, DELIMITERS[delimiter])]
    if sorted(line) == sorted(schema.names):
        return CsvLayout(delimiter, first), found
    _check_delimiter(first.body, schema, delimiter, len(line))
    _check_names(line, schema)
    return CsvLayout(delimiter, None), chain([first], found)


def _check_kind(body: bytes, schema: Schema) -> None:
    if body.lstrip()[:1] in (b"{", b"[") and not schema.features[0].options:
        raise BadFile("this is JSON; a CSV file is expected, with a line for each record")
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise BadFile("this is no text in UTF-8: in a spreadsheet, save it as “CSV UTF-8”")


def _check_delimiter(body: bytes, schema: Schema, delimiter: str, width: int) -> None:
    wanted = len(schema.features)
    if wanted in (width, 1):
        return
    for name, character in DELIMITERS.items():
        if len(cells(body, character)) == wanted:
            raise BadFile(
                f"the cells of the first line have a {name} between them, not a {delimiter}: choose “{name}” below"
            )


def _check_names(line: list[str], schema: Schema) -> None:
    """Refuse a first line of other names: the rows below would be read in the model's order, whatever theirs is."""
    known = sum(cell in schema.names for cell in line)
    could_be_names = all(cell and not is_number(cell) for cell in line) and not all(
        feature.options for feature in schema.features
    )
    if not line or not (could_be_names or 2 * known > len(line)):
        return
    missing = [name for name in schema.names if name not in line]
    unknown = [cell for cell in line if cell not in schema.names]
    faults = [
        ("missing", missing),
        ("unknown", unknown),
        ("repeated", sorted({cell for cell in line if line.count(cell) > 1})),
    ]
    told = "; ".join(f"{fault}: {', '.join(names)}" for fault, names in faults if names)
    raise BadFile(f"the first line has other names than the columns: {told}")
