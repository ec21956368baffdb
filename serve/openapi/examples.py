"""Example payloads: the artifact's self-test, or a record of values that the schema allows."""

import csv
import io
import json
from pathlib import Path
from typing import Any, NamedTuple

from serve.media.types import CSV, JSON, SUFFIXES
from serve.model.model import Model
from serve.schema.feature import Feature
from serve.schema.label_feature import LabelFeature
from serve.schema.schema import Schema

MAX_EXAMPLE_BYTES = 1 << 13
NUMBER = 1.0


class Example(NamedTuple):
    """A payload, or a response, of a media type: a text, or for JSON the document."""

    media_type: str
    value: Any


def load_examples(model: Model) -> tuple[Example | None, Example | None]:
    """Return the request and the response of the self-test, None where there is none to show."""
    if model.file.self_test is None:
        return None, None
    request, response = model.file.self_test
    return _read(request), _read(response)


def build_record(schema: Schema) -> list[Any]:
    """Return the values of a record that the model accepts."""
    return [_choose_value(feature) for feature in schema.features]


def build_row(schema: Schema) -> Any:
    """Return a record as a row of JSON."""
    values = build_record(schema)
    return values if schema.names is None else dict(zip(schema.names, values, strict=True))


def build_csv(schema: Schema) -> str:
    """Return a record as a line of CSV, without a line ending."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(build_record(schema))
    return line.getvalue()


def find_csv_line(model: Model) -> str:
    """Return the first plain record of a CSV self-test, or else one of the schema."""
    request, _ = load_examples(model)
    if request and request.media_type == CSV:
        for line in str(request.value).splitlines()[:2]:  # the first one may be a header
            if '"' not in line and model.schema.could_be_record(line.split(",")):
                return line
    return build_csv(model.schema)


def _read(path: Path) -> Example | None:
    """Return the content of a file, or None if it is long, or no longer readable as at startup."""
    media_type = SUFFIXES[path.suffix]
    try:
        content = path.read_bytes()
        if len(content) > MAX_EXAMPLE_BYTES:
            return None
        text = content.decode("utf-8-sig")
        return Example(media_type, json.loads(text) if media_type == JSON else text)
    except (OSError, ValueError):
        return None


def _choose_value(feature: Feature) -> Any:
    if isinstance(feature, LabelFeature):
        return feature.categories[0]
    if feature.type == "c":
        return 0
    return NUMBER + 1 if feature.is_missing_value(NUMBER) else NUMBER
