"""`missing_value` in schema.json: a number that training treated as missing."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost
from numpy.typing import NDArray

from tests.support.boosters import save_artifact, train
from tests.support.check import run_check
from tests.support.payloads import libsvm, npy
from tests.support.protobuf import dense, sparse
from tests.support.responses import error_of, scores
from tests.support.server import Server, running, startup_error

RANDOM = np.random.default_rng(15)
NAN = float("nan")
NAMES = ["a", "b", "c"]
CSV, JSON, LINES = "text/csv", "application/json", "application/jsonlines"
LIBSVM, NPY, RECORDIO = "text/libsvm", "application/x-npy", "application/x-recordio-protobuf"


def train_with(missing: float, data: Any, **parameters: Any) -> xgboost.Booster:
    """Return a booster trained on ``xgboost.DMatrix(data, missing=missing)``."""
    target = RANDOM.random(len(data))
    matrix = xgboost.DMatrix(data, target, missing=missing, enable_categorical=True)
    return xgboost.train({"max_depth": 4, "nthread": 1, **parameters}, matrix, 20)


def predict(booster: xgboost.Booster, data: Any, missing: float) -> NDArray[np.float32]:
    """Return what XGBoost predicts for ``xgboost.DMatrix(data, missing=missing)``."""
    matrix = xgboost.DMatrix(data, missing=missing, enable_categorical=True)
    predictions: NDArray[np.float32] = booster.predict(matrix, validate_features=False)
    return predictions


def save(booster: xgboost.Booster, folder: Path, schema: dict[str, Any]) -> Path:
    save_artifact(booster, folder)
    (folder / "schema.json").write_text(json.dumps(schema))
    return folder


def frame(rows: int, missing: float) -> pd.DataFrame:
    """Return numeric columns that contain the number ``missing`` and its neighbors."""
    numbers = RANDOM.normal(size=(rows, 3)).astype(np.float32)
    numbers[RANDOM.random(numbers.shape) < 0.3] = missing
    numbers[RANDOM.random(numbers.shape) < 0.1] = np.nextafter(np.float32(missing), np.float32(9))
    numbers[RANDOM.random(numbers.shape) < 0.1] = NAN
    return pd.DataFrame(numbers, columns=NAMES)


NUMERIC = train_with(-999, frame(400, -999))
SAMPLE = frame(200, -999)


@pytest.fixture(scope="module")
def numeric(models: Path) -> Iterator[Server]:
    folder = save(NUMERIC, models / "missing", {"missing_value": -999})
    with running(folder, SERVE_ROW_ERRORS="true") as server:
        yield server


def encode(sample: pd.DataFrame) -> Iterator[tuple[bytes | str, str]]:
    """Yield the same records in every format, most of them in more than one way."""
    matrix, wide = sample.to_numpy(), sample.to_numpy().astype(np.float64)
    lists = [[None if np.isnan(x) else float(x) for x in row] for row in wide]
    objects = [dict(zip(NAMES, row, strict=True)) for row in lists]
    reordered = sample[["c", "a", "b"]]
    yield sample.to_csv(index=False, header=False), CSV
    yield reordered.to_csv(index=False), "text/csv; header=present"
    yield sample.to_csv(index=False, header=False, quoting=1), CSV
    yield json.dumps(lists), JSON
    yield json.dumps({"instances": objects}), JSON
    yield json.dumps(lists).replace("null", "NaN"), JSON
    yield "\n".join(map(json.dumps, lists)), LINES
    yield "\n".join(map(json.dumps, objects)), LINES
    yield libsvm(wide), LIBSVM
    yield npy(matrix), NPY
    yield npy(wide), NPY
    yield dense(matrix), RECORDIO
    yield sparse(matrix), RECORDIO


def test_every_format(numeric: Server) -> None:
    """The number is missing in every format, in a single record and in many."""
    for rows in (SAMPLE, SAMPLE[:1], SAMPLE[1:4]):
        expected = predict(NUMERIC, rows, -999)
        for body, media_type in encode(rows):
            np.testing.assert_array_equal(scores(numeric.post(body, media_type)), expected)
    assert not np.array_equal(predict(NUMERIC, SAMPLE, -999), predict(NUMERIC, SAMPLE, NAN))


@pytest.mark.parametrize("text", ["-999", "-999.0", "-9.99e2", " -999 ", "-999.00000001"])
def test_spellings(numeric: Server, text: str) -> None:
    """Numbers are compared as float32, however they are spelled."""
    expected = predict(NUMERIC, np.array([[NAN, 2, 3]], dtype=np.float32), NAN)

    for body in (f"{text},2,3", f'"{text}",2,3'):
        np.testing.assert_array_equal(scores(numeric.post(body)), expected)
    np.testing.assert_array_equal(scores(numeric.post(f"[{text},2,3]", JSON)), expected)


def test_explanations_and_row_errors(numeric: Server) -> None:
    """Explanations treat the number as missing, and so do records next to a bad one."""
    row = np.array([[-999, 2, 3]], dtype=np.float32)
    matrix = xgboost.DMatrix(row, missing=-999)
    contributions = NUMERIC.predict(matrix, pred_contribs=True, validate_features=False)
    response = numeric.post("-999,2,3", Accept=f"{JSON}; explain=contributions")
    with_error = numeric.post("x,2,3\n-999,2,3\n")

    explained = response.json()["predictions"][0]["contributions"]
    np.testing.assert_array_equal(
        np.array([explained[name] for name in NAMES], np.float32), contributions[0, :-1]
    )
    assert with_error.text.splitlines()[0] == "ERROR"
    assert np.float32(with_error.text.splitlines()[1]) == predict(NUMERIC, row, -999)[0]


LABELS = ["u", "v", "7", "w"]


def mixed_frame(rows: int) -> pd.DataFrame:
    """Return labels, codes and numbers; the number 0 is frequent, and is the code of "u"."""
    return pd.DataFrame(
        {
            "label": pd.Categorical(RANDOM.choice(LABELS, rows), categories=LABELS),
            "code": RANDOM.integers(0, 4, rows).astype(np.float32),
            "number": RANDOM.integers(-1, 3, rows).astype(np.float32),
        }
    )


def train_mixed(missing: float, rows: pd.DataFrame) -> xgboost.Booster:
    coded = rows.assign(label=rows["label"].cat.codes).to_numpy(dtype=np.float32)
    matrix = xgboost.DMatrix(
        coded,
        RANDOM.random(len(rows)),
        missing=missing,
        feature_names=["label", "code", "number"],
        feature_types=["c", "c", "q"],
        enable_categorical=True,
    )
    return xgboost.train({"max_depth": 4, "max_cat_to_onehot": 1, "nthread": 1}, matrix, 20)


MIXED = train_mixed(0, mixed_frame(400))
MIXED_FEATURES = [{"categories": LABELS}, {"codes": 4}, {}]


def test_zero_and_categories(models: Path) -> None:
    """Zero includes -0, and categories are compared by their codes, as XGBoost does.

    A label whose code is the number is missing; startup and `check` warn about it.
    """
    folder = save(MIXED, models / "zero", {"features": MIXED_FEATURES, "missing_value": 0})
    rows = mixed_frame(100)
    coded = rows.assign(label=rows["label"].cat.codes).to_numpy(dtype=np.float32)
    expected = predict(MIXED, coded, 0)
    objects = rows.astype({"label": str}).to_dict(orient="records")
    with running(folder) as server:
        for body, media_type in (
            (rows.to_csv(index=False, header=False), CSV),
            (json.dumps(objects), JSON),
            ("\n".join(map(json.dumps, objects)), LINES),
            (libsvm(coded), LIBSVM),
            (npy(coded), NPY),
            (dense(coded), RECORDIO),
        ):
            np.testing.assert_array_equal(scores(server.post(body, media_type)), expected)
        np.testing.assert_array_equal(
            scores(server.post("v,-0,-0.0\n0,0,0e5\nu,,\n")),
            predict(MIXED, np.array([[1, 0, 0], [0, 0, 0], [0, 0, 0]], dtype=np.float32), 0),
        )
    warnings = [event["warning"] for event in server.events() if "warning" in event]

    assert any('column "label": the label "u" is a missing value' in text for text in warnings)
    assert 'the label "u" is a missing value' in run_check(folder).stdout


def test_zero_as_in_a_data_frame(models: Path) -> None:
    """The first category of a DataFrame is missing if training had missing=0."""
    rows = mixed_frame(400)[["label", "number"]]
    booster = train_with(0, rows, max_cat_to_onehot=1)
    with running(save(booster, models / "zero-frame", {"missing_value": 0})) as server:
        response = server.post(rows.to_csv(index=False))

    np.testing.assert_array_equal(scores(response), predict(booster, rows, 0))


@pytest.fixture(scope="module")
def columns(models: Path) -> Iterator[Server]:
    """Serve a model whose columns have different numbers that mean missing."""
    features = [
        {"categories": LABELS, "missing_value": -1},
        {"codes": 4, "missing_value": 9},
        {"missing_value": None},
    ]
    schema = {"features": features, "missing_value": 7}
    with running(save(MIXED, models / "columns", schema)) as server:
        yield server


def test_a_feature_overrides_the_top_level(columns: Server) -> None:
    """A feature has its own number, or none if it is null, as text and as a JSON number."""
    matrix = np.array([[NAN, NAN, 7], [2, 1, 9], [1, 3, -1]], dtype=np.float32)
    expected = predict(MIXED, matrix, NAN)

    for body, media_type in (
        ("-1,9,7\n7,1,9\nv,3,-1", CSV),
        ("-1.0,9.0,7.0\n 7 ,1,9\nv,3,-1", CSV),
        ('[[-1, 9, 7], [7, 1, 9], ["v", 3, -1]]', JSON),
        ('[["-1", 9.0, 7], ["7", 1, 9], ["v", 3, -1]]', JSON),
    ):
        np.testing.assert_array_equal(scores(columns.post(body, media_type)), expected)
    np.testing.assert_array_equal(
        scores(columns.post(npy(np.array([[-1, 9, 7], [2, 1, 9], [1, 3, -1]])), NPY)), expected
    )
    assert "unknown category" in error_of(columns.post("8,1,1"))
    assert "unknown category" in error_of(columns.post("7.0,1,1"))


def test_required_columns(models: Path) -> None:
    """In a column with "missing": false, the number is an error with the row and the column."""
    features = [{"categories": LABELS, "missing": False}, {"codes": 4}, {"missing": False}]
    folder = save(MIXED, models / "marked", {"features": features, "missing_value": -999})
    with running(folder) as server:
        for body, media_type, column in (
            ("v,1,1\nv,-999,-999.0", CSV, "number"),
            ("v,1,1\n-999,1,1", CSV, "label"),
            ('[["v", 1, 1], ["v", 1, -999]]', JSON, "number"),
            ('["v", 1, 1]\n[-999, 1, 1]', LINES, "label"),
            ("0 0:1 1:1 2:1\n0 0:1 1:1 2:-999", LIBSVM, "number"),
            (npy(np.array([[1, 1, 1], [-999, 1, 1]])), NPY, "label"),
            (dense(np.array([[1, 1, 1], [1, 1, -999]])), RECORDIO, "number"),
        ):
            message = error_of(server.post(body, media_type))

            assert f'row 2, column "{column}": expected a value, got ' in message
            assert "which means missing; this column must not have missing values" in message
        np.testing.assert_array_equal(
            scores(server.post("v,-999,1")),
            predict(MIXED, np.array([[1, NAN, 1]], dtype=np.float32), NAN),
        )


def test_check_and_the_startup_log_show_it(numeric: Server, models: Path) -> None:
    """The number is in the report of `check`, and in the event at startup."""
    assert numeric.process
    text, report = (
        run_check(models / "missing"),
        json.loads(run_check(models / "missing", "--json").stdout),
    )
    with running(models / "missing") as server:
        pass
    started = next(event for event in server.events() if event["event"] == "server started")

    assert "missing value           -999\n" in text.stdout
    assert report["missing_value"] == started["missing_value"] == -999
    assert [feature["missing_value"] for feature in report["feature_list"]] == [-999] * 3


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (
            '{"missing_value": "-999"}',
            '"missing_value": expected a number within float32 range, or null, got "-999"',
        ),
        ('{"missing_value": 1e39}', "within float32 range, or null, got 1e+39"),
        (
            '{"missing_value": NaN}',
            "invalid JSON: expected JSON, which has no NaN; NaN is always a missing",
        ),
        ('{"missing": -999}', 'did you mean "missing_value"?'),
        (
            '{"features": [{"missing_value": [0]}, {}, {}]}',
            'feature 1: "missing_value": expected a number within float32 range, or null, got [0]',
        ),
        (
            '{"features": [{"categories": ["u", "v", "x", "w"], "missing_value": 1}, {}, {}]}',
            'feature 1: "missing_value": 1 is the code of the label "v", which would always be',
        ),
        (
            (
                '{"features": [{"categories": ["u", "v", "x", "w"], "missing": false}, {}, {}],'
                ' "missing_value": 0}'
            ),
            'feature 1: "missing_value": 0 is the code of the label "u", which would always be',
        ),
    ],
)
def test_invalid_numbers_prevent_startup(tmp_path: Path, schema: str, message: str) -> None:
    """A missing_value that is not a number, or that cannot be meant, prevents startup."""
    (save_artifact(MIXED, tmp_path) / "schema.json").write_text(schema)

    assert message in startup_error(tmp_path)


def test_missing_value_saved_by_an_estimator(tmp_path: Path) -> None:
    """Old scikit-learn estimators save the number: schema.json must have the same, or none."""
    booster = train(SAMPLE.fillna(0), names=NAMES)
    booster.set_attr(scikit_learn='{"_estimator_type": "regressor", "missing": -999.0}')
    with running(save(booster, tmp_path, {})) as server:
        response = server.post("-999,2,3")
    (tmp_path / "schema.json").write_text('{"missing_value": -1}')

    np.testing.assert_array_equal(
        scores(response), predict(booster, np.array([[NAN, 2, 3]], dtype=np.float32), NAN)
    )
    assert 'feature 1: "missing_value": expected -999.0 as in the model, got -1' in startup_error(
        tmp_path
    )
