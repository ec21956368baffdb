"""Class names in responses: ``class``, ``class_probabilities``, the threshold, explanations."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from numpy.typing import NDArray

from tests.support.boosters import predict_with_xgboost, random_features, save_artifact, train
from tests.support.check import check
from tests.support.responses import error_of, scores, strict
from tests.support.server import Server, running, startup_error

NAMES = ["a", "b%b", "c"]
FEATURES = random_features(300, 3, missing=0)
SAMPLE = FEATURES[:40]
BODY = json.dumps(SAMPLE.tolist())
TWO = (FEATURES.sum(axis=1) > 0).astype(int)
THREE = TWO + (FEATURES[:, 0] > 1)
# Names that CSV must quote, or that could be taken for another value.
SPECIES = ["Iris setosa", 'a "quoted", 5 %b name', "null"]
KEYS = "class+class_probabilities"


def save(folder: Path, booster: xgboost.Booster, prediction: dict[str, Any]) -> Path:
    """Save a model and a schema.json with this object as "prediction"; return the folder."""
    save_artifact(booster, folder)
    (folder / "schema.json").write_text(json.dumps({"prediction": prediction}))
    return folder


def request_rows(server: Server, outputs: str) -> list[dict[str, Any]]:
    response = server.post(BODY, "application/json", Accept=f"application/json; outputs={outputs}")
    assert response.status_code == 200, response.text
    rows: list[dict[str, Any]] = strict(response.text)["predictions"]
    return rows


def as_float32(text: object) -> np.float32:
    """Return the float32 that a number in a response stands for."""
    return np.float32(str(text))


SOFTPROB = train(FEATURES, THREE, names=NAMES, objective="multi:softprob", num_class=3)
LOGISTIC = train(FEATURES, TWO, names=NAMES, objective="binary:logistic")


@pytest.fixture(scope="module")
def species(models: Path) -> Iterator[Server]:
    with running(save(models / "named-3", SOFTPROB, {"classes": SPECIES})) as server:
        yield server


@pytest.fixture(scope="module")
def churn(models: Path) -> Iterator[Server]:
    prediction = {"classes": ["stays", "leaves"], "threshold": 0.8}
    with running(save(models / "named-2", LOGISTIC, prediction)) as server:
        yield server


@pytest.fixture(scope="module")
def probabilities() -> NDArray[np.float32]:
    return predict_with_xgboost(SOFTPROB, SAMPLE)


@pytest.mark.parametrize("media_type", ["application/json", "application/jsonlines"])
def test_json_has_the_name_and_probabilities_by_name(
    species: Server, probabilities: NDArray[np.float32], media_type: str
) -> None:
    """JSON has the name of the most probable class, and an object of name to probability."""
    response = species.post(BODY, "application/json", Accept=f"{media_type}; outputs={KEYS}")
    if media_type == "application/json":
        rows = strict(response.text)["predictions"]
    else:
        rows = [strict(line) for line in response.text.splitlines()]

    assert response.headers["Content-Type"] == media_type
    assert [row["class"] for row in rows] == [SPECIES[index] for index in probabilities.argmax(1)]
    assert {tuple(row["class_probabilities"]) for row in rows} == {tuple(SPECIES)}
    got = [list(map(as_float32, row["class_probabilities"].values())) for row in rows]
    np.testing.assert_array_equal(got, probabilities)


def test_csv_has_a_cell_per_class(species: Server, probabilities: NDArray[np.float32]) -> None:
    """CSV has the name, quoted if necessary, and one cell per class, in order."""
    response = species.post(BODY, "application/json", Accept=f"text/csv; outputs={KEYS}")
    rows = list(csv.reader(io.StringIO(response.text)))

    assert [row[0] for row in rows] == [SPECIES[index] for index in probabilities.argmax(1)]
    np.testing.assert_array_equal(np.array([row[1:] for row in rows], np.float32), probabilities)


@pytest.mark.parametrize("media_type", ["application/x-npy", "application/x-recordio-protobuf"])
@pytest.mark.parametrize("key", ["class", "class_probabilities"])
def test_binary_formats_cannot_contain_names(species: Server, media_type: str, key: str) -> None:
    """3.14: npy and recordio hold numbers only, so a name in them is a 406."""
    response = species.post(BODY, "application/json", Accept=f"{media_type}; outputs={key}")

    assert response.status_code == 406
    assert f"{media_type} cannot contain the names of the output {key}" in error_of(response)
    assert "expected text/csv, application/json, application/jsonlines" in error_of(response)


def test_the_default_response_has_no_names(species: Server, churn: Server) -> None:
    """Without outputs, a classifier with names and a threshold still returns the score."""
    for server, booster in ((species, SOFTPROB), (churn, LOGISTIC)):
        expected = predict_with_xgboost(booster, SAMPLE)
        for accept in ("text/csv", "application/json", "application/x-npy"):
            response = server.post(BODY, "application/json", Accept=accept)
            np.testing.assert_array_equal(scores(response), expected)


def test_the_threshold_decides_the_class_only(churn: Server) -> None:
    """A class is predicted above its threshold; AWS's keys and the score do not change."""
    expected = predict_with_xgboost(LOGISTIC, SAMPLE)
    rows = request_rows(churn, f"{KEYS}+predicted_label+probability+score")

    assert [row["class"] for row in rows] == [
        "leaves" if p > np.float32(0.8) else "stays" for p in expected
    ]
    assert [row["predicted_label"] for row in rows] == [int(p > 0.5) for p in expected]
    assert any(0.5 < p <= 0.8 for p in expected)
    np.testing.assert_array_equal([as_float32(row["probability"]) for row in rows], expected)
    np.testing.assert_array_equal([as_float32(row["score"]) for row in rows], expected)
    for row, p in zip(rows, expected, strict=True):
        named = row["class_probabilities"]
        assert list(named) == ["stays", "leaves"]
        assert as_float32(named["stays"]) == np.float32(1) - p
        assert as_float32(named["leaves"]) == p


# Per objective: its parameters, the target, and the class that a prediction means.
DECISIONS: dict[str, tuple[dict[str, Any], Any, Any]] = {
    "binary:hinge": ({}, TWO, int),
    "binary:logitraw": ({}, TWO, lambda score: int(score > 0)),
    "reg:logistic": ({}, TWO, lambda score: int(score > 0.5)),
    "multi:softmax": ({"num_class": 3}, THREE, int),
}


@pytest.mark.parametrize("objective", DECISIONS)
def test_objectives(models: Path, objective: str) -> None:
    """Every objective of a classifier has a class, in whole numbers if its names are these.

    Probabilities of one that predicts none are a 406.
    """
    parameters, target, decide = DECISIONS[objective]
    booster = train(FEATURES, target, names=NAMES, objective=objective, **parameters)
    classes = [7, -3, 5][: len(set(target))]
    folder = save(models / f"named-{objective[-5:]}", booster, {"classes": classes})
    with running(folder) as server:
        rows = request_rows(server, "class")
        text = server.post(BODY, "application/json", Accept="text/csv; outputs=class").text
        named = server.post(
            BODY, "application/json", Accept="application/json; outputs=class_probabilities"
        )
    expected = predict_with_xgboost(booster, SAMPLE)
    names = [classes[decide(score)] for score in expected]

    assert [row["class"] for row in rows] == names
    assert text == "".join(f"{name}\n" for name in names)
    if objective != "reg:logistic":
        assert named.status_code == 406
        assert f"the objective {objective} does not predict probabilities" in error_of(named)
    else:
        row = strict(named.text)["predictions"][0]["class_probabilities"]
        assert (list(row), as_float32(row["-3"])) == (["7", "-3"], expected[0])


def test_a_custom_objective(models: Path) -> None:
    """The class of a custom objective's score is unknown, because no model file contains it."""

    def push(predictions: NDArray[np.float32], matrix: xgboost.DMatrix) -> Any:
        return predictions - matrix.get_label(), np.ones(predictions.shape)

    matrix = xgboost.DMatrix(FEATURES, TWO, feature_names=NAMES)
    booster = xgboost.train({"base_score": 0.5}, matrix, 3, obj=push)
    with running(save(models / "named-custom", booster, {"classes": ["no", "yes"]})) as server:
        response = server.post(BODY, "application/json", Accept="text/csv; outputs=class")

    assert response.status_code == 406
    assert "unknown for a custom objective" in error_of(response)


def test_several_labels(models: Path) -> None:
    """A model of independent labels has a probability for each, but no single class."""
    target = np.stack([TWO, 1 - TWO, FEATURES[:, 0] > 0], axis=1).astype(int)
    booster = train(FEATURES, target, names=NAMES, objective="binary:logistic")
    labels = ["red", "green", "blue"]
    with running(save(models / "named-labels", booster, {"classes": labels})) as server:
        rows = request_rows(server, "class_probabilities")
        refused = server.post(BODY, "application/json", Accept="text/csv; outputs=class")
    got = [[as_float32(row["class_probabilities"][label]) for label in labels] for row in rows]

    np.testing.assert_array_equal(got, predict_with_xgboost(booster, SAMPLE))
    assert refused.status_code == 406
    assert "several outputs, each of which is true or not" in error_of(refused)


def test_names_that_a_model_does_not_have(models: Path) -> None:
    """3.14: Names that a model does not have are a 406, or as a default prevent startup."""
    folder = save_artifact(LOGISTIC, models / "unnamed")
    with running(folder) as server:
        response = server.post(BODY, "application/json", Accept="text/csv; outputs=class")
    message = startup_error(folder, SAGEMAKER_INFERENCE_OUTPUT="score,class")
    default = startup_error(folder, SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="text/csv; outputs=class")

    assert response.status_code == 406
    assert "the model has no class names; list those of a classifier" in error_of(response)
    assert "SAGEMAKER_INFERENCE_OUTPUT: the output class is not available" in message
    assert "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT: the output class is not available" in default


def test_an_ensemble_names_the_class_of_the_mean(tmp_path: Path) -> None:
    """The class of an ensemble follows from the mean of its members' probabilities."""
    other = train(FEATURES, 2 - THREE, names=NAMES, objective="multi:softprob", num_class=3)
    members = [SOFTPROB, SOFTPROB, other]
    for number, booster in enumerate(members):
        (tmp_path / f"xgboost-model-{number}").write_bytes(booster.save_raw("ubj"))
    (tmp_path / "schema.json").write_text(json.dumps({"prediction": {"classes": SPECIES}}))
    with running(tmp_path) as server:
        rows = request_rows(server, KEYS)
    predictions = [predict_with_xgboost(member, SAMPLE).astype(float) for member in members]
    expected = np.mean(predictions, axis=0)

    assert [row["class"] for row in rows] == [SPECIES[index] for index in expected.argmax(axis=1)]
    got = [list(row["class_probabilities"].values()) for row in rows]
    np.testing.assert_allclose(got, expected, rtol=1e-6)


def explain(server: Server, accept: str) -> Any:
    response = server.post(BODY, "application/json", Accept=accept)
    assert response.status_code == 200, response.text
    return response


def test_explanations_name_the_classes(species: Server, churn: Server) -> None:
    """In JSON, each margin and contribution has the name of its class, also a single one."""
    matrix = xgboost.DMatrix(SAMPLE, feature_names=NAMES)
    accept = "application/json; outputs=class; explain=margin+contributions"
    for server, booster, names in (
        (species, SOFTPROB, SPECIES),
        (churn, LOGISTIC, ["leaves"]),
    ):
        rows = strict(explain(server, accept).text)["predictions"]
        shape = (len(SAMPLE), len(names), len(NAMES) + 1)
        expected = booster.predict(matrix, pred_contribs=True).reshape(shape)
        margins = booster.predict(matrix, output_margin=True).reshape(shape[:2])

        for row, margin, contributions in zip(rows, margins, expected, strict=True):
            assert list(row) == ["class", "margin", "contributions", "bias"]
            assert list(row["margin"]) == list(row["bias"]) == names
            got = [[row["contributions"][feature][name] for feature in NAMES] for name in names]
            np.testing.assert_allclose(got, contributions[:, :-1], rtol=1e-5, atol=1e-7)
            np.testing.assert_allclose(list(row["margin"].values()), margin, rtol=1e-5)
            np.testing.assert_allclose(list(row["bias"].values()), contributions[:, -1], rtol=1e-5)


def test_the_largest_contributions_name_the_classes(species: Server) -> None:
    """top=K counts a feature's largest value over all classes, and shows all of its classes."""
    accept = "application/jsonlines; outputs=score; explain=contributions; top=1"
    rows = [strict(line) for line in explain(species, accept).text.splitlines()]
    matrix = xgboost.DMatrix(SAMPLE, feature_names=NAMES)
    contributions = SOFTPROB.predict(matrix, pred_contribs=True)[..., :-1]

    for row, values in zip(rows, contributions, strict=True):
        feature = np.abs(values).max(axis=0).argmax()
        assert list(row["contributions"]) == [NAMES[feature]]
        named = row["contributions"][NAMES[feature]]
        assert list(named) == SPECIES
        np.testing.assert_allclose(list(named.values()), values[:, feature], rtol=1e-5)


def test_explanations_without_names_in_csv_and_npy(species: Server) -> None:
    """CSV keeps one cell per feature, and npy its flat order, because neither shows the names."""
    contributions = SOFTPROB.predict(
        xgboost.DMatrix(SAMPLE, feature_names=NAMES), pred_contribs=True
    )
    by_feature = contributions.transpose(0, 2, 1).reshape(len(SAMPLE), -1)
    rows = csv.reader(io.StringIO(explain(species, "text/csv; explain=contributions").text))
    npy = explain(species, "application/x-npy; explain=contributions").content
    cells = [[json.loads(cell) for cell in row[1:]] for row in rows]

    np.testing.assert_allclose(
        np.reshape(cells, (len(SAMPLE), -1)), by_feature, rtol=1e-5, atol=1e-7
    )
    np.testing.assert_allclose(np.load(io.BytesIO(npy))[:, 3:], by_feature, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("prediction", "message"),
    [
        ({"classes": ["no", "yes"], "threshold": 1.5}, "expected a number from 0 to 1, got 1.5"),
        ({"classes": ["no", "yes"], "threshold": True}, "expected a number from 0 to 1, got true"),
        ({"threshold": 0.8}, '"threshold": requires "classes"'),
        ({"classes": ["no", "1", 1]}, "unique strings without line breaks, or whole numbers"),
        ({"classes": ["no", "1\n"]}, "unique strings without line breaks, or whole numbers"),
        ({"classes": ["no", "\ud800"]}, "unique strings without line breaks, or whole numbers"),
    ],
)
def test_invalid_names_prevent_startup(
    tmp_path: Path, prediction: dict[str, Any], message: str
) -> None:
    """Names that a response cannot contain, and a threshold that decides nothing, are rejected."""
    assert message in check(save(tmp_path, LOGISTIC, prediction)).error


def test_a_threshold_needs_a_probability(tmp_path: Path) -> None:
    """A threshold of a model that does not predict a probability of two classes is rejected."""
    error = check(save(tmp_path, SOFTPROB, {"classes": SPECIES, "threshold": 0.8})).error

    assert 'expected the objective "binary:logistic", got "multi:softprob"' in error


def test_members_with_different_thresholds(tmp_path: Path) -> None:
    """An ensemble whose members have different thresholds is rejected."""
    for number, threshold in enumerate(({}, {"threshold": 0.8})):
        folder = tmp_path / str(number)
        save(folder, LOGISTIC, {"classes": ["no", "yes"], **threshold})
        (folder / "model.ubj").rename(folder / f"xgboost-model-{number}")

    assert '"prediction": "threshold"' in check(tmp_path).error
