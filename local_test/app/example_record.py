"""A record to try the form with: the first of the artifact's self-test, else the middle of what the schema tells."""

import csv
from pathlib import Path

from local_test.app.record_form import number
from local_test.app.schema import Feature, Schema


def example(folder: Path, schema: Schema) -> list[str]:
    """Return a cell for each feature."""
    path = folder / "self-test" / "request.csv"
    if path.exists():
        rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
        if len(rows) > 1 and sorted(rows[0]) == sorted(schema.names):
            return [rows[1][rows[0].index(name)] for name in schema.names]
        if rows and len(rows[0]) == len(schema.features):
            return rows[0]
    return [_middle(feature) for feature in schema.features]


def _middle(feature: Feature) -> str:
    if feature.options:
        return feature.options[len(feature.options) // 2]
    low, high = feature.range or (0.0, 2.0)
    middle = (low + high) / 2
    return number(round(middle) if feature.whole else middle)
