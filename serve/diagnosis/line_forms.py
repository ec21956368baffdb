"""Line forms: recognize JSON, libsvm, a Python object and others, sent as a line of CSV."""

import re
from base64 import b64decode
from collections.abc import Sequence

from serve.diagnosis.file_types import find_binary_hint
from serve.text import NUMBER

MAX_CHARACTERS = 10_000
JSON_HINT = "this is JSON: set Content-Type: application/json"
ARRAY_HINT = "this is the text of a NumPy array: send the values separated by commas"
MULTIPART_HINT = "this is multipart form data, as from curl -F: use --data-binary"
FORM_HINT = "this is form data: send only the lines, as with curl --data-binary"
# What a line that is not CSV begins with, and what to change, in order of precedence.
LINE_FORMS = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), hint)
    for pattern, hint in (
        (
            r"\{\s*'",
            "this is the text of a Python dict: send JSON, as from json.dumps",
        ),
        (rf"\[+\s*{NUMBER}(?:\s+[+\-.\d]|\s*\]|\s*$)", ARRAY_HINT),
        (r"(?:np\.|numpy\.)?array\(|(?:torch\.)?tensor\(", ARRAY_HINT),
        (r"[\[{]", JSON_HINT),
        (
            rf"\(+\s*(?:{NUMBER}|'|\"|None|nan)",
            "this is the text of a Python tuple: remove the parentheses",
        ),
        (r"b['\"]", "this is the text of a Python bytes object: send the bytes themselves"),
        (rf"'{NUMBER}\s*,.*'\s*$", "remove the quotes around the line"),
        (r"sep=", "remove the line sep=, and send the delimiter in Content-Type"),
        (
            rf"{NUMBER}(?::\S+)?(?:\s+(?:qid|\d+):\S+)+\s*(?:#.*)?$",
            ("this is libsvm: send it with Content-Type: text/libsvm"),
        ),
        (r"--[-\w]{8,}", MULTIPART_HINT),
        (
            r"content-disposition:",
            MULTIPART_HINT,
        ),
        (r"(?:<!doctype|<\?xml|<html|<\w[^<>]*>[^<>]*<)", "this is HTML or XML: send CSV or JSON"),
        (r"data:[\w/;=.+-]*,", "this is a data URL: send only the decoded content"),
        (r"[\w.\[\]]+=(?!=?$)|[^%]*%(?:2C|0A|22|20|7B|5B)", FORM_HINT),
        (r"@\S+$", "curl --data-raw does not read files: use --data-binary @FILE"),
        (
            r"(?:s3|https?|gs|file)://\S+$|[\w./\\~-]+\.(?:csv|jsonl?|parquet|npy|npz|txt|tsv|gz)$",
            "this is the name of a file: send the content of the file",
        ),
        (r"#(?:\s|$)", "remove the comment line"),
    )
)
BASE64 = re.compile(r"[A-Za-z0-9+/]{4,}={0,2}")


def find_form_hint(cells: Sequence[str]) -> str:
    """Return what a line of text really is and what to change, or an empty string."""
    line = ",".join(cells)[:MAX_CHARACTERS].strip()
    if not line.isprintable() and (hint := find_binary_hint(line.encode())):
        return hint
    for form, hint in LINE_FORMS:
        if form.match(line):
            return hint
    if len(cells) > 1:
        return ""
    if "," in line:
        return "remove the quotes around the line"
    return _find_base64_hint(line)


def _find_base64_hint(line: str) -> str:
    if len(line) % 4 or not BASE64.fullmatch(line):
        return ""
    content = b64decode(line)
    is_text = content.isascii() and "".join(content.decode("ascii").split()).isprintable()
    has_digit = any(48 <= byte < 58 for byte in content)  # noqa: PLR2004  # the digits 0 to 9
    if (is_text and has_digit) or content[:1] in b"{[" or find_binary_hint(content):
        return "this is base64: send the decoded bytes"
    return ""
