"""The columns that predictions add to a CSV file: their names and their cells."""

import csv
import io

from local_test.app.class_labels import ClassLabels

# A spreadsheet runs a cell that begins with one of these as a formula.
FORMULA_PREFIXES = ("=", "+", "-", "@")


def name_columns(target_name: str, class_labels: ClassLabels | None, score_count: int) -> list[str]:
    """Return the names of the added columns: the prediction, and for a classifier its scores.

    Args:
        target_name: what the model predicts.
        class_labels: the labels of a classifier; None adds a column for each score instead.
        score_count: the number of scores in a record's prediction.
    """
    name = f"predicted_{target_name}"
    if class_labels:
        suffixes = _name_scores(class_labels, score_count)
        return [name, *(f"{name}_{suffix}" for suffix in suffixes)]
    if score_count < 2:
        return [name]
    return [f"{name}_{index}" for index in range(score_count)]


def label_cell(label: str) -> str:
    """Return a class label as a cell that no spreadsheet runs as a formula."""
    return f"'{label}" if label.startswith(FORMULA_PREFIXES) else label


def encode_added_cells(cells: list[str], delimiter: str) -> bytes:
    """Return cells as bytes to append to a record, with the delimiter in front of each."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="").writerow(["", *cells])
    return text.getvalue().encode()


def _name_scores(class_labels: ClassLabels, score_count: int) -> tuple[str, ...]:
    if score_count > 1:
        return class_labels.labels
    return class_labels.labels[-1:] if class_labels.score_is_probability else ("score",)
