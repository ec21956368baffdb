"""Similar: find the name or label that a misspelled text probably means.

The cost is small for long lists, because every bad row of a payload may ask.
"""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from unicodedata import normalize

from serve.text import is_number

SEPARATORS = re.compile(r"[\s_.\-\ufeff]+")
MAX_LENGTH = 80
MAX_LENGTH_DIFFERENCE = 3
MAX_COMPARED = 20
MIN_SIMILARITY = 0.8
# Missing column names are a choice of the client's, so there may be very many different lists.
CACHED_INDEXES = 16


def find_similar(text: str, candidates: tuple[str, ...]) -> str | None:
    """Return the only candidate that a text resembles, or None.

    Texts resemble each other if they differ in case, blanks, separators, Unicode normalization or
    few characters, or if they are the same number.
    """
    if len(text) > MAX_LENGTH:
        return None
    simplified = _simplify(text)
    same = _index(candidates).get(simplified)
    if same is not None:
        return same or None
    if len(simplified) < MAX_LENGTH_DIFFERENCE or is_number(text):
        return None
    near = list(_find_near(simplified, candidates))
    closest = get_close_matches(simplified, near, 1, MIN_SIMILARITY)
    return _index(candidates)[closest[0]] or None if closest else None


def _find_near(simplified: str, candidates: tuple[str, ...]) -> Iterator[str]:
    """Yield a few simplified candidates of about the same length and with the same first letter."""
    count = 0
    for candidate in _index(candidates):
        is_near = abs(len(candidate) - len(simplified)) <= MAX_LENGTH_DIFFERENCE
        if is_near and candidate[:1] == simplified[:1]:
            yield candidate
            count += 1
        if count == MAX_COMPARED:
            return


@lru_cache(CACHED_INDEXES)
def _index(candidates: tuple[str, ...]) -> Mapping[str, str]:
    """Return the candidates by their simplified text; the value is empty if several have it."""
    index: dict[str, str] = {}
    for candidate in candidates:
        simplified = _simplify(candidate)
        index[simplified] = "" if simplified in index else candidate
    return index


def _simplify(text: str) -> str:
    text = normalize("NFKC", text).strip()
    if is_number(text):
        return repr(float(text))
    return SEPARATORS.sub("", text).casefold()
