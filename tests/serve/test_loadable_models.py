"""Models that XGBoost loads although the file contains more than the model."""

import io
import json
from pathlib import Path

import numpy as np
import pytest

from tests.support.artifacts import BOOSTER, FEATURES, JSON_MODEL, MODEL
from tests.support.boosters import predict_with_xgboost
from tests.support.check import check, write_files

DOCUMENT = json.loads(JSON_MODEL)
CONTENTS: dict[str, bytes] = {
    "UBJSON and a line break": MODEL + b"\n",
    "UBJSON and zeros": MODEL + bytes(10_000),
    "UBJSON and text": MODEL + b"x" * 5_000,
    "JSON and a line break": JSON_MODEL + b"\r\n",
    "JSON and a zero": JSON_MODEL + b"\0",
    "JSON and text": JSON_MODEL + b"the end",
    "blank lines before JSON": b"\n \r\n" + JSON_MODEL,
    "another key": json.dumps({"extra": 1, **DOCUMENT}).encode(),
    "other keys": json.dumps(
        {"a": None, "b": {"learner": {}}, 'c"\\': [1.5, "}"], **DOCUMENT}, indent=2
    ).encode(),
    "the version first": json.dumps(dict(reversed(DOCUMENT.items()))).encode(),
    "a key at the end": json.dumps({**DOCUMENT, "extra": "x"}).encode(),
}


@pytest.mark.parametrize("kind", CONTENTS)
def test_what_surrounds_a_model_does_not_matter(tmp_path: Path, kind: str) -> None:
    """4.4: What XGBoost ignores before and after a model changes no prediction."""
    rows, expected = io.StringIO(), io.StringIO()
    np.savetxt(rows, FEATURES[:20], fmt="%.9g", delimiter=",")
    np.savetxt(expected, predict_with_xgboost(BOOSTER, FEATURES[:20]), fmt="%.9g")
    self_test = {"request": rows, "expected": expected}
    files = {f"self-test/{name}.csv": text.getvalue().encode() for name, text in self_test.items()}
    write_files(tmp_path, {"model.bin": CONTENTS[kind], **files})
    report = check(tmp_path, "--json")

    assert report.error == ""
    assert json.loads(report.output)["self_test_records"] == 20


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (MODEL[:-1] + b"\n", "is truncated: the end of the UBJSON document is missing"),
        (MODEL[: len(MODEL) // 2] + bytes(99), "is truncated: the end of the UBJSON document"),
        (JSON_MODEL[:-1] + b"\n", "is truncated: the end of the JSON document is missing"),
        (
            json.dumps({"extra": "x" * 600, **DOCUMENT}).encode(),
            'is a JSON model, but "learner" does not begin within its first 512 bytes: save the',
        ),
        (b"\n" * 600 + JSON_MODEL, 'is a JSON model, but "learner" does not begin within its'),
        (json.dumps({"extra": {"learner": {}}}).encode(), "got another JSON document that starts"),
        (b"{i\x07learner{L", "got a file that starts with "),
    ],
)
def test_other_contents_are_named(tmp_path: Path, content: bytes, message: str) -> None:
    """4.3: What is truncated, or not a model, is named as such."""
    assert message in check(write_files(tmp_path, {"model.ubj": content})).error
