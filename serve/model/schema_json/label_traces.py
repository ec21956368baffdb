"""Label traces: what a booster still knows of the category labels that XGBoost saved in it.

XGBoost before 3.4 saves labels that are not ASCII incompletely. Its Python package passes one
UTF-8 text of all labels and each label's end in it, but counts characters, where the library
counts bytes. Two traces are exact: the number of characters of each label, and the beginning of
the text, up to as many bytes as it has characters.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from serve.text import counted, quoted

FIRST_VERSION_WITH_WHOLE_LABELS = (3, 4)


@dataclass(frozen=True, slots=True)
class LabelTraces:
    """The text of all labels of a feature, and the offset of each label in it, ends included."""

    text: bytes
    offsets: tuple[int, ...]

    def decode(self) -> tuple[str, ...]:
        """Return the labels, which are wrong if they are truncated."""
        return tuple(
            self.text[start:end].decode(errors="replace") for start, end in pairwise(self.offsets)
        )

    def may_be_truncated(self, writer_version: tuple[int, ...]) -> bool:
        """Return whether the XGBoost that wrote the model may have truncated these labels."""
        return writer_version < FIRST_VERSION_WITH_WHOLE_LABELS and not self.text.isascii()

    def find_contradiction(self, labels: Sequence[str]) -> str:
        """Return how labels, as many as in the booster, contradict these traces, or "".

        The offsets may count bytes too: XGBoost reads the columns of pyarrow and polars correctly.
        """
        if labels == self.decode():
            return ""
        known = self.text.decode(errors="ignore")
        lengths = [end - start for start, end in pairwise(self.offsets)]
        for number, (label, length, start) in enumerate(
            zip(labels, lengths, accumulate(lengths, initial=0), strict=False), 1
        ):
            beginning = known[start : start + length]
            if len(label) != length or not label.startswith(beginning):
                return (
                    f"label {number}: expected {_describe(beginning, length)}, as in the model, "
                    f"got {quoted(label)}"
                )
        # Part of a character's bytes may follow the last whole character.
        if not "".join(labels).encode(errors="replace").startswith(self.text):
            return f"expected labels that begin with {quoted(known)}, as in the model"
        return ""


def _describe(beginning: str, length: int) -> str:
    if len(beginning) == length:
        return quoted(beginning)
    start = f" that begins with {quoted(beginning)}" if beginning else ""
    return f"a label of {counted(length, 'character')}{start}"
