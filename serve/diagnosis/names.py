"""Names: explain why column names do not match the model's."""

from collections import Counter
from collections.abc import Sequence

from serve.errors import SENT
from serve.text import listed

# The names of an index column: pandas writes an empty name, and reads it as "Unnamed: 0".
INDEX_NAMES = {"", "Unnamed: 0"}
# An offset for each record, which XGBoost's DMatrix accepts.
BASE_MARGIN = "base_margin"
BASE_MARGIN_HINT = f"{BASE_MARGIN} is not supported: add it to the margin in the response"


def describe_name_mismatch(
    names: Sequence[str], expected: Sequence[str], source: str
) -> tuple[str, str]:
    """Return the message for wrong column names, and the part of it that quotes the payload.

    The message contains SENT in place of that part.
    """
    missing = [name for name in expected if name not in names]
    unknown = [name for name in dict.fromkeys(names) if name not in expected]
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
    if hint := _find_name_hint(missing, unknown):
        parts.append(hint)
    return f"{source}: {'; '.join(parts)}", "; ".join(sent)


def _find_name_hint(missing: Sequence[str], unknown: Sequence[str]) -> str:
    if not unknown:
        return ""
    if INDEX_NAMES.issuperset(unknown):
        return "write the file with to_csv(index=False)"
    if BASE_MARGIN in unknown:
        return BASE_MARGIN_HINT
    return "" if missing else "remove unknown columns"


def _list_columns(names: Sequence[str]) -> str:
    return f"{'column' if len(names) == 1 else 'columns'} {listed(names)}"
