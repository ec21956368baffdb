"""The application builds its form from the model, as far as schema.json does not describe it."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.support.application import application, visible_text
from tests.support.boosters import predict_with_xgboost, save_artifact, train

RANDOM = np.random.default_rng(0)
MATRIX = RANDOM.normal(size=(200, 3)).astype(np.float32)
CUTS = ["Good", "Ideal"]
FRAME = pd.DataFrame(
    {
        "depth": MATRIX[:, 0],
        "cut": pd.Categorical(RANDOM.choice(CUTS, 200), categories=CUTS),
        "is new": MATRIX[:, 1] > 0,
    }
)
RECORD = {"f0": "0.5", "f1": "1", "f2": "0"}
PRICES = train(FRAME, MATRIX[:, 0] + (FRAME["cut"] == "Ideal") - FRAME["is new"])
PRICE = predict_with_xgboost(
    PRICES,
    pd.DataFrame(
        {"depth": [np.float32(0.5)], "cut": pd.Categorical(["Ideal"], CUTS), "is new": [False]}
    ),
)[0]


def test_names_types_and_labels_of_the_model(tmp_path: Path) -> None:
    """Without a schema.json, the form has the model's names, types and labels."""
    with application("--folder", str(save_artifact(PRICES, tmp_path))) as app:
        form, page = app.get("/").text, app.post(RECORD)

    for label in ("Depth", "Cut", "Is new"):
        assert f">{label}<" in form.replace(" <code>", "<")
    for option in ("Good", "Ideal", "no", "yes"):
        assert f">{option}</option>" in form
    assert f"{PRICE:.4g}" in visible_text(page)


@pytest.mark.parametrize(
    ("objective", "class_count"), [("multi:softprob", 3), ("binary:logistic", 2)]
)
def test_classes_without_names(tmp_path: Path, objective: str, class_count: int) -> None:
    """A classifier without names is shown with its most probable class code and probability."""
    target = (MATRIX[:, 0] > 0).astype(int) + (MATRIX[:, 1] > 0) * (class_count > 2)
    parameters = {"num_class": class_count} if class_count > 2 else {}
    booster = train(MATRIX, target, objective=objective, **parameters)
    scores = predict_with_xgboost(booster, np.array([[0.5, 1, 0]], np.float32))[0]
    probabilities = scores if class_count > 2 else [1 - scores, scores]
    with application("--folder", str(save_artifact(booster, tmp_path))) as app:
        page = visible_text(app.post(RECORD))
        incomplete = visible_text(app.post({**RECORD, "f1": "x"}))
        header = app.upload(b"a,b,c\n0.5,1,0\n")
        row = app.predict_file(b"0.5,1,0\n").decode().strip().split(",")

    best = int(np.argmax(probabilities))
    assert f"Prediction {best} {100 * probabilities[best]:.1f}%" in page
    assert "Column 2: enter a number" in incomplete
    assert header.status_code == 422
    assert "the model has no column names to compare it with" in visible_text(header)
    assert row[3] == str(best)
    np.testing.assert_array_equal(np.array(row[4:], np.float32), np.atleast_1d(scores))


def test_a_partial_schema_is_completed(tmp_path: Path) -> None:
    """Keys that schema.json lacks come from the model; those that it has remain."""
    features = [
        {"name": "depth", "description": "total depth", "missing": False},
        {"name": "cut"},
        {"name": "is new"},
    ]
    document = {"features": features, "prediction": {"name": "price", "unit": "US dollars"}}
    save_artifact(PRICES, tmp_path)
    (tmp_path / "schema.json").write_text(json.dumps(document))
    with application("--folder", str(tmp_path)) as app:
        form = app.get("/").text
        page = visible_text(app.post(RECORD))
        incomplete = app.post({**RECORD, "f0": ""})

    assert "Total depth" in form
    assert ">Ideal</option>" in form
    assert f"{PRICE:.4g} US dollars" in page
    assert "Total depth: enter a number" in visible_text(incomplete)
