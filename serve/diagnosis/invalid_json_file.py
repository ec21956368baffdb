"""Invalid JSON in a file, such as schema.json: what to change, for the message."""

import json

from serve.diagnosis.file_types import find_file_type
from serve.diagnosis.invalid_json import find_python_hint, find_syntax_hint
from serve.text import with_hint

QUOTES = ("'", "`")
# The end of a hint that concerns requests only.
SHELL = "; the shell may have removed them"


def describe_invalid_json_file(content: bytes, error: ValueError) -> str:
    """Return the message for the content of a file that Python's parser rejected.

    ``error`` is a JSONDecodeError or a UnicodeDecodeError.
    """
    if not content.strip():
        return "invalid JSON: the file is empty; write {} or remove the file"
    if isinstance(error, UnicodeDecodeError):
        file_type = find_file_type(content)
        got = file_type.name if file_type else f"byte 0x{content[error.start]:02x}"
        return f"invalid JSON: expected UTF-8 text, got {got}; save the file as UTF-8"
    text = content.decode(json.detect_encoding(content), errors="replace")
    return with_hint(f"invalid JSON: {error}", _find_hint(text, error))


def _find_hint(text: str, error: ValueError) -> str:
    position, message = getattr(error, "pos", 0), str(error)
    if text.lstrip()[:1] in QUOTES:
        return "remove the quotes around the document"
    if message.startswith("Extra data"):
        return "write one document"
    hint = find_python_hint(text, position) or find_syntax_hint(text, position, message)
    return hint.removesuffix(SHELL)
