"""The clients in docs/requests.md, run as they are shown."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.support.boosters import predict_with_xgboost, save_artifact, train
from tests.support.local_runtime import CREDENTIALS, LocalRuntime, run_local_runtime
from tests.support.server import ROOT, Server, running

ROWS = 40
RANDOM = np.random.default_rng(0)
CLASSES = ["Fair", "Very Good", "Ideal"]
# Rows that were filtered and sorted, as in practice: the index has gaps, and no order.
INDEX = RANDOM.permutation(200)[:ROWS]
FRAME = pd.DataFrame(
    {
        "carat": RANDOM.normal(size=ROWS),
        "cut, or shape": pd.Categorical(RANDOM.choice(["round", "oval, long"], ROWS)),
        "depth": np.where(RANDOM.random(ROWS) < 0.2, np.nan, RANDOM.normal(size=ROWS)),
    },
    index=pd.Index(INDEX, name="id"),
)
TARGET = pd.qcut(FRAME["carat"], 3, labels=False)
BOOSTER = train(FRAME, TARGET, objective="multi:softprob", num_class=3)
EXPECTED = predict_with_xgboost(BOOSTER, FRAME)
CLIENT_NAMES = ["requests", "boto3"]
MAX_LINES = 21


def load_clients() -> dict[str, str]:
    """Return the source of each Python client in the page."""
    blocks = re.findall(
        r"```python\n(.+?)```", (ROOT / "docs" / "requests.md").read_text(), re.DOTALL
    )
    return {
        name: next(block for block in blocks if f"import {name}\n" in block)
        for name in CLIENT_NAMES
    }


@pytest.fixture(scope="module")
def server(models: Path) -> Iterator[Server]:
    folder = save_artifact(BOOSTER, models / "clients")
    (folder / "schema.json").write_text(json.dumps({"prediction": {"classes": CLASSES}}))
    with running(folder) as running_server:
        yield running_server


@pytest.fixture(scope="module")
def runtime(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRuntime]:
    folder = tmp_path_factory.mktemp("s3")
    arguments = ("--container", server.url, "--endpoint", "diamonds")
    with run_local_runtime(folder, *arguments) as running_runtime:
        yield running_runtime


@pytest.fixture(params=CLIENT_NAMES)
def predict(
    request: pytest.FixtureRequest,
    server: Server,
    runtime: LocalRuntime,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Any]:
    """Return the function of a client, which calls the server or the local runtime."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", runtime.url)
    source = load_clients()[request.param].replace("http://127.0.0.1:8080", server.url)
    names: dict[str, Any] = {}
    exec(compile(source, "requests.md", "exec"), names)  # noqa: S102  # the page's own code
    function: Callable[..., Any] = names["predict"]
    return function


def test_the_clients_are_short() -> None:
    """A client has about twenty lines, blank ones included."""
    assert all(len(source.splitlines()) <= MAX_LINES for source in load_clients().values())


def test_scores(predict: Callable[..., Any]) -> None:
    """The score is a Series with the DataFrame's index, and XGBoost's own numbers."""
    scores = predict(FRAME)

    assert isinstance(scores, pd.Series)
    pd.testing.assert_index_equal(scores.index, FRAME.index)
    np.testing.assert_array_equal(np.array(scores.tolist(), np.float32), EXPECTED)


def test_classes(predict: Callable[..., Any]) -> None:
    """Several outputs are a DataFrame with the index, and a column for each class."""
    table = predict(FRAME, "class", "class_probabilities")

    pd.testing.assert_index_equal(table.index, FRAME.index)
    assert list(table) == ["class", *(f"class_probabilities.{name}" for name in CLASSES)]
    assert table["class"].tolist() == [CLASSES[index] for index in EXPECTED.argmax(axis=1)]
    np.testing.assert_array_equal(table.iloc[:, 1:].to_numpy(np.float32), EXPECTED)


@pytest.mark.parametrize("rows", [0, 1])
def test_few_rows(predict: Callable[..., Any], rows: int) -> None:
    """A DataFrame of one row gets a Series of one prediction, an empty one no prediction."""
    predictions = predict(FRAME[:rows], "class")

    pd.testing.assert_index_equal(predictions.index, FRAME.index[:rows])
    assert len(predictions) == rows
    if rows:
        assert predictions.iloc[0] == CLASSES[EXPECTED[0].argmax()]


def test_errors(predict: Callable[..., Any]) -> None:
    """An error has the server's message, with the row and the column."""
    with pytest.raises(
        Exception, match=r"row 1, column \\?\"carat\\?\": expected a number"
    ) as caught:
        predict(FRAME.assign(carat="heavy"))

    assert type(caught.value).__name__ in ("ValueError", "ModelError")


def test_the_aws_cli(runtime: LocalRuntime, tmp_path: Path) -> None:
    """The command of the AWS CLI writes the predictions to a file."""
    page = (ROOT / "docs" / "requests.md").read_text()
    (command,) = re.findall(r"```sh\n(aws sagemaker-runtime .+?)```", page, re.DOTALL)
    FRAME.to_csv(tmp_path / "rows.csv", index=False)
    environment = runtime.environment | {"PATH": str(Path(sys.executable).parent)}
    subprocess.run(
        ["/bin/sh", "-c", command], cwd=tmp_path, env=environment, check=True, capture_output=True
    )
    predictions = json.loads((tmp_path / "predictions.json").read_text())["predictions"]

    np.testing.assert_array_equal(
        np.array([row["score"] for row in predictions], np.float32), EXPECTED
    )
