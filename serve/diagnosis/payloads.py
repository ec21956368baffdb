"""Payloads: recognize the format of a payload that is not in the format of its Content-Type."""

import re

from serve.diagnosis.file_types import find_file_type
from serve.diagnosis.line_forms import find_form_hint

# Longer lines are not examined as a whole.
MAX_EXAMINED_BYTES = 10_000
CSV_FORM = re.compile(r"[^{}\[\]()<>=:]*[,;\t|][^{}\[\]()<>=:]*")
CSV_HINT = "this is CSV: send Content-Type: text/csv"


def find_payload_hint(payload: bytes, media_type: str) -> str:
    """Return what a payload is that is not of its media type, or an empty string.

    The first line decides.
    """
    hint = _find_hint(payload.lstrip()[:MAX_EXAMINED_BYTES])
    return "" if media_type in hint else hint


def _find_hint(payload: bytes) -> str:
    if file_type := find_file_type(payload):
        return f"this is {file_type.name}: {file_type.fix}"
    try:
        line = payload.partition(b"\n")[0].decode().strip()
    except UnicodeDecodeError:
        return ""
    if not line.isprintable() and "\t" not in line:
        return ""
    cells = line.split(",")
    return find_form_hint(cells) or (CSV_HINT if CSV_FORM.fullmatch(line) else "")
