"""A schema.json that contradicts what the booster still knows, and conventions nobody knows."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost
from numpy.typing import NDArray

from tests.support.boosters import predict_with_xgboost, save_artifact, train
from tests.support.check import check, run_check
from tests.support.responses import error_of, scores
from tests.support.server import running

RANDOM = np.random.default_rng(7)
NUMBERS = RANDOM.normal(size=(200, 2)).astype(np.float32)
CODES = np.column_stack([np.arange(200) % 5, NUMBERS[:, 0]]).astype(np.float32)
BINARY = (NUMBERS[:, 0] > 0.3).astype(float)
LABELS = ["Größe", "b", "äöü", "é", "目x"]
CLASSES = {"prediction": {"classes": ["no", "yes"]}}


def custom_objective(
    margins: NDArray[np.float32], matrix: xgboost.DMatrix
) -> tuple[NDArray[Any], NDArray[Any]]:
    probabilities = 1 / (1 + np.exp(-margins))
    return probabilities - matrix.get_label(), probabilities * (1 - probabilities)


def train_custom(**parameters: Any) -> xgboost.Booster:
    matrix = xgboost.DMatrix(NUMBERS, BINARY)
    return xgboost.train({"nthread": 1, **parameters}, matrix, 3, obj=custom_objective)


def train_without_types() -> xgboost.Booster:
    """Return a booster with categorical splits that does not say which features are categorical."""
    booster = train(CODES, types=["c", "q"], max_cat_to_onehot=1)
    booster.feature_types = None
    return booster


def with_attribute(booster: xgboost.Booster, **saved: Any) -> xgboost.Booster:
    """Return a booster as scikit-learn estimators save it."""
    booster.set_attr(scikit_learn=json.dumps(saved))
    return booster


BOOSTERS = {
    "numbers": train(NUMBERS, names=["a", "b"]),
    "codes": train(CODES, types=["c", "q"], max_cat_to_onehot=1),
    "no types": train_without_types(),
    "regression": train(NUMBERS, BINARY),
    "unused": train(NUMBERS * [1, 0], NUMBERS[:, 0]),
    "types": train(NUMBERS, types=["q", "q"]),
    "counts": train(NUMBERS, BINARY, objective="count:poisson"),
    "regressor": with_attribute(train_custom(), _estimator_type="regressor"),
    "classifier": with_attribute(
        train(NUMBERS, BINARY, objective="binary:logistic"), classes_=["no", "yes"]
    ),
    "custom": train_custom(),
    "custom from 0": train_custom(base_score=0),
    "logistic": train(NUMBERS, BINARY, objective="reg:logistic"),
}


def save(booster: xgboost.Booster, folder: Path, schema: dict[str, Any]) -> Path:
    (save_artifact(booster, folder) / "schema.json").write_text(json.dumps(schema))
    return folder


@pytest.mark.parametrize(
    ("booster", "schema", "message"),
    [
        (
            "numbers",
            {"features": [{"name": "b"}, {"name": "a"}]},
            '"name": expected "a" as in the model, got "b"; list the features in the order of',
        ),
        (
            "numbers",
            {"features": [{"name": "a"}, {"name": "B"}]},
            'feature 2: "name": expected "b" as in the model, got "B"; did you mean "b"?',
        ),
        (
            "regression",
            {"features": [{"categories": ["x", "y"]}, {}]},
            'feature 1: "categories": remove the key, because the trees split the feature by thr',
        ),
        (
            "unused",
            {"features": [{}, {"categories": ["x", "y"]}]},
            'feature 2: "categories" requires "type": "c", which is not there: add it',
        ),
        (
            "types",
            {"features": [{}, {"codes": 2}]},
            'feature 2: "codes" requires "type": "c", but the type is "q" in the model: remove the',
        ),
        ("numbers", {"features": [{}]}, "describes 1 feature, but the model has 2: describe all"),
        ("numbers", {"features": [{"name": "b"}]}, 'but the model has 2 (missing "a"): describe'),
        (
            "numbers",
            {"features": [{"name": "a"}, {"name": "b"}, {"name": "y"}]},
            'describes 3 features, but the model has 2 (unknown "y"): describe all of them, in',
        ),
        (
            "numbers",
            {"features": [{"type": "c", "codes": 2}, {}]},
            'feature 1: "type": expected a number, because the trees split the feature by thres',
        ),
        (
            "no types",
            {"features": [{"type": "q"}, {}]},
            'feature 1: "type": expected "c" as in the model, got "q"',
        ),
        (
            "codes",
            {"features": [{"categories": list("abcde"), "codes": 6}, {}]},
            'feature 1: "codes": expected 5, the number of labels, got 6',
        ),
        (
            "regression",
            {"features": [{"name": "a"}, {}]},
            'feature 2: expected a "name", as for other features',
        ),
        ("regression", CLASSES, 'the objective is "reg:squarederror", which has no classes'),
        ("counts", CLASSES, 'the objective is "count:poisson", which has no classes'),
        ("regressor", CLASSES, "the model is a regressor, which has no classes"),
        (
            "classifier",
            {"prediction": {"classes": ["yes", "no"]}},
            '"classes": expected "no", "yes" as in the model, got "yes", "no"',
        ),
    ],
)
def test_contradictions_prevent_startup(
    tmp_path: Path, booster: str, schema: dict[str, Any], message: str
) -> None:
    """A contradiction is rejected with the path of the file and with what the booster knows."""
    outcome = run_check(save(BOOSTERS[booster], tmp_path, schema))

    assert outcome.returncode == 1
    assert outcome.stderr.startswith(f"cannot check: {tmp_path / 'schema.json'}: ")
    assert message in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1


@pytest.mark.parametrize("booster", ["custom", "custom from 0", "logistic", "classifier"])
def test_classes_that_the_objective_allows(tmp_path: Path, booster: str) -> None:
    """A custom objective, which no model file contains, may have classes."""
    assert run_check(save(BOOSTERS[booster], tmp_path, CLASSES)).returncode == 0


def save_truncated(folder: Path, schema: dict[str, Any]) -> xgboost.Booster:
    """Save a model as XGBoost 3.2 does: offsets of labels count characters, but are bytes."""
    rows = pd.DataFrame(
        {"size": pd.Categorical(LABELS * 40, categories=LABELS), "weight": NUMBERS[:, 0]}
    )
    booster = train(rows, np.arange(200) % 5, max_cat_to_onehot=1)
    model = json.loads(booster.save_raw("json"))
    encoding = model["learner"]["gradient_booster"]["model"]["cats"]["enc"][0]
    offsets = np.cumsum([0, *map(len, LABELS)]).tolist()
    text = np.frombuffer("".join(LABELS).encode()[: offsets[-1]], dtype=np.int8).tolist()
    if tuple(map(int, xgboost.__version__.split(".")[:2])) < (3, 4):
        assert (encoding["offsets"], encoding["values"]) == (offsets, text)
    encoding |= {"offsets": offsets, "values": text}
    model["version"] = [3, 2, 0]
    folder.mkdir(exist_ok=True)
    (folder / "model.json").write_text(json.dumps(model))
    (folder / "schema.json").write_text(json.dumps(schema))
    return booster


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([LABELS[1], LABELS[0], *LABELS[2:]], 'label 1: expected "Größe", as in the model, got'),
        ([*LABELS[:3], LABELS[4], LABELS[3]], "label 4: expected a label of 1 character, as in"),
        ([*LABELS[:2], "öäü", *LABELS[3:]], 'label of 3 characters that begins with "äö", as in'),
        (LABELS[:4], "expected 5 labels as in the model, got 4"),
    ],
)
def test_labels_contradict_truncated_ones(tmp_path: Path, labels: list[str], message: str) -> None:
    """Labels must have the lengths and the beginning of those that XGBoost truncated."""
    save_truncated(tmp_path, {"features": [{"categories": labels}, {}]})

    assert message in run_check(tmp_path).stderr


def test_labels_that_fit_truncated_ones(tmp_path: Path) -> None:
    """Labels that fit the truncated ones are served with their codes."""
    booster = save_truncated(tmp_path, {"features": [{"categories": LABELS}, {}]})
    with running(tmp_path) as server:
        response = server.post("".join(f"{label},0.5\n" for label in LABELS))

    coded = np.column_stack([np.arange(5), np.full(5, 0.5)]).astype(np.float32)
    matrix = xgboost.DMatrix(coded, feature_types=["c", "float"], enable_categorical=True)
    np.testing.assert_array_equal(
        scores(response), booster.predict(matrix, validate_features=False)
    )


def test_categorical_splits_without_types(tmp_path: Path) -> None:
    """Trees that split by category limit the codes; startup warns about codes and names."""
    booster = BOOSTERS["no types"]
    with running(save_artifact(booster, tmp_path)) as server:
        good, bad = server.post("4,0.5"), server.post("5,0.5")
    warnings = [event["warning"] for event in server.events() if "warning" in event]

    expected = predict_with_xgboost(booster, np.array([[4, 0.5]], dtype=np.float32))
    np.testing.assert_array_equal(scores(good), expected)
    assert "expected an integer code from 0 to 4" in error_of(bad)
    assert [warning.partition(":")[0] for warning in warnings] == [
        "the order of columns cannot be checked, because they have no names",
        "column 1",
    ]
    assert 'give each feature a "name" in schema.json' in warnings[0]
    assert 'list the "categories" in schema.json' in warnings[1]


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ('{"features": [{}, {}], "features": []}', 'duplicate key: "features"'),
        ('{"features": {"a": {}}}', '"features": expected a list of objects, got {"a": {}}'),
        ('{"prediction": null}', '"prediction": expected an object, got null'),
        ('{"threshold": 0.5}', 'did you mean "threshold" in "prediction"?'),
        ('{"classes": ["a", "b"]}', 'did you mean "classes" in "prediction"?'),
        ('{"features": [{"MissingValue": 1}, {}]}', 'did you mean "missing_value"?'),
        ('{"base_margin": [1]}', '"base_margin" is not supported'),
        ('{"features": [{"unit": 5}, {}]}', 'feature 1: "unit": expected a string, got 5'),
        # Not JSON
        ('{"features": [{}, {},]}', "; remove the trailing comma"),
        ('{"missing_value": -999,}', "; remove the trailing comma"),
        (" \n", "invalid JSON: the file is empty; write {} or remove the file"),
        ("{'missing_value': -999}", "this is a Python object as text: write it with json.dumps"),
        ('{"missing_value": None}', "write None as null, or use json.dumps"),
        ("// features\n{}", "; remove the comment"),
        ('{\n  # features\n  "features": [{}, {}]\n}', "; remove the comment"),
        ("{missing_value: -999}", "; write names in double quotes"),
        ('{"missing_value": -999', "; the text ends too early"),
        ("'{}'", "; remove the quotes around the document"),
        ("{} {}", "; write one document"),
        ('{"missing_value": NaN}', "invalid JSON: "),
        ("caf\xe9", "invalid JSON: expected UTF-8 text, got byte 0xe9; save the file as UTF-8"),
        # What to write instead of a value
        ('{"features": ["age", "sex"]}', 'write each name as an object: {"name": "age"}'),
        ('{"features": {"a": {}}}', 'write [{"name": "a"}, …], in the order of training'),
        ('["age"]', 'such as {"features": [{"name": "age"}]}'),
        ('{"missing_value": "-999"}', 'got "-999"; remove the quotes'),
        ('{"missing_value": "NaN"}', "NaN is always a missing value: remove the key"),
        ('{"missing_value": [-999]}', "got [-999]; remove the brackets"),
        ('{"libsvm_base": "1"}', 'got "1"; remove the quotes'),
        ('{"libsvm_base": 1.0}', "got 1.0; write 1"),
        ('{"features": [{"missing": "False"}, {}]}', 'got "False"; remove the quotes'),
        ('{"features": [{"missing": 0}, {}]}', "got 0; write false"),
        ('{"features": [{"type": "categorical"}, {}]}', '; did you mean "c"?'),
        ('{"features": [{"type": "Float"}, {}]}', '; did you mean "float"?'),
        ('{"features": [{"categories": [1, 2]}, {}]}', '; write each in quotes, such as "1"'),
        ('{"features": [{"categories": ["x", "x"]}, {}]}', '; remove the duplicates of "x"'),
        ('{"prediction": {"classes": [0.0, 1.0]}}', "write whole numbers without a decimal point"),
    ],
)
def test_invalid_schema_is_explained(tmp_path: Path, schema: str, message: str) -> None:
    """A schema.json that is not JSON, and an invalid key or value at any level, is explained."""
    path = save_artifact(BOOSTERS["numbers"], tmp_path) / "schema.json"
    path.write_bytes(schema.encode("latin-1"))
    error = check(tmp_path).error

    assert error.startswith(f"cannot check: {path}: ")
    assert message in error
    assert "\n" not in error
    assert "the shell" not in error
