"""What a caller may ask of a prediction by Accept: contributions, margins and leaves."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from numpy.typing import NDArray

from tests.serve.test_ensembles import boosters, stored
from tests.serve.test_outputs import labels_of
from tests.support.boosters import numbers, saved, train
from tests.support.responses import error_of, strict
from tests.support.server import Server, running

NAMES = ["carat", "depth", "table"]
FEATURES = numbers(200, 3, missing=0)
SOME = FEATURES[:20]
BODY = json.dumps(SOME.tolist())
RANDOM = np.random.default_rng(0)
KINDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "regression": (RANDOM.random(200), {}),
    "binary": (RANDOM.integers(0, 2, 200), {"objective": "binary:logistic"}),
    "count": (RANDOM.integers(0, 9, 200), {"objective": "count:poisson"}),
    "softprob": (RANDOM.integers(0, 3, 200), {"objective": "multi:softprob", "num_class": 3}),
    "softmax": (RANDOM.integers(0, 3, 200), {"objective": "multi:softmax", "num_class": 3}),
    "targets": (RANDOM.random((200, 2)), {}),
    "dart": (RANDOM.random(200), {"booster": "dart", "rate_drop": 0.3}),
    "forest": (RANDOM.random(200), {"num_parallel_tree": 3, "subsample": 0.5}),
}


def explained(booster: xgboost.Booster, **wanted: bool) -> NDArray[np.float32]:
    """Return what XGBoost itself tells of the rows."""
    matrix = xgboost.DMatrix(SOME, feature_names=booster.feature_names)
    with xgboost.config_context(verbosity=0):
        values: NDArray[np.float32] = booster.predict(matrix, **wanted)
    return values


def rows_of(
    server: Server, parameters: str, accept: str = "application/json"
) -> list[dict[str, Any]]:
    response = server.post(BODY, "application/json", Accept=f"{accept}; {parameters}")
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == accept
    rows: list[dict[str, Any]] = (
        strict(response.text)["predictions"] if accept == "application/json" else []
    )
    return rows or [strict(line) for line in response.text.splitlines()]


@pytest.mark.parametrize("kind", KINDS)
def test_contributions_add_up_to_the_margin(models: Path, kind: str) -> None:
    """Contributions by name and the bias are XGBoost's own, and their sum is the margin; several classes are lists."""
    target, parameters = KINDS[kind]
    booster = train(FEATURES, target, names=NAMES, rounds=5, **parameters)
    with running(saved(booster, models / f"explained-{kind}")) as server:
        rows = rows_of(server, "explain=leaves+contributions+margin")
    contributions = explained(booster, pred_contribs=True)
    values = np.array([[row["contributions"][name] for name in NAMES] for row in rows])
    bias, margin = (np.array([row[key] for row in rows]) for key in ("bias", "margin"))

    assert [list(row) for row in rows] == [
        ["score", "margin", "contributions", "bias", "leaves"]
    ] * len(rows)
    np.testing.assert_allclose(values.sum(axis=1) + bias, margin, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(margin, explained(booster, output_margin=True), rtol=1e-6)
    np.testing.assert_allclose(
        np.moveaxis(values, 1, -1), contributions[..., :-1], rtol=1e-5, atol=1e-7
    )
    np.testing.assert_allclose(bias, contributions[..., -1], rtol=1e-6)
    np.testing.assert_array_equal(
        [row["leaves"] for row in rows], explained(booster, pred_leaf=True).reshape(len(rows), -1)
    )


@pytest.fixture(scope="module")
def booster() -> xgboost.Booster:
    return train(FEATURES, names=NAMES, rounds=5)


@pytest.fixture(scope="module")
def server(models: Path, booster: xgboost.Booster) -> Any:
    with running(saved(booster, models / "explained")) as running_server:
        yield running_server


@pytest.mark.parametrize("accept", ["application/json", "application/jsonlines"])
def test_the_largest_contributions(server: Server, booster: xgboost.Booster, accept: str) -> None:
    """top=K leaves the K largest by absolute value, the largest first; more than there are is all of them."""
    contributions = explained(booster, pred_contribs=True)[:, :-1]
    two = rows_of(server, "explain=contributions; top=2", accept)
    many = rows_of(server, "explain=contributions; top=99", accept)

    for row, every, values in zip(two, many, contributions, strict=True):
        order = [NAMES[place] for place in np.argsort(-np.abs(values), kind="stable")]
        assert list(row["contributions"]) == order[:2]
        assert list(every["contributions"]) == order


@pytest.mark.parametrize(
    "spelling",
    ['explain="margin,leaves"', "explain=leaves+margin", 'EXPLAIN="Margin, leaves"; q=0.5'],
)
def test_spellings_of_several(server: Server, spelling: str) -> None:
    """Several are joined by + or listed in quotes, in any order."""
    assert [list(row) for row in rows_of(server, spelling)][:1] == [["score", "margin", "leaves"]]


def test_formats_of_numbers(server: Server, booster: xgboost.Booster) -> None:
    """CSV has score, margin, a cell for each feature, bias, a list of leaves; npy the same flat; recordio a label for each."""
    asked = "; explain=contributions+margin+leaves"
    table = list(
        csv.reader(
            io.StringIO(server.post(BODY, "application/json", Accept="text/csv" + asked).text)
        )
    )
    array = np.load(
        io.BytesIO(
            server.post(BODY, "application/json", Accept="application/x-npy" + asked).content
        )
    )
    recordio = server.post(
        BODY, "application/json", Accept="application/x-recordio-protobuf" + asked
    ).content
    contributions, leaves = (
        explained(booster, pred_contribs=True),
        explained(booster, pred_leaf=True),
    )
    due = np.column_stack(
        [explained(booster), explained(booster, output_margin=True), contributions, leaves]
    )

    np.testing.assert_allclose(
        [[*map(float, row[:-1]), *json.loads(row[-1])] for row in table], due, rtol=1e-5, atol=1e-7
    )
    np.testing.assert_allclose(array, due, rtol=1e-5, atol=1e-7)
    first = labels_of(recordio)[0]
    assert set(first) == {"score", "margin", "contributions", "bias", "leaves"}
    np.testing.assert_allclose(first["contributions"], contributions[0, :-1], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("accept", "message"),
    [
        (
            "application/json; explain=shap",
            "expected margin, contributions, leaves, or some of them joined by +",
        ),
        ("application/json; explain=", "expected margin, contributions, leaves"),
        ("application/json; explain=contributions; top=0", "expected a whole number from 1"),
        ("application/json; explain=contributions; top=two", "expected a whole number from 1"),
        ("application/json; explain=margin; top=2", "goes with explain=contributions"),
        (
            "text/csv; explain=contributions; top=2",
            "goes with explain=contributions and application/json",
        ),
    ],
)
def test_what_cannot_be_explained_is_406(server: Server, accept: str, message: str) -> None:
    """3.12: an unknown explanation is refused before any work, and the message says what there is."""
    response = server.post(BODY, "application/json", Accept=accept)

    assert response.status_code == 406
    assert message in error_of(response)


def test_a_linear_booster_has_no_leaves(models: Path) -> None:
    """What XGBoost has no answer for is a 406; contributions of a linear booster add up as well."""
    booster = train(np.sign(FEATURES), booster="gblinear")
    with running(saved(booster, models / "explained-linear")) as server:
        refused = server.post(BODY, "application/json", Accept="application/json; explain=leaves")
        rows = rows_of(server, "explain=contributions+margin")

    assert refused.status_code == 406
    assert "a linear booster has none" in error_of(refused)
    assert list(rows[0]["contributions"]) == ["f0", "f1", "f2"]
    for row in rows:
        np.testing.assert_allclose(
            sum(row["contributions"].values()) + row["bias"], row["margin"], rtol=1e-4
        )


def test_the_best_iteration_is_explained(models: Path) -> None:
    """A model that was stopped early is explained with the rounds that predict."""
    booster = train(FEATURES, rounds=5)
    booster.set_attr(best_iteration="1")
    with running(saved(booster, models / "explained-stopped")) as server:
        rows = rows_of(server, "explain=contributions+leaves+margin")

    assert {len(row["leaves"]) for row in rows} == {2}
    for row in rows:
        np.testing.assert_allclose(
            sum(row["contributions"].values()) + row["bias"], row["score"], rtol=1e-4, atol=1e-6
        )


def test_an_ensemble_is_explained_by_the_mean(tmp_path: Path) -> None:
    """Contributions are linear, so the members' mean adds up to the mean margin; leaves of several models are refused."""
    members = boosters(3)
    with running(stored(members, tmp_path)) as server:
        rows = rows_of(server, "explain=contributions+margin")
        refused = server.post(BODY, "application/json", Accept="application/json; explain=leaves")
    due = np.mean([explained(each, pred_contribs=True) for each in members], axis=0)

    np.testing.assert_allclose(
        [[*row["contributions"].values(), row["bias"]] for row in rows], due, rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(
        due.sum(axis=1), [row["margin"] for row in rows], rtol=1e-4, atol=1e-5
    )
    assert "an ensemble has none" in error_of(refused)


def test_explanations_come_after_selected_outputs(models: Path, booster: xgboost.Booster) -> None:
    """Both together: the keys of SAGEMAKER_INFERENCE_OUTPUT first."""
    with running(
        saved(booster, models / "explained-selected"), SAGEMAKER_INFERENCE_OUTPUT="predicted_score"
    ) as server:
        rows = rows_of(server, "explain=margin")

    assert list(rows[0]) == ["predicted_score", "margin"]
