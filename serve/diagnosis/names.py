"""Names: explain why column names do not match the model's."""

from collections import Counter
from collections.abc import Sequence

from serve.column_names import match_names, strip_blanks
from serve.diagnosis.delimiters import find_delimiter_hint
from serve.diagnosis.similar import find_similar
from serve.errors import SENT
from serve.text import listed

# The names of an index column: pandas writes an empty name, and reads it as "Unnamed: 0".
INDEX_NAMES = {"", "Unnamed: 0"}
# An offset for each record, which XGBoost's DMatrix accepts.
BASE_MARGIN = "base_margin"
BASE_MARGIN_HINT = f"{BASE_MARGIN} is not supported: add it to the margin in the response"
# Only this many unknown names are compared with the missing ones.
MAX_SPELLINGS = 20
UNKNOWN_COLUMN_HINT = (
    'remove unknown columns, such as the label, or list them as "ignore" in schema.json'
)


def describe_header_mismatch(
    names: Sequence[str], expected: Sequence[str], *, is_record: bool
) -> tuple[str, str]:
    """Return the message for a declared header with other names, and its quotation.

    ``is_record`` is whether the first line could be a record.
    """
    hint = ""
    if len(names) == 1:
        hint = find_delimiter_hint(names[0], len(expected))
    elif is_record:
        hint = "if the first line is a record, send Content-Type: text/csv; header=absent"
    return describe_name_mismatch(names, expected, "header", hint)


def describe_name_mismatch(
    names: Sequence[str], expected: Sequence[str], source: str, hint: str = ""
) -> tuple[str, str]:
    """Return the message for wrong column names, and the part of it that quotes the payload.

    The message contains SENT in place of that part.
    """
    names = match_names(names, expected)
    sent_names, expected_names = set(names), set(expected)
    missing = [name for name in expected if name not in sent_names]
    unknown = [name for name in dict.fromkeys(names) if name not in expected_names]
    repeated = [name for name, count in Counter(names).items() if count > 1]
    sent = [
        f"{problem} {_list_columns(columns)}"
        for problem, columns in (("unknown", unknown), ("repeated", repeated))
        if columns
    ]
    parts = []
    if missing:
        parts.append(f"missing {_list_columns(missing)}")
    if sent:
        parts.append(SENT)
    if hint := hint or _find_name_hint(missing, unknown):
        parts.append(hint)
    return f"{source}: {'; '.join(parts)}", "; ".join(sent)


def is_mostly_names(cells: Sequence[str], expected: Sequence[str]) -> bool:
    """Return whether more than half of the cells are column names."""
    expected_names = set(expected)
    known_count = sum(cell in expected_names for cell in match_names(cells, expected))
    return 2 * known_count > len(cells)


def _find_name_hint(missing: Sequence[str], unknown: Sequence[str]) -> str:
    if not unknown:
        return ""
    if INDEX_NAMES.issuperset(map(strip_blanks, unknown)):
        return "write the file with to_csv(index=False)"
    if BASE_MARGIN in unknown:
        return BASE_MARGIN_HINT
    if missing:
        return _find_spelling_hint(missing, unknown)
    return UNKNOWN_COLUMN_HINT


def _find_spelling_hint(missing: Sequence[str], unknown: Sequence[str]) -> str:
    """Return the missing names that unknown names resemble, as a question."""
    candidates = tuple(missing)
    similar = [find_similar(name, candidates) for name in unknown[:MAX_SPELLINGS]]
    meant = [name for name in dict.fromkeys(similar) if name is not None]
    return f"did you mean {listed(meant)}?" if meant else ""


def _list_columns(names: Sequence[str]) -> str:
    return f"{'column' if len(names) == 1 else 'columns'} {listed(names)}"
