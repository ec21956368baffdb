"""Invalid JSON: find out what a text that is not valid JSON really is, for its message.

A hint names what probably came and the one thing to change. It never quotes the payload.
"""

import binascii
import re
from base64 import b64decode

from serve.diagnosis.file_types import recognize_bytes
from serve.text import NUMBER, with_hint

# Longer texts and lines are not examined as a whole.
MAX_EXAMINED_CHARACTERS = 10_000
# What the first line looks like in other formats; the first one that matches is reported.
FORMATS = (
    (
        rf"(?:{NUMBER}(?::{NUMBER})?\s+)?(?:qid:\d+\s+)?\d+:{NUMBER}(?:\s.*)?",
        "this is libsvm: send Content-Type: text/libsvm",
    ),
    ("<.*", "this is HTML or XML"),
    ("--.*", "this is multipart/form-data: send the body with curl --data-binary, not -F"),
    (
        r"[\w.\[\]-]+=[^\s=]+(?:&[\w.\[\]-]+=[^\s=]*)*",
        "this is form data: send JSON as the body",
    ),
    (
        rf"(?=[^,;\t|]*[,;\t|])[^{{}}\[\]()]*|{NUMBER}",
        "this is CSV: send Content-Type: text/csv",
    ),
    ("@.*", "this is the name of a file: send its content"),
)
# The characters at which the parser stopped, after the last one before them that is not a blank.
SYNTAX = (
    (r"[^,]?,\s*[\]}]|[\]}],\s*\Z", "remove the trailing comma"),
    (r"[{,][A-Za-z_]\w*\s*:", "write names in double quotes; the shell may have removed them"),
    (".?[\u201c\u201d\u2018\u2019]", 'use straight double quotes (")'),
    (r".?(?://|/\*|#)", "remove the comment"),
    (r".?[+.]\d", "write numbers as in 1, -0.5 or 1e5"),
)
TRUNCATED = "the text ends too early"
EXTRA_DOCUMENT = re.compile(r"[}\]],?\s*[{\[]")
BASE64 = re.compile(r"[A-Za-z0-9+/]{8,}={0,2}|[A-Za-z0-9_-]{8,}={0,2}")
DECODED_OPENINGS = tuple('[{"-+0123456789')
BYTES_LITERAL = re.compile(r"[bu]['\"]")
WORD = re.compile(r"[+-]?[A-Za-z_.<][\w./>]*")
MISSING_WORDS = ("nan", "none", "null", "undefined", "na", "n/a", "<na>", "nat", "nil")
WORDS = dict.fromkeys(MISSING_WORDS, "write a missing value as null")
WORDS |= dict.fromkeys(("inf", "infinity"), "send a finite number")
PYTHON_WORDS = {"True": "true", "False": "false", "None": "null"}


def describe_invalid_json(text: bytes, error: ValueError, *, is_line: bool) -> str:
    """Return the message for a text that Python's parser rejected, without its row.

    ``is_line`` is whether the text is one line of JSON Lines.
    """
    if binary := recognize_bytes(text):
        return f"invalid JSON: expected UTF-8 text, got {binary}"
    decoded, position = text.decode(), getattr(error, "pos", 0)
    hint = (
        find_python_hint(decoded, position)
        or _find_format_hint(decoded.strip())
        or find_syntax_hint(decoded, position, str(error))
    )
    if is_line and hint == TRUNCATED:
        hint = "write each record on one line, or send a document as application/json"
    return with_hint(f"invalid JSON: {error}", hint)


def is_base64(text: str) -> bool:
    """Return whether a text is base64 of JSON, or of text that begins with a number."""
    joined = "".join(text[:MAX_EXAMINED_CHARACTERS].split())
    if not BASE64.fullmatch(joined):
        return False
    start = joined.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        decoded = b64decode(start[: len(start) // 4 * 4], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return False
    is_text = "".join(decoded.split()).isprintable()
    return is_text and decoded.lstrip().startswith(DECODED_OPENINGS)


def find_python_hint(text: str, position: int) -> str:
    """Return a hint if the text is what Python prints for an object."""
    word = _read_word(text, position)
    if word in PYTHON_WORDS:
        return f"write {word} as {PYTHON_WORDS[word]}, or use json.dumps"
    is_call = bool(word) and text.startswith("(", position + len(word))
    is_literal = BYTES_LITERAL.match(text, position) or text.startswith("(", position)
    is_repr = text.lstrip()[:1] in ("{", "[") and text.startswith("'", position)
    if is_call or is_literal or is_repr:
        return "this is a Python object as text: write it with json.dumps"
    return ""


def find_syntax_hint(text: str, position: int, message: str) -> str:
    """Return a hint at the character where the parser stopped."""
    word = _read_word(text, position).lower().lstrip("+-")
    if word in WORDS:
        return WORDS[word]
    if text.lstrip()[:1] in ("'", "`"):
        return "remove the quotes around the payload"
    rest = text[position : position + MAX_EXAMINED_CHARACTERS]
    if not rest.strip() and text.lstrip()[:1] in ("{", "["):
        return TRUNCATED
    stopped_at = text[:position].rstrip()[-1:] + rest
    for pattern, hint in SYNTAX:
        if re.match(pattern, stopped_at):
            return hint
    if message.startswith("Extra data") and EXTRA_DOCUMENT.match(stopped_at):
        return "send several records as one list, or one per line as application/jsonlines"
    return ""


def _find_format_hint(text: str) -> str:
    """Return a hint if the text is in another format, judged by its first line."""
    line = text.partition("\n")[0].strip()[:MAX_EXAMINED_CHARACTERS]
    if is_base64(text):
        return "this is base64: send the decoded bytes"
    return next((hint for pattern, hint in FORMATS if re.fullmatch(pattern, line)), "")


def _read_word(text: str, position: int) -> str:
    match = WORD.match(text, position)
    return match[0] if match else ""
