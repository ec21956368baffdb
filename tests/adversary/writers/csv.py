"""Write text/csv: delimiters, quotes, line endings, headers and spellings of cells."""

from collections.abc import Sequence

from tests.adversary.columns import Column, Invalid, read_row
from tests.adversary.payloads import Payload
from tests.adversary.spelling import spell_number, spell_plainly
from tests.adversary.writers.context import Context, choose_missing_text, is_missing

DELIMITERS = {
    ",": ("", "", "", "", "; delimiter=comma", '; delimiter=","'),
    ";": ("; delimiter=semicolon", '; delimiter=";"', '; Delimiter = ";"'),
    "\t": ("; delimiter=tab",),
    "|": ("; delimiter=pipe", '; delimiter="|"'),
    " ": ("; delimiter=space", '; delimiter=" "'),
    "^": ('; delimiter="^"',),
}
LINE_ENDINGS = ("\n", "\n", "\n", "\r\n", "\r")
MEDIA_TYPES = ("text/csv", "text/csv", "text/csv", "csv", "TEXT/CSV")


def write_csv(context: Context) -> Payload:
    """Return the records as lines, sometimes below a header with the columns in another order."""
    random = context.random
    delimiter = random.choice((",", ",", ",", *DELIMITERS))
    order, header, parameter = _choose_header(context)
    plain = context.chance(0.5)
    quote_rate = 0.0 if plain else random.choice((0.0, 0.1, 1.0))
    lines = [] if header is None else [header]
    for index, row in enumerate(context.table):
        cells = [_spell_cell(context, context.columns[i], row[i], plain=plain) for i in order]
        lines.append([*cells, "x"] if index in context.bad_rows else cells)
    texts = [_join(context, line, delimiter, quote_rate) for line in lines]
    content_type = random.choice(MEDIA_TYPES) + random.choice(DELIMITERS[delimiter]) + parameter
    if context.chance(0.1):
        content_type += "; charset=utf-8"
    if content_type == "text/csv" and context.chance(0.2):
        content_type = ""
    form = "text/csv" if header is None else "text/csv with header"
    return context.build_payload(_finish(context, texts, delimiter), content_type or None, form)


def _choose_header(context: Context) -> tuple[list[int], list[str] | None, str]:
    """Return the order of the columns, the header, and the parameter that declares it."""
    in_order, names = list(range(context.width)), context.model.names
    if names is None or context.chance(0.4):
        may_look_like_header = names is not None and context.chance(0.1)
        parameter = "; header=absent" if may_look_like_header else ""
        return in_order, None, parameter
    order = context.shuffled_columns()
    written = context.spell_names()
    header = [written[index] for index in order]
    if could_be_record(context.columns, header) or context.chance(0.5):
        return order, header, context.random.choice(("; header=present", ";header=PRESENT"))
    return order, header, ""


def could_be_record(columns: Sequence[Column], cells: Sequence[str]) -> bool:
    """Return whether a header could also be a record."""
    try:
        read_row(columns, cells, textual=True)
    except Invalid:
        return False
    return True


def _spell_cell(context: Context, column: Column, number: float, *, plain: bool) -> str:
    random = context.random
    if is_missing(number):
        return "" if plain else choose_missing_text(column, random)
    if column.labels:
        return _pad(context, column, column.labels[int(number)], plain=plain)
    if column.kind == "boolean" and context.chance(0.5):
        return random.choice(("true", "True", "TRUE") if number else ("false", "False", "FALSE"))
    text = spell_plainly(number) if plain else spell_number(number, random)
    return _pad(context, column, text, plain=plain)


def _pad(context: Context, column: Column, text: str, *, plain: bool) -> str:
    """Add outer blanks, unless that makes the text another label."""
    if plain or context.chance(0.9):
        return text
    padded = context.random.choice((f" {text}", f"{text} ", f"\t{text}"))
    return text if column.labels and (padded in column.labels or text != text.strip()) else padded


def _join(context: Context, cells: Sequence[str], delimiter: str, quote_rate: float) -> str:
    return delimiter.join(
        _quote(cell)
        if _needs_quotes(cell, delimiter, cells) or context.random.random() < quote_rate
        else cell
        for cell in cells
    )


def _needs_quotes(cell: str, delimiter: str, cells: Sequence[str]) -> bool:
    # A line of blanks would be a blank line.
    is_blank_line = len(cells) > 1 and not "".join(cells).strip() and delimiter in " \t"
    return delimiter in cell or any(mark in cell for mark in '"\r\n') or is_blank_line


def _quote(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


def _finish(context: Context, lines: Sequence[str], delimiter: str) -> bytes:
    """Return the payload; only with several columns may its last line ending vary."""
    ending = context.random.choice(LINE_ENDINGS)
    text = ending.join(lines)
    if context.width == 1:
        text += ending
    else:
        blank = "" if delimiter == " " else " "
        blank_lines = (ending * 3, f"{ending}{blank}{ending}")
        text += context.random.choice(("", ending, ending, ending, *blank_lines))
    mark = "\ufeff" if context.chance(0.05) else ""
    return (mark + text).encode()
