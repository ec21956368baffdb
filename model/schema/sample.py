"""Read the sample: the facts about its columns, and rows to compare with predictions."""

from dataclasses import dataclass

import pandas as pd

from model.schema.column_facts import MAX_LABELS, ColumnFacts
from model.schema.columns import Columns
from model.schema.errors import CannotDescribe
from model.schema.known_model import KnownModel
from model.schema.sample_file import SampleFile

MAX_COMPARED_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Sample:
    """The sample as far as it is used.

    Attributes:
        name: the file's name.
        columns: which column is which.
        features: the facts about the column of each feature.
        target: the facts about the target, if it is known.
        rows: up to MAX_COMPARED_ROWS rows from the whole file, with numbered columns of text.
        row_count: the number of rows in the file.

    """

    name: str
    columns: Columns
    features: list[ColumnFacts]
    target: ColumnFacts | None
    rows: pd.DataFrame
    row_count: int


def read_sample(
    file: SampleFile, columns: Columns, model: KnownModel, markers: list[float | None]
) -> Sample:
    """Return the facts about a sample; raises CannotDescribe.

    ``markers`` are the numbers that mean missing, for each feature.
    """
    features = [
        ColumnFacts(
            labels=frozenset(feature.whole_labels),
            marker=marker,
            max_values=MAX_LABELS if feature.type == "c" else ColumnFacts().max_values,
        )
        for feature, marker in zip(model.features, markers, strict=True)
    ]
    target = None if columns.target is None else ColumnFacts(max_values=MAX_LABELS)
    rows = _RowSelection()
    for part in file.read_parts():
        for facts, column in zip(features, columns.features, strict=True):
            facts.add(part[column])
        if target is not None:
            target.add(part[columns.target])
        rows.add(part)
    if not rows.row_count:
        raise CannotDescribe(f"{file.path}: the sample has no records")
    return Sample(file.path.name, columns, features, target, rows.selected, rows.row_count)


class _RowSelection:
    """Every n-th row, where n doubles as the file turns out to be longer."""

    def __init__(self) -> None:
        self.selected = pd.DataFrame()
        self.row_count = 0
        self._step = 1

    def add(self, part: pd.DataFrame) -> None:
        numbered = part.set_axis(range(self.row_count, self.row_count + len(part)))
        self.row_count += len(part)
        self.selected = pd.concat([self.selected, numbered[numbered.index % self._step == 0]])
        while len(self.selected) > MAX_COMPARED_ROWS:
            self._step *= 2
            self.selected = self.selected[self.selected.index % self._step == 0]
