"""Explanations requested in the Accept header: contributions, margins and leaves."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from numpy.typing import NDArray

from tests.serve.test_ensembles import save_members, train_members
from tests.serve.test_outputs import parse_labels
from tests.support.boosters import random_features, save_artifact, train
from tests.support.responses import error_of, strict
from tests.support.server import Server, running

NAMES = ["carat", "depth", "table"]
FEATURES = random_features(200, 3, missing=0)
SAMPLE = FEATURES[:20]
BODY = json.dumps(SAMPLE.tolist())
RANDOM = np.random.default_rng(0)
MODEL_TYPES: dict[str, tuple[Any, dict[str, Any]]] = {
    "regression": (RANDOM.random(200), {}),
    "binary": (RANDOM.integers(0, 2, 200), {"objective": "binary:logistic"}),
    "count": (RANDOM.integers(0, 9, 200), {"objective": "count:poisson"}),
    "softprob": (RANDOM.integers(0, 3, 200), {"objective": "multi:softprob", "num_class": 3}),
    "softmax": (RANDOM.integers(0, 3, 200), {"objective": "multi:softmax", "num_class": 3}),
    "targets": (RANDOM.random((200, 2)), {}),
    "dart": (RANDOM.random(200), {"booster": "dart", "rate_drop": 0.3}),
    "forest": (RANDOM.random(200), {"num_parallel_tree": 3, "subsample": 0.5}),
}


def predict_sample(booster: xgboost.Booster, **options: bool) -> NDArray[np.float32]:
    """Return XGBoost's own output for the sample."""
    matrix = xgboost.DMatrix(SAMPLE, feature_names=booster.feature_names)
    with xgboost.config_context(verbosity=0):
        values: NDArray[np.float32] = booster.predict(matrix, **options)
    return values


def explain_sample(
    server: Server, parameters: str, accept: str = "application/json"
) -> list[dict[str, Any]]:
    """Return the records of a response to the sample with these parameters of Accept."""
    response = server.post(BODY, "application/json", Accept=f"{accept}; {parameters}")
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == accept
    rows: list[dict[str, Any]] = (
        strict(response.text)["predictions"] if accept == "application/json" else []
    )
    return rows or [strict(line) for line in response.text.splitlines()]


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_contributions_add_up_to_the_margin(models: Path, model_type: str) -> None:
    """Contributions and bias equal those of XGBoost, and add up to the margin, for each class."""
    target, parameters = MODEL_TYPES[model_type]
    booster = train(FEATURES, target, names=NAMES, rounds=5, **parameters)
    with running(save_artifact(booster, models / f"explained-{model_type}")) as server:
        rows = explain_sample(server, "explain=leaves+contributions+margin")
    contributions = predict_sample(booster, pred_contribs=True)
    values = np.array([[row["contributions"][name] for name in NAMES] for row in rows])
    bias, margin = (np.array([row[key] for row in rows]) for key in ("bias", "margin"))

    assert [list(row) for row in rows] == [
        ["score", "margin", "contributions", "bias", "leaves"]
    ] * len(rows)
    np.testing.assert_allclose(values.sum(axis=1) + bias, margin, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(margin, predict_sample(booster, output_margin=True), rtol=1e-6)
    np.testing.assert_allclose(
        np.moveaxis(values, 1, -1), contributions[..., :-1], rtol=1e-5, atol=1e-7
    )
    np.testing.assert_allclose(bias, contributions[..., -1], rtol=1e-6)
    np.testing.assert_array_equal(
        [row["leaves"] for row in rows],
        predict_sample(booster, pred_leaf=True).reshape(len(rows), -1),
    )


@pytest.fixture(scope="module")
def booster() -> xgboost.Booster:
    return train(FEATURES, names=NAMES, rounds=5)


@pytest.fixture(scope="module")
def server(models: Path, booster: xgboost.Booster) -> Any:
    with running(save_artifact(booster, models / "explained")) as running_server:
        yield running_server


@pytest.mark.parametrize("accept", ["application/json", "application/jsonlines"])
def test_top_selects_the_largest_contributions(
    server: Server, booster: xgboost.Booster, accept: str
) -> None:
    """top=K returns the K largest by absolute value, largest first; a larger K returns all."""
    contributions = predict_sample(booster, pred_contribs=True)[:, :-1]
    two = explain_sample(server, "explain=contributions; top=2", accept)
    all_names = explain_sample(server, "explain=contributions; top=99", accept)

    for row, full_row, values in zip(two, all_names, contributions, strict=True):
        order = [NAMES[index] for index in np.argsort(-np.abs(values), kind="stable")]
        assert list(row["contributions"]) == order[:2]
        assert list(full_row["contributions"]) == order


@pytest.mark.parametrize(
    "parameters",
    ['explain="margin,leaves"', "explain=leaves+margin", 'EXPLAIN="Margin, leaves"; q=0.5'],
)
def test_explanations_are_listed_or_joined(server: Server, parameters: str) -> None:
    """Several explanations are joined by +, or listed in quotes, in any order and case."""
    assert [list(row) for row in explain_sample(server, parameters)][:1] == [
        ["score", "margin", "leaves"]
    ]


def test_csv_npy_and_recordio(server: Server, booster: xgboost.Booster) -> None:
    """CSV has a cell per number and a list of leaves, npy a column, recordio a label per output."""
    parameters = "; explain=contributions+margin+leaves"
    table = list(
        csv.reader(
            io.StringIO(server.post(BODY, "application/json", Accept="text/csv" + parameters).text)
        )
    )
    array = np.load(
        io.BytesIO(
            server.post(BODY, "application/json", Accept="application/x-npy" + parameters).content
        )
    )
    recordio = server.post(
        BODY, "application/json", Accept="application/x-recordio-protobuf" + parameters
    ).content
    contributions, leaves = (
        predict_sample(booster, pred_contribs=True),
        predict_sample(booster, pred_leaf=True),
    )
    expected = np.column_stack(
        [
            predict_sample(booster),
            predict_sample(booster, output_margin=True),
            contributions,
            leaves,
        ]
    )

    np.testing.assert_allclose(
        [[*map(float, row[:-1]), *json.loads(row[-1])] for row in table],
        expected,
        rtol=1e-5,
        atol=1e-7,
    )
    np.testing.assert_allclose(array, expected, rtol=1e-5, atol=1e-7)
    first = parse_labels(recordio)[0]
    assert set(first) == {"score", "margin", "contributions", "bias", "leaves"}
    np.testing.assert_allclose(first["contributions"], contributions[0, :-1], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("accept", "message"),
    [
        (
            "application/json; explain=shap",
            "expected margin, contributions, leaves, or several of them joined by +",
        ),
        ("application/json; explain=", "expected margin, contributions, leaves"),
        ("application/json; explain=contributions; top=0", "expected a whole number, at least 1"),
        ("application/json; explain=contributions; top=two", "expected a whole number, at least 1"),
        ("application/json; explain=margin; top=2", "requires explain=contributions"),
        (
            "text/csv; explain=contributions; top=2",
            "requires explain=contributions, with either application/json",
        ),
    ],
)
def test_invalid_parameters_are_406(server: Server, accept: str, message: str) -> None:
    """3.14: An unknown explanation is rejected with the supported ones."""
    response = server.post(BODY, "application/json", Accept=accept)

    assert response.status_code == 406
    assert message in error_of(response)


def test_a_linear_booster_has_no_leaves(models: Path) -> None:
    """Leaves of a linear booster are a 406; its contributions add up to the margin."""
    booster = train(np.sign(FEATURES), booster="gblinear")
    with running(save_artifact(booster, models / "explained-linear")) as server:
        leaves = server.post(BODY, "application/json", Accept="application/json; explain=leaves")
        rows = explain_sample(server, "explain=contributions+margin")

    assert leaves.status_code == 406
    assert "explain=leaves: not available for a linear booster" in error_of(leaves)
    assert list(rows[0]["contributions"]) == ["f0", "f1", "f2"]
    for row in rows:
        np.testing.assert_allclose(
            sum(row["contributions"].values()) + row["bias"], row["margin"], rtol=1e-4
        )


def test_explanations_honor_early_stopping(models: Path) -> None:
    """A model that was stopped early is explained by the rounds up to its best iteration."""
    booster = train(FEATURES, rounds=5)
    booster.set_attr(best_iteration="1")
    with running(save_artifact(booster, models / "explained-stopped")) as server:
        rows = explain_sample(server, "explain=contributions+leaves+margin")

    assert {len(row["leaves"]) for row in rows} == {2}
    for row in rows:
        np.testing.assert_allclose(
            sum(row["contributions"].values()) + row["bias"], row["score"], rtol=1e-4, atol=1e-6
        )


def test_an_ensemble_is_explained_by_the_mean(tmp_path: Path) -> None:
    """An ensemble's contributions are the mean of its members'; leaves are a 406."""
    members = train_members(3)
    with running(save_members(members, tmp_path)) as server:
        rows = explain_sample(server, "explain=contributions+margin")
        leaves = server.post(BODY, "application/json", Accept="application/json; explain=leaves")
    contributions = [predict_sample(member, pred_contribs=True) for member in members]
    expected = np.mean(contributions, axis=0)

    np.testing.assert_allclose(
        [[*row["contributions"].values(), row["bias"]] for row in rows],
        expected,
        rtol=1e-5,
        atol=1e-6,
    )
    np.testing.assert_allclose(
        expected.sum(axis=1), [row["margin"] for row in rows], rtol=1e-4, atol=1e-5
    )
    assert "explain=leaves: not available for an ensemble" in error_of(leaves)


def test_explanations_follow_selected_outputs(models: Path, booster: xgboost.Booster) -> None:
    """The keys of SAGEMAKER_INFERENCE_OUTPUT come first, then the explanations."""
    with running(
        save_artifact(booster, models / "explained-selected"),
        SAGEMAKER_INFERENCE_OUTPUT="predicted_score",
    ) as server:
        rows = explain_sample(server, "explain=margin")

    assert list(rows[0]) == ["predicted_score", "margin"]
