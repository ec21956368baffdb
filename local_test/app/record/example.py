"""An example record for the form: from the artifact's self-test, or made up from the schema."""

import csv
from pathlib import Path

from local_test.app.artifact_files import find_example
from local_test.app.number_format import format_input
from local_test.app.schema import Feature, Schema
from serve.errors import BadArtifact
from serve.model.files.reading import MAX_PAYLOAD_BYTES, read_file


def load_example(folder: Path, schema: Schema) -> list[str]:
    """Return a cell for each feature: the self-test's first record, or each feature's midpoint."""
    path = find_example(folder)
    if path.exists():
        rows = _read_rows(path)
        has_header = len(rows) > 1 and sorted(rows[0]) == sorted(schema.names)
        if has_header:
            return [rows[1][rows[0].index(name)] for name in schema.names]
        if rows and len(rows[0]) == len(schema.features):
            return rows[0]
    return [_midpoint(feature) for feature in schema.features]


def _read_rows(path: Path) -> list[list[str]]:
    """Return the rows of a CSV file, or none if it is not a readable file of text."""
    try:
        text = read_file(path, MAX_PAYLOAD_BYTES).decode()
        return list(csv.reader(text.splitlines()))
    except (BadArtifact, UnicodeDecodeError, csv.Error):
        return []


def _midpoint(feature: Feature) -> str:
    if feature.options:
        return feature.options[len(feature.options) // 2]
    low, high = feature.range or (0.0, 2.0)
    midpoint = (low + high) / 2
    return format_input(round(midpoint) if feature.is_whole else midpoint)
