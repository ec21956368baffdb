"""Column names: match the names in a payload or a file to the model's."""

import string
from collections import Counter
from collections.abc import Sequence

# A byte order mark is not white space for str.strip, but just as invisible.
BLANKS = string.whitespace + "\N{NO-BREAK SPACE}\N{ZERO WIDTH NO-BREAK SPACE}"

# A shorter line that counts from 0 is more likely to be a record.
MIN_NUMBERED_COLUMNS = 4


def match_names(names: Sequence[str], expected: Sequence[str]) -> tuple[str, ...]:
    """Return the names, each replaced by the expected name that it matches.

    A name matches exactly or, if no expected name is exactly equal, without the blanks at both
    ends. Expected names that differ only in those blanks match exactly only. A name that matches
    nothing is returned unchanged.
    """
    expected_names = set(expected)
    if expected_names.issuperset(names):
        return tuple(names)
    counts = Counter(map(strip_blanks, expected))
    by_stripped_name = {
        strip_blanks(name): name for name in expected if counts[strip_blanks(name)] == 1
    }
    return tuple(
        name if name in expected_names else by_stripped_name.get(strip_blanks(name), name)
        for name in names
    )


def strip_blanks(name: str) -> str:
    """Return a name without the blanks and byte order marks at both ends."""
    return name.strip(BLANKS)


def are_numbered(names: Sequence[str]) -> bool:
    """Return whether names count from 0, as pandas names the columns of a matrix."""
    return [strip_blanks(name) for name in names] == [str(index) for index in range(len(names))]
