"""Names: explain why column names do not match the model's."""

from collections import Counter
from collections.abc import Sequence

from serve.errors import SENT
from serve.text import listed

# The names of an index column: pandas writes an empty name, and reads it as "Unnamed: 0".
INDEX_NAMES = {"", "Unnamed: 0"}
# An offset for each record, which XGBoost's DMatrix accepts.
BASE_MARGIN = "base_margin"
# Keys that this server, pandas and other servers place around the rows of a JSON document.
WRAPPER_KEYS = {
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
    if hint := _find_name_hint(missing, unknown, expected):
        parts.append(hint)
    return f"{source}: {'; '.join(parts)}", "; ".join(sent)


def _find_name_hint(missing: Sequence[str], unknown: Sequence[str], expected: Sequence[str]) -> str:
    if not unknown:
        return ""
    if WRAPPER_KEYS.issuperset(unknown) and len(missing) == len(expected):
        return 'expected {"feature_names": [name, ...], "instances": [row, ...]}'
    if INDEX_NAMES.issuperset(unknown):
        return "write the file with to_csv(index=False)"
    if BASE_MARGIN in unknown:
        return f"{BASE_MARGIN} is not supported: add it to the margin in the response"
    return "" if missing else "remove unknown columns"


def _list_columns(names: Sequence[str]) -> str:
    return f"{'column' if len(names) == 1 else 'columns'} {listed(names)}"
