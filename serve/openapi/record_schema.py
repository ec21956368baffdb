"""JSON Schemas of records, predictions and errors.

Source: JSON Schema 2020-12, which OpenAPI 3.1 uses.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from serve.diagnosis.json_shapes import INSTANCES
from serve.output_keys import OUTPUT_KEYS
from serve.schema.feature import CodeFeature, Feature
from serve.schema.label_feature import LabelFeature
from serve.schema.schema import Schema
from serve.text import column_label

JsonSchema = dict[str, Any]
MAX_FLOAT32 = float(np.finfo(np.float32).max)
NUMBER_OR_NULL: JsonSchema = {"type": ["number", "null"]}


def build_record_schemas(schema: Schema) -> dict[str, JsonSchema]:
    """Return the schemas of a row: a list of values and, if the columns have names, an object."""
    values = [_describe_feature(feature) for feature in schema.features]
    as_list = {
        "title": "Values in the order of the columns",
        "type": "array",
        "prefixItems": [
            {**value, "title": column_label(schema.names, index)}
            for index, value in enumerate(values)
        ],
        "minItems": schema.width,
        "maxItems": schema.width,
    }
    if schema.names is None:
        return {"RecordList": as_list}
    properties = dict(zip(schema.names, values, strict=True))
    as_object = {
        "title": "Values by column",
        "type": "object",
        "properties": {**properties, **{name: {} for name in sorted(schema.ignored)}},
        "required": list(schema.names),
        "additionalProperties": False,
    }
    return {"Record": as_object, "RecordList": as_list}


def build_payload_schema(records: Sequence[JsonSchema]) -> JsonSchema:
    """Return the schema of an application/json payload, given those of a record.

    All records of a payload have the same schema. "feature_names", which gives the values of lists
    another order, cannot be described.
    """
    lists = [{"type": "array", "items": record} for record in records]
    documents = [
        {
            "type": "object",
            "properties": {INSTANCES: items},
            "required": [INSTANCES],
            "additionalProperties": False,
        }
        for items in lists
    ]
    return {"anyOf": [*documents, *lists, *records]}


def build_prediction_schema() -> JsonSchema:
    """Return the schema of one prediction; the outputs and explanations depend on the request."""
    values = {"anyOf": [NUMBER_OR_NULL, {"type": "array", "items": NUMBER_OR_NULL}]}
    named = {"type": "object", "additionalProperties": NUMBER_OR_NULL}
    properties: JsonSchema = dict.fromkeys(OUTPUT_KEYS, values)
    properties["class"] = {"type": ["string", "integer", "null"]}
    properties["class_probabilities"] = named
    return {"type": "object", "properties": properties, "minProperties": 1}


def build_predictions_schema(prediction: JsonSchema) -> JsonSchema:
    """Return the schema of an application/json response."""
    return {
        "type": "object",
        "properties": {"predictions": {"type": "array", "items": prediction}},
        "required": ["predictions"],
        "additionalProperties": False,
    }


def build_error_schema(names: Iterable[str] = ()) -> JsonSchema:
    """Return the schema of an error, whose name is one of these, or any name if there are none."""
    error: JsonSchema = {"type": "string"}
    if listed_names := sorted(names):
        error["enum"] = listed_names
    properties = {"error": error, "message": {"type": "string"}, "request_id": {"type": "string"}}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _describe_feature(feature: Feature) -> JsonSchema:
    """Return the schema of a JSON value in the column of a feature."""
    null = ["null"] if feature.may_be_missing else []
    if isinstance(feature, LabelFeature):
        if feature.unknown_is_missing:
            return {"type": ["string", *null], "examples": list(feature.categories)}
        return {"enum": [*feature.categories, *([None] if null else [])]}
    if isinstance(feature, CodeFeature):
        largest = feature.code_count - 1
        return {"type": ["integer", *null], "minimum": 0, "maximum": largest}
    boolean = ["boolean"] if feature.type == "i" else []
    limits = {"minimum": -MAX_FLOAT32, "maximum": MAX_FLOAT32}
    return {"type": ["number", *boolean, *null], **limits}
