"""Limit how deeply a JSON document is nested, without recursion."""

import re

import numpy as np

from serve.model.structure.damaged import MAX_LEVELS, TOO_DEEP, Damaged

# 1 for each byte that opens a value, and -1 for each that closes one.
STEPS = np.zeros(256, dtype=np.int8)
STEPS[list(b"{[")], STEPS[list(b"}]")] = 1, -1
OTHER_BYTES = bytes(byte for byte in range(256) if byte not in b"{[]}")
TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]]', re.DOTALL)


def check_levels(content: bytes) -> None:
    """Raise Damaged if a JSON document has more than MAX_LEVELS nested values."""
    if _bound_levels(content) > MAX_LEVELS and _is_too_deep(content):
        raise Damaged(TOO_DEEP)


def _bound_levels(content: bytes) -> int:
    """Return the greatest number of open brackets, including those in texts, which is fast."""
    brackets = np.frombuffer(content.translate(None, OTHER_BYTES), np.uint8)
    return int(np.cumsum(STEPS[brackets], dtype=np.int64).max(initial=0))


def _is_too_deep(content: bytes) -> bool:
    level = 0
    for token in TOKEN.finditer(content):
        level += int(STEPS[token[0][0]])
        if level > MAX_LEVELS:
            return True
    return False
