"""Warn about conventions that change predictions, and that only a user can declare."""

from collections.abc import Sequence

from serve.model.schema_json.keys import MISSING_VALUE
from serve.schema.feature import CodeFeature
from serve.schema.label_feature import LabelFeature
from serve.schema.schema import Schema
from serve.text import column_label, quoted, shortened

MAX_LISTED_COLUMNS = 5
WHERE = "in schema.json"


def find_schema_warnings(schema: Schema) -> list[str]:
    """Return a warning for each kind of convention that neither model nor schema.json declares."""
    columns = range(schema.width)
    coded = [column for column in columns if isinstance(schema.features[column], CodeFeature)]
    masked = [column for column in columns if _find_masked_label(schema, column) is not None]
    warnings = []
    if schema.names is None:
        warnings.append(
            "the order of columns cannot be checked, because they have no names: "
            f'give each feature a "name" {WHERE}'
        )
    if coded:
        warnings.append(
            f"{_list_columns(schema, coded)}: callers must know the codes of the categories: "
            f'list the "categories" {WHERE}'
        )
    warnings += [_describe_masked_label(schema, column) for column in masked]
    return warnings


def _find_masked_label(schema: Schema, column: int) -> str | None:
    """Return the label whose code is the column's missing value."""
    feature = schema.features[column]
    if not isinstance(feature, LabelFeature):
        return None
    labels = enumerate(feature.categories)
    return next((label for code, label in labels if code == feature.missing_value), None)


def _describe_masked_label(schema: Schema, column: int) -> str:
    label = quoted(_find_masked_label(schema, column))
    return (
        f"{column_label(schema.names, column)}: the label {label} is a missing value, as in "
        f'XGBoost, because its code is the "{MISSING_VALUE}": set "{MISSING_VALUE}": null for this '
        f"feature {WHERE} if training did not treat it so"
    )


def _list_columns(schema: Schema, columns: Sequence[int]) -> str:
    labels = [column_label(schema.names, column) for column in columns]
    return shortened(labels, MAX_LISTED_COLUMNS)
