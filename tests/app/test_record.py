"""Predicting one record with the form: the fields, the prediction and its explanation."""

import html
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost

from tests.support.application import App, application, form_values, visible_text
from tests.support.classifiers import FEATURES, NAMES, SPECIES, classifier, with_classes
from tests.support.diamonds import ARTIFACT, CODED, ROWS, expected
from tests.support.diamonds import NAMES as COLUMNS
from tests.support.scripted_endpoint import ScriptedEndpoint, running_endpoint
from tests.support.server import running


def parse_contributions(page: str) -> list[float]:
    """Return the contributions in the table of a page."""
    return [float(value) for value in re.findall(r"data-contribution>([^<]+)<", page)]


def test_form_is_built_from_the_schema(app: App) -> None:
    """Each feature has a labeled control with its unit, range and options, required or optional."""
    page = app.get("/")

    assert page.status_code == 200
    assert (
        "Weight of the diamond carat Unit: carat (0.2 g) · Training range: 0.2 to 5.01"
        in visible_text(page)
    )
    assert [f'for="f{index}"' in page.text for index in range(9)] == [True] * 9
    assert page.text.count(" required") == 6
    assert visible_text(page).count("Optional") == 3
    assert "Fair Good Very Good Premium Ideal" in visible_text(page)


def test_schema_and_example_are_read_from_the_folder_of_the_model(app: App, tmp_path: Path) -> None:
    """An artifact packed with its own folder has the same form and example as without."""
    shutil.copytree(ARTIFACT, tmp_path / "packed")
    with application("--endpoint", app.url, "--folder", str(tmp_path)) as packed:
        controls, expected_controls = (
            re.findall(r"<(?:label|input|option)\b[^>]*>[^<]*", page.get("/").text)
            for page in (packed, app)
        )

    assert len(controls) > 20
    assert controls == expected_controls


def test_keyboard_matches_the_type(app: App, tmp_path: Path) -> None:
    """On a phone, a whole number gets a keyboard with digits only, any other number a decimal."""
    features = [{"name": "rooms", "type": "int"}, {"name": "area", "type": "float"}]
    (tmp_path / "schema.json").write_text(json.dumps({"features": features}))
    with application("--endpoint", app.url, "--folder", str(tmp_path)) as rooms:
        page = rooms.get("/").text

    assert re.findall(r'inputmode="(\w+)"', page) == ["numeric", "decimal"]


@pytest.mark.parametrize("row", range(3))
def test_prediction_with_its_unit(app: App, row: int) -> None:
    """The page shows XGBoost's prediction with its unit, and the form keeps its values."""
    page = app.post(form_values(ROWS[row]))

    assert page.status_code == 200
    assert f"Price {float(expected()[row]):,.0f} US dollars" in visible_text(page)
    assert f'value="{ROWS[row][0]}"' in page.text


def test_contributions(app: App) -> None:
    """Each column has XGBoost's SHAP value; with the bias they add up to the prediction."""
    page = app.post(form_values(ROWS[0]))
    booster = xgboost.Booster(model_file=ARTIFACT / "model.ubj")
    matrix = xgboost.DMatrix(
        CODED[:1],
        feature_names=booster.feature_names,
        feature_types=booster.feature_types,
        enable_categorical=True,
    )
    (contributions,) = booster.predict(matrix, pred_contribs=True)

    assert parse_contributions(page.text) == pytest.approx(contributions[:-1], rel=1e-5)
    assert sum(parse_contributions(page.text)) + contributions[-1] == pytest.approx(
        expected()[0], rel=1e-5
    )
    assert all(f"{name} = " in page.text for name in COLUMNS)


def test_missing_values(app: App) -> None:
    """An empty field is sent as null and shown as unknown."""
    page = app.post(form_values([*ROWS[0][:8], ""]))

    assert '"z": null' in html.unescape(page.text)
    assert "z = unknown" in page.text
    assert f"Price {float(expected([[*ROWS[0][:8], '']])[0]):,.0f} US dollars" in visible_text(page)


@pytest.mark.parametrize(
    ("index", "text", "message"),
    [
        (0, "", "enter a number"),
        (0, "0,7", "enter a number with a decimal point, not a comma: 0.7"),
        (0, "abc", "enter a number, such as 0.2"),
        (0, "nan", "enter a number, such as 0.2"),
        (0, "1e999", "enter a smaller number"),
        (0, "1" * 41, "at most 40 characters"),
        (0, "٣", "enter a number"),
        (1, "", "choose a value"),
        (1, "5", "choose a value from the list"),
        (1, "Ideal", "choose a value from the list"),
        (1, "9" * 5000, "choose a value from the list"),
        (8, "x", "enter a number, such as 1.07"),
        (0, "1e300", "float32"),
    ],
)
def test_invalid_values(app: App, index: int, text: str, message: str) -> None:
    """An invalid value is reported at its field and in a summary that links to the field.

    The other fields keep their values.
    """
    page = app.post(form_values(ROWS[0]) | {f"f{index}": text})

    assert page.status_code == 422
    assert re.search(rf'id="f{index}-error">.*{re.escape(message)}', page.text)
    assert re.search(rf'<a href="#f{index}">[^<]*{re.escape(message)}', page.text)
    assert re.search(
        rf'id="f{index}"[^>]* aria-invalid="true" aria-describedby="[^"]*f{index}-error"', page.text
    )
    assert f'value="{ROWS[0][5]}"' in page.text
    assert page.text.count("aria-invalid") == 1


def test_values_outside_the_training_range(app: App) -> None:
    """A value outside the training range is predicted, with a warning at field and prediction."""
    page = app.post(form_values(["9", *ROWS[0][1:]]))

    assert page.status_code == 200
    assert "9 is outside the range of the training data (0.2 to 5.01)" in visible_text(page)
    assert "Outside the range of the training data: carat." in visible_text(page)


def test_http_exchange() -> None:
    """The page shows every header and byte that the endpoint received and sent, escaped."""
    body = b'{"predictions": [{"score": 5, "note": "<script>alert(1)</script>"}]}'
    with (
        running_endpoint(ScriptedEndpoint(200, body, {"X-Some": "<i>header</i>"})) as endpoint,
        application("--endpoint", endpoint.url) as app,
    ):
        page = app.post(form_values(ROWS[0]))
    ((request_line, headers),) = endpoint.heads
    shown = html.unescape(page.text)

    assert request_line == "POST /invocations HTTP/1.1"
    assert (
        f"POST {endpoint.url}/invocations\n"
        + "".join(f"{name}: {value}\n" for name, value in headers)
        in shown
    )
    assert endpoint.bodies[0].decode() in shown
    assert "X-Some: <i>header</i>" in shown
    assert "<script" not in page.text
    assert "<i>" not in page.text
    assert json.loads(endpoint.bodies[0])["instances"][0]["cut"] == ROWS[0][1]


@pytest.mark.parametrize(
    ("classes", "parameters"),
    [
        (["no", "yes"], {"objective": "binary:logistic"}),
        (SPECIES, {"objective": "multi:softprob", "num_class": 3}),
    ],
    ids=["two", "three"],
)
def test_classifier(models: Path, classes: list[str], parameters: dict[str, Any]) -> None:
    """A classifier's page shows the most probable class, and explains the margin of that class."""
    folder = models / f"app-{len(classes)}"
    booster = classifier(folder, classes, **parameters)
    matrix = xgboost.DMatrix(FEATURES[:1], feature_names=NAMES)
    (score,) = booster.predict(matrix)
    contributions = booster.predict(matrix, pred_contribs=True)[0]
    probabilities = [1 - score, score] if len(classes) == 2 else list(score)
    predicted = int(np.argmax(probabilities))
    with (
        running(folder) as server,
        application("--endpoint", server.url, "--folder", str(folder)) as app,
    ):
        page = app.post({f"f{column}": str(value) for column, value in enumerate(FEATURES[0])})

    assert f"Species {classes[predicted]} {100 * probabilities[predicted]:.1f}%" in visible_text(
        page
    )
    expected_contributions = (
        contributions[:-1] if len(classes) == 2 else contributions[predicted][:-1]
    )
    assert parse_contributions(page.text) == pytest.approx(expected_contributions, rel=1e-4)
    assert (
        "log-odds of “yes”"
        if len(classes) == 2
        else f"raw score of “{classes[predicted]}”; the softmax"
    ) in visible_text(page)
    assert "<b>bold" not in page.text


def test_a_score_without_a_margin_is_not_a_probability(models: Path) -> None:
    """If the endpoint explains nothing, a score between 0 and 1 is shown as a number, not a class.

    A custom objective's score is a margin: 0.354 would mean the second class, not 35.4%.
    """
    folder = models / "app-unknown-score"
    classifier(folder, ["no", "yes"], objective="binary:logitraw")
    with (
        running_endpoint(ScriptedEndpoint(200, b'{"predictions": [{"score": 0.354}]}')) as endpoint,
        application("--endpoint", endpoint.url, "--folder", str(folder)) as app,
    ):
        text = visible_text(app.post({"f0": "0.5", "f1": "1.5"}))

    assert "Species 0.354" in text
    assert "The class is not shown" in text
    assert "%" not in text


@pytest.mark.parametrize(
    ("objective", "labels"),
    [
        ("multi:softprob", ["alpha", "beta"]),
        ("multi:softprob", ["alpha", "beta", "gamma", "delta"]),
        ("multi:softmax", ["alpha"]),
    ],
    ids=["too-few", "too-many", "single-score"],
)
def test_class_count_mismatch(models: Path, objective: str, labels: list[str]) -> None:
    """If schema.json lists the wrong number of classes, the page shows numbers and what to fix."""
    folder = models / f"app-{objective.partition(':')[2]}-{len(labels)}"
    classifier(folder, SPECIES, objective=objective, num_class=3)
    misnamed = with_classes(folder, labels)
    with (
        running(folder) as server,
        application("--endpoint", server.url, "--folder", str(misnamed)) as app,
    ):
        page = app.post({"f0": "0.5", "f1": "1.5"})

    assert page.status_code == 200
    assert f"The model has 3 classes, but schema.json lists {len(labels)}" in visible_text(page)
    assert "alpha" not in page.text
