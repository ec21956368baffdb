"""JSON slices: cut a document of many rows into parts that are parsed one by one.

Parsing one part blocks other threads only briefly, and needs little memory.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from serve.codecs.lines import SLICE_BYTES
from serve.codecs.row_limits import compute_max_row_bytes
from serve.schema.schema import Schema

OPENING = re.compile(
    rb'\s*+(?:\{\s*+(?:"feature_names"\s*+:\s*+(\[[^][{}]*+\])\s*+,\s*+)?+"instances"\s*+:\s*+)?+'
    rb"\[\s*+(?=[\[{])"
)
CLOSING = re.compile(rb"(?<=[\]}])\s*+\]\s*+(\}?)\s*+\Z")
CLOSING_WITH_NAMES = re.compile(rb'\]\s*+,\s*+"feature_names"\s*+:\s*+(\[[^][{}]*+\])\s*+\}\s*+\Z')
CLOSING_BYTES = 1 << 10
BETWEEN_ROWS = re.compile(rb"[\]}](\s*+,)(?=\s*+[\[{])")
# A cut may fall within a string that contains brackets. Then the next cuts are tried.
MAX_CUTS = 8


@dataclass(frozen=True, slots=True)
class RowsText:
    """The text of a document's rows, between two offsets, and the text of its column names."""

    body: bytes
    start: int
    end: int
    names: bytes | None

    def cut(self, start: int, schema: Schema) -> Iterator[tuple[int, int]]:
        """Yield where the part from an offset on may end, and where the next part begins.

        A part has about SLICE_BYTES. If its last row is too long, nothing is yielded.
        """
        max_row_bytes = compute_max_row_bytes(schema.width)
        end = start + SLICE_BYTES
        for _ in range(MAX_CUTS):
            if end >= self.end:
                break
            found = BETWEEN_ROWS.search(self.body, end - 1, min(self.end, end + max_row_bytes))
            if found is None:
                break
            yield found.start(1), found.end(1)
            end = found.end(1)
        else:
            return
        if self.end - end <= max_row_bytes:
            yield self.end, self.end


def find_rows(body: bytes, schema: Schema) -> RowsText | None:
    """Return the rows of a document that contains only rows and column names, otherwise None."""
    opening = OPENING.match(body, 0, compute_max_row_bytes(schema.width))
    if opening is None:
        return None
    names, is_object = opening[1], b"{" in opening[0]
    closing = CLOSING.search(body, max(0, len(body) - CLOSING_BYTES))
    if closing is None and is_object and names is None:
        position = body.rfind(b'"feature_names"', opening.end())
        closing = CLOSING_WITH_NAMES.search(body, max(opening.end(), position - CLOSING_BYTES))
        if position < 0 or closing is None:
            return None
        return RowsText(body, opening.end(), closing.start(), closing[1])
    if closing is None or (closing[1] == b"}") != is_object:
        return None
    return RowsText(body, opening.end(), closing.start(), names)
