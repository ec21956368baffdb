"""One record by the form: from what was typed to a prediction in the user's terms, and why."""

import html
import json
import re
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


def contributions_of(page: str) -> list[float]:
    return [float(value) for value in re.findall(r"data-contribution>([^<]+)<", page)]


def test_the_form_says_what_the_schema_does(app: App) -> None:
    """Each feature has a labelled control with its unit, range and choices, and may be empty only where the schema lets it."""
    page = app.get("/")

    assert page.status_code == 200
    assert "Weight of the diamond carat in carat (0.2 g) · 0.2 to 5.01 in training" in visible_text(
        page
    )
    assert [f'for="f{place}"' in page.text for place in range(9)] == [True] * 9
    assert page.text.count(" required") == 6
    assert visible_text(page).count("may be left empty") == 3
    assert "Fair Good Very Good Premium Ideal" in visible_text(page)


@pytest.mark.parametrize("place", range(3))
def test_a_prediction_in_dollars(app: App, place: int) -> None:
    """The page says the price that XGBoost predicts, with its unit, and keeps what was typed."""
    page = app.post(form_values(ROWS[place]))

    assert page.status_code == 200
    assert f"Price {float(expected()[place]):,.0f} US dollars" in visible_text(page)
    assert f'value="{ROWS[place][0]}"' in page.text


def test_the_waterfall_is_xgboosts(app: App) -> None:
    """Beside each column stands what XGBoost says that it adds, and all together they are the prediction."""
    page = app.post(form_values(ROWS[0]))
    booster = xgboost.Booster(model_file=ARTIFACT / "model.ubj")
    matrix = xgboost.DMatrix(
        CODED[:1],
        feature_names=booster.feature_names,
        feature_types=booster.feature_types,
        enable_categorical=True,
    )
    (wanted,) = booster.predict(matrix, pred_contribs=True)

    assert contributions_of(page.text) == pytest.approx(wanted[:-1], rel=1e-5)
    assert sum(contributions_of(page.text)) + wanted[-1] == pytest.approx(expected()[0], rel=1e-5)
    assert all(f"{name} = " in page.text for name in COLUMNS)


def test_missing_values_are_sent_as_null(app: App) -> None:
    """What is left empty goes to the endpoint as null, and is shown as not known."""
    page = app.post(form_values([*ROWS[0][:8], ""]))

    assert '"z": null' in html.unescape(page.text)
    assert "z = not known" in page.text
    assert f"Price {float(expected([[*ROWS[0][:8], '']])[0]):,.0f} US dollars" in visible_text(page)


@pytest.mark.parametrize(
    ("place", "text", "words"),
    [
        (0, "", "enter a number"),
        (0, "0,7", "enter a number, with a point and not a comma: 0.7"),
        (0, "abc", "enter a number, such as 0.2"),
        (0, "nan", "enter a number, such as 0.2"),
        (0, "1e999", "enter a smaller number"),
        (0, "1" * 41, "at most 40 characters"),
        (0, "٣", "enter a number"),
        (1, "", "choose one"),
        (1, "5", "choose one of the list"),
        (1, "Ideal", "choose one of the list"),
        (1, "9" * 5000, "choose one of the list"),
        (8, "x", "enter a number, such as 1.07"),
        (0, "1e300", "float32"),
    ],
)
def test_errors_stand_beside_their_field(app: App, place: int, text: str, words: str) -> None:
    """What does not fit is said at its field and in a summary that links there, and what was typed is kept."""
    page = app.post(form_values(ROWS[0]) | {f"f{place}": text})

    assert page.status_code == 422
    assert re.search(rf'id="f{place}-error">.*{re.escape(words)}', page.text)
    assert re.search(rf'<a href="#f{place}">[^<]*{re.escape(words)}', page.text)
    assert re.search(
        rf'id="f{place}"[^>]* aria-invalid="true" aria-describedby="[^"]*f{place}-error"', page.text
    )
    assert f'value="{ROWS[0][5]}"' in page.text
    assert page.text.count("aria-invalid") == 1


def test_values_beyond_training_are_warned_of(app: App) -> None:
    """A value outside of the range in training is predicted all the same, with a warning at the field and at the price."""
    page = app.post(form_values(["9", *ROWS[0][1:]]))

    assert page.status_code == 200
    assert "9 is outside of what the model learned from (0.2 to 5.01)" in visible_text(page)
    assert "Beyond what the model learned from: carat." in visible_text(page)


def test_the_exchange_is_what_went_over_the_wire() -> None:
    """The page shows each header and byte that the endpoint received, and what it answered."""
    reply = b'{"predictions": [{"score": 5, "note": "<script>alert(1)</script>"}]}'
    with (
        running_endpoint(ScriptedEndpoint(200, reply, {"X-Some": "<i>header</i>"})) as endpoint,
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
def test_a_classifier_names_its_class(
    models: Path, classes: list[str], parameters: dict[str, Any]
) -> None:
    """A classifier's page says the likeliest label with its probability, and explains its margin as that."""
    folder = models / f"app-{len(classes)}"
    booster = classifier(folder, classes, **parameters)
    matrix = xgboost.DMatrix(FEATURES[:1], feature_names=NAMES)
    (score,) = booster.predict(matrix)
    contributions = booster.predict(matrix, pred_contribs=True)[0]
    probabilities = [1 - score, score] if len(classes) == 2 else list(score)
    place = int(np.argmax(probabilities))
    with (
        running(folder) as server,
        application("--endpoint", server.url, "--folder", str(folder)) as app,
    ):
        page = app.post({f"f{column}": str(value) for column, value in enumerate(FEATURES[0])})

    assert f"Species {classes[place]} {100 * probabilities[place]:.1f} %" in visible_text(page)
    wanted = contributions[:-1] if len(classes) == 2 else contributions[place][:-1]
    assert contributions_of(page.text) == pytest.approx(wanted, rel=1e-4)
    assert (
        "log-odds of “yes”"
        if len(classes) == 2
        else f"raw score of “{classes[place]}”; the softmax"
    ) in visible_text(page)
    assert "<b>bold" not in page.text


@pytest.mark.parametrize(
    ("objective", "named"),
    [
        ("multi:softprob", ["alpha", "beta"]),
        ("multi:softprob", ["alpha", "beta", "gamma", "delta"]),
        ("multi:softmax", ["alpha"]),
    ],
    ids=["fewer", "more", "one-value"],
)
def test_classes_of_another_count(models: Path, objective: str, named: list[str]) -> None:
    """Where schema.json names another count of classes than the model has, the page has the numbers, and says what to mend."""
    folder = models / f"app-{objective.partition(':')[2]}-{len(named)}"
    classifier(folder, SPECIES, objective=objective, num_class=3)
    misnamed = with_classes(folder, named)
    with (
        running(folder) as server,
        application("--endpoint", server.url, "--folder", str(misnamed)) as app,
    ):
        page = app.post({"f0": "0.5", "f1": "1.5"})

    assert page.status_code == 200
    assert f"The model has 3 classes, but schema.json names {len(named)}" in visible_text(page)
    assert "alpha" not in page.text
