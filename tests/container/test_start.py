"""Startup: environment variables and model folders that prevent it, and those that do not."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.boosters import random_features, save_artifact, train
from tests.support.server import running, startup_error

BOOSTER = train(random_features(100, 2), names=["a", "b"])


@pytest.mark.parametrize(
    ("variable", "text", "expected"),
    [
        ("SAGEMAKER_BIND_TO_PORT", "http", "a whole number from 1 to 65,535"),
        ("SAGEMAKER_BIND_TO_PORT", "65536", "a whole number from 1 to 65,535"),
        (
            "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT",
            "text/html",
            '"text/csv", "application/json", "application/jsonlines"',
        ),
        ("SAGEMAKER_MAX_PAYLOAD_IN_MB", "6MB", "a whole number"),
        ("MAX_CONTENT_LENGTH", "0", "a whole number"),
        ("SERVE_UNKNOWN_CATEGORY", "ignore", '"error", "missing"'),
        ("SAGEMAKER_MODEL_SERVER_WORKERS", "-1", "a whole number"),
    ],
)
def test_invalid_setting_prevents_startup(
    models: Path, variable: str, text: str, expected: str
) -> None:
    """8.4: an invalid value prevents startup, in one line with variable and expected values."""
    line = startup_error(save_artifact(BOOSTER, models / "settings"), **{variable: text})

    assert f'{variable}="{text}"' in line
    assert expected in line


def test_empty_variable_is_unset(models: Path) -> None:
    """8.1: an empty variable is the same as an unset one."""
    with running(
        save_artifact(BOOSTER, models / "empty"),
        SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="",
        MAX_CONTENT_LENGTH=" ",
    ) as server:
        assert server.post("1,2").status_code == 200


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("[]", 'expected an object with "features"'),
        ("{", "schema.json"),
        ('{"features": [1, 2]}', "a list of objects"),
        (
            '{"features": [{"name": "a"}]}',
            'schema.json: describes 1 feature, but the model has 2 (missing "b")',
        ),
        (
            '{"features": [{"name": "b"}, {"name": "a"}]}',
            'feature 1: "name": expected "a" as in the model, got "b"',
        ),
        (
            '{"features": [{"name": "a", "type": "c"}, {"name": "b"}]}',
            'feature 1: "type": expected "float" as in the model, got "c"',
        ),
        (
            '{"features": [{"name": "a", "type": "text"}, {"name": "b"}]}',
            'feature 1: "type": expected one of "float"',
        ),
        (
            '{"features": [{"name": "a", "categories": ["x", "x"]}, {"name": "b"}]}',
            '"categories": expected a list of unique strings',
        ),
        (
            '{"features": [{"name": "a", "codes": 3}, {"name": "b"}]}',
            '"codes" requires "type": "c", but the type is "float" in the model: remove the key',
        ),
        (
            '{"features": [{"name": "a"}, {"name": "a"}]}',
            'duplicate feature names: "a"',
        ),
        ('{"features": ["a", "b"]}', "a list of objects"),
        ("[" * 200_000, "recursion"),
        (
            '{"features": [{"name": "a", "codes": 1e400}, {"name": "b"}]}',
            '"codes": expected the number of codes, from 1 to 16,777,216',
        ),
        (
            '{"features": [{"name": "a", "mising": false}, {"name": "b"}]}',
            'feature 1: unknown key "mising": did you mean "missing"?',
        ),
        (
            '{"features": [{"name": "a", "missing": "no"}, {"name": "b"}]}',
            '"missing": expected true or false, got "no"',
        ),
        (
            '{"features": [{}, {}], "predictoin": {}}',
            'unknown key "predictoin": did you mean "prediction"?',
        ),
        (
            '{"features": [{}, {}], "prediction": ["price"]}',
            '"prediction": expected an object, got ["price"]',
        ),
        (
            '{"features": [{}, {}], "prediction": {"labels": []}}',
            '"prediction": unknown key "labels": expected "name", "unit"',
        ),
        (
            '{"features": [{}, {}], "prediction": {"classes": "yes"}}',
            '"classes": expected a list of unique strings',
        ),
        (
            '{"features": [{}, {}], "prediction": {"classes": ["no", "no"]}}',
            '"classes": expected a list of unique strings',
        ),
        (
            '{"features": [{}, {}], "prediction": {"classes": [1, 2, 3]}}',
            '"classes": expected 2 classes for a model with 1 output, got 3',
        ),
    ],
)
def test_invalid_schema_prevents_startup(tmp_path: Path, schema: str, message: str) -> None:
    """A schema.json that is invalid or contradicts the model prevents startup."""
    booster = train(random_features(100, 2), names=["a", "b"], types=["float", "float"])
    (save_artifact(booster, tmp_path) / "schema.json").write_text(schema)

    assert message in startup_error(tmp_path)


CATEGORICAL = train(
    np.column_stack([np.arange(200) % 5, random_features(200, 1).ravel()]).astype(np.float32),
    types=["c", "q"],
    max_cat_to_onehot=1,
)


@pytest.mark.parametrize(
    ("feature", "message"),
    [
        (
            {"categories": ["b", "c", "d", "e"]},
            (
                'feature 1: "categories": expected at least 5 labels '
                "(the trees use codes up to 4), got 4"
            ),
        ),
        (
            {"codes": 4},
            'feature 1: "codes": expected at least 5 (the trees use codes up to 4), got 4',
        ),
    ],
)
def test_too_few_categories_prevent_startup(
    tmp_path: Path, feature: dict[str, object], message: str
) -> None:
    """Fewer categories than the trees use prevent startup: later labels would get wrong codes."""
    (save_artifact(CATEGORICAL, tmp_path) / "schema.json").write_text(
        json.dumps({"features": [feature, {}]})
    )

    assert message in startup_error(tmp_path)


@pytest.mark.parametrize(
    ("objective", "classes", "count"),
    [
        ("multi:softprob", 3, 2),
        ("multi:softmax", 3, 4),
        ("binary:logistic", 2, 1),
        ("binary:hinge", 2, 3),
    ],
)
def test_wrong_number_of_classes_prevents_startup(
    tmp_path: Path, objective: str, classes: int, count: int
) -> None:
    """A list of classes must be as long as the model has classes."""
    rows = random_features(200, 2)
    parameters = {"num_class": classes} if objective.startswith("multi") else {}
    folder = save_artifact(
        train(rows, np.arange(200) % classes, objective=objective, **parameters), tmp_path
    )
    schema: dict[str, Any] = {
        "features": [{}, {}],
        "prediction": {"name": "kind", "classes": [f"class {number}" for number in range(count)]},
    }
    (folder / "schema.json").write_text(json.dumps(schema))
    line = startup_error(folder)
    schema["prediction"]["classes"] = list(range(classes))
    (folder / "schema.json").write_text(json.dumps(schema))
    with running(folder) as server:
        status = server.post("1,2").status_code

    assert f'schema.json: "prediction": "classes": expected {classes} classes' in line
    assert f", got {count}\n" in line
    assert status == 200


def test_gunicorn_variables_are_ignored(models: Path) -> None:
    """8.1: WEB_CONCURRENCY, which gunicorn itself reads, has no effect."""
    with running(
        save_artifact(BOOSTER, models / "web-concurrency"), WEB_CONCURRENCY="many"
    ) as server:
        assert server.post("1,2").status_code == 200


@pytest.mark.parametrize(
    ("env", "message"),
    [
        (
            {"SERVE_ROW_EROR": "true"},
            "unknown variable SERVE_ROW_EROR: did you mean SERVE_ROW_ERRORS?",
        ),
        ({"SERVE_DOOR": "flask"}, "unknown variable SERVE_DOOR: did you mean SERVE_FRONTEND?"),
        ({"SERVE_DOOR": ""}, "unknown variable SERVE_DOOR: did you mean SERVE_FRONTEND?"),
        (
            {"SERVE_PORT": "80"},
            "unknown variable SERVE_PORT: expected one of SERVE_ALLOW_NEWER_MODEL, ",
        ),
        (
            {"SERVE_STREAM": "true", "SERVE_LIBSVM": "1"},
            (
                "unknown variable SERVE_LIBSVM: did you mean SERVE_LIBSVM_BASE?; "
                "unknown variable SERVE_STREAM: did you mean SERVE_STREAMING?"
            ),
        ),
    ],
    ids=["misspelled", "renamed", "empty", "no match", "two"],
)
def test_unknown_serve_variable_prevents_startup(
    models: Path, env: dict[str, str], message: str
) -> None:
    """8.1: an unknown SERVE_ variable prevents startup, in one line with the closest match."""
    line = startup_error(save_artifact(BOOSTER, models / "unknown-variable"), **env)

    assert line.startswith(f"cannot serve: {message}")


def test_similar_sagemaker_variable_is_a_warning(models: Path) -> None:
    """8.1: an ignored variable that resembles a setting is logged with the closest match."""
    env = {"SAGEMAKER_MAX_PAYLOAD_IN_MIB": "6", "SAGEMAKER_REGION": "eu-central-1"}
    with running(save_artifact(BOOSTER, models / "similar-variable"), **env) as server:
        assert server.post("1,2").status_code == 200
    [warning] = [event for event in server.events() if event["event"] == "unknown variable ignored"]

    assert warning["level"] == "WARNING"
    assert warning["variable"] == "SAGEMAKER_MAX_PAYLOAD_IN_MIB"
    assert warning["did_you_mean"] == "SAGEMAKER_MAX_PAYLOAD_IN_MB"


def test_port_in_use_prevents_startup(models: Path) -> None:
    """1.6: a port in use prevents startup at once, with the variable that changes it."""
    folder = save_artifact(BOOSTER, models / "port")
    with running(folder) as server:
        line = startup_error(folder, SAGEMAKER_BIND_TO_PORT=str(server.address[1]))

    assert "Address already in use; set SAGEMAKER_BIND_TO_PORT to another port" in line
