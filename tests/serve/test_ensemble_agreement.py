"""Ensembles whose models, or whose schema.json files, contradict each other."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.boosters import random_features, train
from tests.support.check import check, write_files
from tests.support.server import startup_error

FEATURES = random_features(100, 2, missing=0)
LABELS = np.random.default_rng(0).integers(0, 2, 100)
REGRESSION = bytes(train(FEATURES, rounds=2).save_raw("ubj"))
CLASSIFIER = bytes(train(FEATURES, LABELS, rounds=2, objective="binary:logistic").save_raw("ubj"))
NAMES = [{"name": "a"}, {"name": "b"}]


def write_members(folder: Path, schemas: Sequence[dict[str, Any] | None], model: bytes) -> Path:
    """Write a model and its schema.json into a folder for each member, a and so on."""
    for number, schema in enumerate(schemas):
        member = "abc"[number]
        files = {f"{member}/xgboost-model-{number}": model}
        if schema is not None:
            files[f"{member}/schema.json"] = json.dumps(schema).encode()
        write_files(folder, files)
    return folder


CONTRADICTIONS: dict[str, tuple[list[dict[str, Any] | None], bytes, str, str, str]] = {
    "libsvm_base": (
        [{"libsvm_base": 0}, {"libsvm_base": 1}],
        REGRESSION,
        '"libsvm_base"',
        "0",
        "1",
    ),
    "libsvm_base of one": ([None, {"libsvm_base": 1}], REGRESSION, '"libsvm_base"', "0", "1"),
    "classes": (
        [{"prediction": {"classes": ["no", "yes"]}}, {"prediction": {"classes": ["yes", "no"]}}],
        CLASSIFIER,
        '"prediction": "classes"',
        '["no", "yes"]',
        '["yes", "no"]',
    ),
    "classes of the last two": (
        [None, {"prediction": {"classes": [0, 1]}}, {"prediction": {"classes": [1, 0]}}],
        CLASSIFIER,
        '"prediction": "classes"',
        "[0, 1]",
        "[1, 0]",
    ),
    "unit": (
        [{"prediction": {"unit": "m"}}, {"prediction": {"unit": "ft"}}],
        REGRESSION,
        '"prediction": "unit"',
        '"m"',
        '"ft"',
    ),
    "name": (
        [{"prediction": {"name": "price"}}, {"prediction": {"name": "weight"}}],
        REGRESSION,
        '"prediction": "name"',
        '"price"',
        '"weight"',
    ),
    "unit of a column": (
        [{"features": [{"unit": "m"}, {}]}, {"features": [{"unit": "ft"}, {}]}],
        REGRESSION,
        '"unit", column 1',
        '"m"',
        '"ft"',
    ),
    "missing_value": (
        [{"missing_value": -1}, {"missing_value": -999}],
        REGRESSION,
        '"missing_value", column 1',
        "-1",
        "-999",
    ),
    "missing_value of one": (
        [{"features": [{}, {"missing_value": 7}]}, None],
        REGRESSION,
        '"missing_value", column 2',
        "7",
        "none",
    ),
    "missing": (
        [{"features": [{}, {"missing": False}]}, {"features": [{}, {}]}],
        REGRESSION,
        '"missing", column 2',
        "false",
        "true",
    ),
    "names": (
        [{"features": NAMES}, {"features": NAMES[::-1]}],
        REGRESSION,
        "column names, column 1",
        '"a"',
        '"b"',
    ),
    "type": (
        [{"features": [{"type": "q"}, {}]}, {"features": [{"type": "i"}, {}]}],
        REGRESSION,
        "column types, column 1",
        '"number"',
        '"i"',
    ),
}


@pytest.mark.parametrize("key", CONTRADICTIONS)
def test_schemas_that_contradict_each_other_are_rejected(tmp_path: Path, key: str) -> None:
    """4.9: If the schema.json of two members differs, the message names the key and both values."""
    schemas, model, name, first, second = CONTRADICTIONS[key]
    error = check(write_members(tmp_path, schemas, model)).error

    assert f"the models of an ensemble differ in {name}: {tmp_path}/" in error
    assert f" has {first}, {tmp_path}/" in error
    assert f" has {second}" in error
    assert "correct " in error
    assert all(
        f"{tmp_path}/{'abc'[number]}/schema.json" in error
        for number, schema in enumerate(schemas)
        if schema
    )
    assert "Feature(" not in error


def test_a_server_does_not_start_with_contradictory_classes(tmp_path: Path) -> None:
    """4.9: Opposite classes prevent startup, because the mean of the probabilities is wrong."""
    schemas, model, *_ = CONTRADICTIONS["classes"]
    line = startup_error(write_members(tmp_path, schemas, model))

    assert '"prediction": "classes"' in line.replace('\\"', '"')


def test_all_keys_that_differ_are_named(tmp_path: Path) -> None:
    """The message lists further differences by name."""
    schemas = [{"libsvm_base": base, "prediction": {"unit": f"u{base}"}} for base in (0, 1)]
    error = check(write_members(tmp_path, schemas, REGRESSION)).error

    assert 'differ in "libsvm_base": ' in error
    assert '(also in "prediction": "unit"); correct ' in error


@pytest.mark.parametrize(
    "schemas",
    [
        [{"features": NAMES, "libsvm_base": 1}] * 2,
        [{"libsvm_base": 0}, None],
        [{"prediction": {"unit": "m", "description": "x"}}, {"prediction": {"description": "y"}}],
        [
            {"features": [{"type": "float", "range": [0, 1]}, {"description": "x"}]},
            {"features": [{"type": "int", "range": [0, 2]}, {}]},
        ],
        [{"missing_value": -1}, {"features": [{"missing_value": -1.0}, {"missing_value": -1}]}],
    ],
    ids=["equal", "default", "description", "numbers", "spelling"],
)
def test_schemas_that_agree_are_accepted(
    tmp_path: Path, schemas: list[dict[str, Any] | None]
) -> None:
    """Keys that change no prediction, and other spellings of the same schema, may differ."""
    assert check(write_members(tmp_path, schemas, REGRESSION)).error == ""


def test_codes_that_differ_by_member(tmp_path: Path) -> None:
    """If members imply different numbers of codes, the message asks for them in schema.json."""
    codes = np.random.default_rng(0).integers(0, 6, (200, 1)).astype(np.float32)
    models = [
        train(np.minimum(codes, limit), codes[:, 0] % 2, types=["c"], rounds=2).save_raw("ubj")
        for limit in (3, 5)
    ]
    files = {f"xgboost-model-{number}": bytes(model) for number, model in enumerate(models)}
    error = check(write_files(tmp_path, files)).error

    assert 'differ in "codes", column 1: ' in error
    assert 'set "codes" in schema.json to the number of categories in training' in error
    schema = {"features": [{"codes": 6}]}
    assert check(write_files(tmp_path, {"schema.json": json.dumps(schema).encode()})).error == ""
