"""The input of a writer: records, the model's columns and names, and a source of randomness."""

import math
from dataclasses import dataclass
from random import Random

import numpy as np

from tests.adversary.columns import Column
from tests.adversary.models import Model
from tests.adversary.payloads import Payload
from tests.adversary.tables import to_features

UNKNOWN_LABELS = ("unknown", "Sehr gut?", "good", "nothing")


@dataclass(frozen=True, slots=True)
class Context:
    """The records of one payload as numbers, and how to write them.

    The rows in ``bad_rows`` are written with an error in each.
    """

    model: Model
    table: list[list[float]]
    random: Random
    bad_rows: frozenset[int] = frozenset()

    @property
    def columns(self) -> tuple[Column, ...]:
        return self.model.columns

    @property
    def width(self) -> int:
        return len(self.model.columns)

    def build_payload(self, body: bytes, content_type: str | None, form: str) -> Payload:
        """Return the written payload with its features, which exclude bad rows."""
        rows = enumerate(self.table)
        good_rows = [row for index, row in rows if index not in self.bad_rows]
        features = to_features(good_rows, self.width)
        for index, column in enumerate(self.columns):
            if column.marker is not None:
                values = features[:, index]
                values[values == np.float32(column.marker)] = np.nan
        return Payload(body, content_type, form, features, bad_rows=self.bad_rows)

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def spell_names(self) -> list[str]:
        """Return the columns' names, sometimes without or with other outer blanks."""
        names = list(self.model.names or ())
        stripped = [name.strip() for name in names]
        if len(set(stripped)) < len(names) or self.chance(0.8):
            return names
        return stripped if self.chance(0.5) else [f" {name}" for name in stripped]

    def shuffled_columns(self) -> list[int]:
        """Return the indices of the columns, mostly in another order than the model's."""
        order = list(range(self.width))
        if self.chance(0.8):
            self.random.shuffle(order)
        return order


def choose_missing_text(column: Column, random: Random) -> str:
    """Return a text that means missing in a column of CSV."""
    text = random.choice(("", "", "", "nan", "NaN", "NAN", " ", "-nan"))
    unknown = choose_unknown_label(column, random)
    if unknown is not None:
        return unknown
    is_label = text in column.labels or text.strip() in column.labels
    return "" if is_label else text


def choose_unknown_label(column: Column, random: Random) -> str | None:
    """Return a label or a code that the column does not have, if that means missing."""
    if not column.unknown_is_missing or random.random() < 0.5:
        return None
    if column.kind == "code":
        return str(random.randrange(column.code_count, 1000))
    label = random.choice(UNKNOWN_LABELS)
    return None if label in column.labels else label


def is_missing(number: float) -> bool:
    return math.isnan(number)
