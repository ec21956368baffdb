"""The rows of a payload as numbers, and helpers to read names and text."""

from collections.abc import Sequence

from tests.adversary.columns import Invalid

# Outer blanks of a name; a byte order mark is one where files were concatenated.
BLANKS = "\ufeff" + "".join(filter(str.isspace, map(chr, range(0x3001))))
# One list of numbers per record, or None for a bad one that is reported in its place.
Rows = list[list[float] | None]


def find_order(names: Sequence[str], expected: Sequence[str] | None) -> list[int]:
    """Return the position of each expected name; raises Invalid if the names are not the same.

    Names match exactly, or else without outer blanks.
    """
    if expected is None:
        raise Invalid("the model has no names")
    for sent, known in ((list(names), list(expected)), (_strip(names), _strip(expected))):
        if sorted(sent) == sorted(known) and len(set(sent)) == len(sent):
            return [sent.index(name) for name in known]
    raise Invalid(f"names: {names}")


def _strip(names: Sequence[str]) -> list[str]:
    return [name.strip(BLANKS) for name in names]


def decode_text(body: bytes, *, keep_invalid: bool = False) -> str:
    """Return UTF-8 as text; raises Invalid for other bytes, unless they are kept as surrogates."""
    try:
        return body.decode(errors="surrogateescape" if keep_invalid else "strict")
    except UnicodeDecodeError as error:
        raise Invalid(str(error)) from error


def normalize_line_endings(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
