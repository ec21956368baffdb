"""The form: what a person typed for each feature, checked in their words."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from local_test.app.schema import Feature, Schema

NUMBER = re.compile(r"[+\-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+\-]?[0-9]+)?")
WHOLE = re.compile(r"[+\-]?[0-9]+")
MOST_CHARACTERS = 40
Value = float | int | bool | str | None
COLUMN = re.compile(r'column "((?:[^"\\]|\\.)*)"')


class BadValue(Exception):
    """What was typed is not a value of the feature."""


@dataclass(frozen=True, slots=True)
class Field:
    """A feature, its control's id, what was typed, and what there is to say about it."""

    id: str
    feature: Feature
    text: str = ""
    error: str = ""
    warning: str = ""
    value: Value = None

    @property
    def hints(self) -> list[str]:
        """Return what helps to fill it in, apart from its label."""
        unit = [f"in {self.feature.unit}"] if self.feature.unit else []
        span = (
            []
            if self.feature.range is None
            else [f"{number(self.feature.range[0])} to {number(self.feature.range[1])} in training"]
        )
        return unit + span + (["may be left empty"] if self.feature.missing else [])

    @property
    def words(self) -> str:
        """Return the value as a person reads it."""
        if self.value is None:
            return "not known"
        if isinstance(self.value, bool):
            return "yes" if self.value else "no"
        return self.value if isinstance(self.value, str) else number(self.value)


@dataclass(frozen=True, slots=True)
class Form:
    """A field for each feature."""

    fields: tuple[Field, ...]

    @property
    def errors(self) -> list[Field]:
        return [field for field in self.fields if field.error]

    @property
    def warnings(self) -> list[Field]:
        return [field for field in self.fields if field.warning]

    def payload(self) -> bytes:
        """Return the record as application/json; by names, unless a feature has none."""
        record: Any = {field.feature.name: field.value for field in self.fields}
        if not all(field.feature.named for field in self.fields):
            record = list(record.values())
        return json.dumps({"instances": [record]}, ensure_ascii=False).encode()

    def refused(self, message: str) -> "Form":
        """Return the form with the endpoint's message at the field whose column it names, if it names one."""
        found = COLUMN.search(message)
        name = json.loads(f'"{found[1]}"') if found else None
        words = message.rpartition('": ')[2] if message.count('": ') == 1 else message
        return Form(
            tuple(
                replace(field, error=words, warning="") if field.feature.name == name else field
                for field in self.fields
            )
        )


def blank(schema: Schema) -> Form:
    """Return the form before anything was typed."""
    return Form(tuple(Field(f"f{place}", feature) for place, feature in enumerate(schema.features)))


def filled(schema: Schema, cells: list[str]) -> Form:
    """Return the form with the cells of a line of CSV typed in, unchecked."""
    return Form(
        tuple(
            replace(field, text=_typed(field.feature, cell))
            for field, cell in zip(blank(schema).fields, cells, strict=True)
        )
    )


def checked(schema: Schema, typed: Mapping[str, str]) -> Form:
    """Return the form as typed, by the controls' ids, with an error or a value in each field."""
    return Form(
        tuple(
            _checked(replace(field, text=typed.get(field.id, ""))) for field in blank(schema).fields
        )
    )


def number(value: float) -> str:
    """Return a number as a person types it."""
    return f"{value:.12g}"


def _typed(feature: Feature, cell: str) -> str:
    return str(feature.options.index(cell)) if cell in feature.options else cell


def _checked(field: Field) -> Field:
    try:
        value = _value(field.feature, field.text.strip())
    except BadValue as error:
        return replace(field, error=str(error))
    return replace(field, value=value, warning=_warning(field.feature, value))


def _value(feature: Feature, text: str) -> Value:
    if not text:
        if feature.missing:
            return None
        raise BadValue("choose one" if feature.options else f"enter a {_kind(feature)}")
    if feature.options:
        if text not in map(str, range(len(feature.options))):
            raise BadValue("choose one of the list")
        return int(text) == 1 if feature.type == "i" else feature.options[int(text)]
    return _number(feature, text)


def _number(feature: Feature, text: str) -> float | int:
    if len(text) > MOST_CHARACTERS:
        raise BadValue(f"enter a {_kind(feature)} of at most {MOST_CHARACTERS} characters")
    if not (WHOLE if feature.whole else NUMBER).fullmatch(text):
        hint = (
            ", with a point and not a comma: " + text.replace(",", ".")
            if re.fullmatch(r"[+-]?\d+,\d+", text)
            else ""
        )
        raise BadValue(f"enter a {_kind(feature)}{hint or _example(feature)}")
    if not math.isfinite(float(text)):
        raise BadValue("enter a smaller number")
    return int(text) if feature.whole else float(text)


def _kind(feature: Feature) -> str:
    return "whole number" if feature.whole else "number"


def _example(feature: Feature) -> str:
    return f", such as {number(feature.range[0])}" if feature.range else ""


def _warning(feature: Feature, value: Value) -> str:
    if feature.range is None or value is None or isinstance(value, (bool, str)):
        return ""
    low, high = feature.range
    if low <= value <= high:
        return ""
    return f"{number(value)} is outside of what the model learned from ({number(low)} to {number(high)}): trust the prediction less"
