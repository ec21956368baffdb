"""The form for one record: a field per feature, filled in, validated and encoded as a payload."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from local_test.app.number_format import format_input
from local_test.app.record.field_values import (
    BadValue,
    Value,
    check_range,
    format_range,
    parse_value,
)
from local_test.app.schema import Feature, Schema


@dataclass(frozen=True, slots=True)
class FormField:
    """A feature with the id of its control, the text typed, and the outcome of the validation."""

    id: str
    feature: Feature
    text: str = ""
    error: str = ""
    warning: str = ""
    value: Value = None

    @property
    def hints(self) -> list[str]:
        """Return the unit, the range in training, and whether the field is optional."""
        hints = []
        if self.feature.unit:
            hints.append(f"Unit: {self.feature.unit}")
        if self.feature.range:
            hints.append(f"Training range: {format_range(self.feature.range)}")
        if self.feature.missing:
            hints.append("Optional")
        return hints

    @property
    def column(self) -> str:
        """Return the column as the server's messages name it."""
        if not self.feature.named:
            return f"column {self.feature.number}:"
        return f"column {json.dumps(self.feature.name, ensure_ascii=False)}"

    @property
    def display_value(self) -> str:
        """Return the value as text for a person."""
        if self.value is None:
            return "unknown"
        if isinstance(self.value, bool):
            return "yes" if self.value else "no"
        return self.value if isinstance(self.value, str) else format_input(self.value)


@dataclass(frozen=True, slots=True)
class RecordForm:
    """A field for each feature, in the order of the schema."""

    fields: tuple[FormField, ...]

    @property
    def errors(self) -> list[FormField]:
        return [field for field in self.fields if field.error]

    @property
    def warnings(self) -> list[FormField]:
        return [field for field in self.fields if field.warning]

    def payload(self) -> bytes:
        """Return the record as application/json: an object if every feature is named, else a list.

        A field without a value is sent as null.
        """
        values: Any = {field.feature.name: field.value for field in self.fields}
        if not all(field.feature.named for field in self.fields):
            values = list(values.values())
        return json.dumps({"instances": [values]}, ensure_ascii=False).encode()

    def with_endpoint_error(self, message: str) -> "RecordForm":
        """Return the form with the endpoint's message at the column that it names first, if any.

        The server names a column as ``row 1, column "carat": …``.
        """
        named = [field for field in self.fields if field.column in message]
        if not named:
            return self
        first = min(named, key=lambda field: message.index(field.column))
        _, _, text = message.partition(first.column)
        error = text.removeprefix(": ") if text.startswith(": ") else message
        fields = list(self.fields)
        fields[fields.index(first)] = replace(first, error=error, warning="")
        return RecordForm(tuple(fields))


def blank_form(schema: Schema) -> RecordForm:
    """Return the form with every field empty."""
    return RecordForm(
        tuple(FormField(f"f{index}", feature) for index, feature in enumerate(schema.features))
    )


def prefilled_form(schema: Schema, cells: list[str]) -> RecordForm:
    """Return the form with the cells of a CSV row filled in, without validation."""
    fields = zip(blank_form(schema).fields, cells, strict=True)
    return RecordForm(
        tuple(replace(field, text=_control_value(field.feature, cell)) for field, cell in fields)
    )


def validate_form(schema: Schema, texts: Mapping[str, str]) -> RecordForm:
    """Return the submitted form, with an error or a value in each field.

    Args:
        schema: the features.
        texts: the submitted text of each control, by the control's id.
    """
    return RecordForm(
        tuple(
            _validate(replace(field, text=texts.get(field.id, "")))
            for field in blank_form(schema).fields
        )
    )


def _control_value(feature: Feature, cell: str) -> str:
    """Return what a control submits for a cell: the option's index, or the text itself."""
    return str(feature.options.index(cell)) if cell in feature.options else cell


def _validate(field: FormField) -> FormField:
    try:
        value = parse_value(field.feature, field.text.strip())
    except BadValue as error:
        return replace(field, error=str(error))
    return replace(field, value=value, warning=check_range(field.feature, value))
