"""The requests in docs/integrations.md get the responses that it shows."""

import csv
import io
import json
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import xgboost

from tests.support.boosters import predict_with_xgboost, save_artifact, train
from tests.support.server import ROOT, running

NAMES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
SPECIES = ["setosa", "versicolor", "virginica"]
# The means of Fisher's measurements, in cm.
MEANS = [[5.0, 3.4, 1.5, 0.2], [5.9, 2.8, 4.3, 1.3], [6.6, 3.0, 5.6, 2.0]]
# Two digits are shown, and another version of XGBoost may round differently.
SHOWN_PRECISION = 0.02

EXAMPLE = re.compile(
    r"^With (?:`SAGEMAKER_INFERENCE_OUTPUT=(?P<setting>[a-z_,]+)`|no variable).*?"
    r"^```http\n(?P<head>.+?)\n\n(?P<body>.+?)```\n\n```\n(?P<response>.+?)```$",
    re.MULTILINE | re.DOTALL,
)


class Example(NamedTuple):
    """A request in the page, the outputs that the environment selects, and the response."""

    setting: str | None
    head: str
    body: str
    response: str


def load_examples() -> list[Example]:
    page = (ROOT / "docs" / "integrations.md").read_text()
    return [Example(**match.groupdict()) for match in EXAMPLE.finditer(page)]


EXAMPLES = load_examples()


def train_iris() -> xgboost.Booster:
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 50)
    measurements = np.array(MEANS)[labels] + random.normal(0, 0.2, (150, 4))
    measurements[random.random((150, 4)) < 0.05] = np.nan
    return train(measurements, labels, names=NAMES, objective="multi:softprob", num_class=3)


def read_float(cell: str) -> float:
    return float(cell) if cell else float("nan")


def test_every_engine_has_an_example() -> None:
    """The page has a request and its response for each engine."""
    assert len(EXAMPLES) == 6


@pytest.mark.parametrize("setting", sorted({example.setting or "" for example in EXAMPLES}))
def test_requests_of_sql_engines(models: Path, setting: str) -> None:
    """8.4: The bytes that each engine sends get a value per cell, which are XGBoost's own."""
    booster = train_iris()
    folder = save_artifact(booster, models / f"iris-{setting}")
    (folder / "schema.json").write_text(json.dumps({"prediction": {"classes": SPECIES}}))
    environment = {"SAGEMAKER_INFERENCE_OUTPUT": setting} if setting else {}
    with running(folder, **environment) as server:
        for example in EXAMPLES:
            if (example.setting or "") == setting:
                head = f"{example.head}\nHost: x\nContent-Length: {len(example.body)}\n\n"
                request = head.replace("\n", "\r\n") + example.body
                response = server.exchange(request.encode()).decode()
                check_response(example, response, booster)


def check_response(example: Example, response: str, booster: xgboost.Booster) -> None:
    status, _, rest = response.partition("\r\n")
    head, _, text = rest.partition("\r\n\r\n")
    assert status == "HTTP/1.1 200 OK"
    assert "content-type: text/csv\r\n" in head.lower() + "\r\n"
    rows, shown = (list(csv.reader(io.StringIO(body))) for body in (text, example.response))
    features = [list(map(read_float, line.split(","))) for line in example.body.splitlines()]
    expected = predict_with_xgboost(booster, np.array(features, np.float32))

    assert [len(row) for row in rows] == [len(row) for row in shown]
    for row, shown_row, probabilities in zip(rows, shown, expected, strict=True):
        exact = [*SPECIES, *map(str, probabilities), "0", "1", "2"]
        assert set(row) <= set(exact)
        for cell, shown_cell in zip(row, shown_row, strict=True):
            if cell in SPECIES or shown_cell.isdigit():
                assert cell == shown_cell
            else:
                assert float(cell) == pytest.approx(float(shown_cell), abs=SHOWN_PRECISION)
        if row[0] in SPECIES:
            assert row[0] == SPECIES[probabilities.argmax()]
