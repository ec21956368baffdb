"""`make convert` converts models that the current XGBoost cannot load."""

import bz2
import gzip
import io
import json
import lzma
import pickle
import re
import shutil
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from numpy.typing import NDArray

from tests.support.server import ROOT, running

MODELS = ROOT / "tests" / "support" / "old_models"
TRUST = "--trust-pickle"


class Wrapper:
    """A user's own class around a model."""

    def __init__(self, booster: xgboost.Booster) -> None:
        self.booster = booster


def run_convert(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(ROOT / "model" / "convert.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def convert(tmp_path: Path, content: bytes, name: str, *arguments: str | Path) -> str:
    """Return the output of a conversion of these bytes in a file of this name."""
    (tmp_path / name).write_bytes(content)
    process = run_convert(tmp_path / name, TRUST, *arguments)

    assert process.returncode == 0, process.stderr
    return process.stdout


def read_sample(name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return rows, and the predictions of the XGBoost that wrote a model file."""
    stem = re.sub(r"-xgboost-model$|\.[a-z]+$", "", name)
    sample = json.loads((MODELS / f"{stem}.expected.json").read_text())
    return np.array(sample["rows"], np.float32), np.array(sample["expected"], np.float32)


def predict_with_server(folder: Path, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    payload = io.BytesIO()
    np.save(payload, rows)
    npy = "application/x-npy"
    with running(folder) as server:
        response = server.post(payload.getvalue(), npy, Accept=npy)

    assert response.status_code == 200, response.text
    predictions: NDArray[np.float32] = np.load(io.BytesIO(response.content))
    return predictions


CLASSES = {"prediction": {"classes": ["large", "medium", "small"]}}


@pytest.mark.parametrize(
    ("name", "compress", "schema"),
    [
        ("2.1.pkl", bytes, None),
        ("0.72-classifier.pkl", bytes, CLASSES),
        ("0.90-stopped.joblib", zlib.compress, {"missing_value": -999}),
        ("1.2-classifier.pkl", gzip.compress, CLASSES),
        ("1.5-forest.pkl", bz2.compress, None),
        ("3.0-search.pkl", lzma.compress, {"missing_value": -999}),
    ],
)
def test_converted_models_make_the_same_predictions(
    tmp_path: Path,
    name: str,
    compress: Callable[[bytes], bytes],
    schema: dict[str, Any] | None,
) -> None:
    """Served after the conversion, a model predicts as in the XGBoost that wrote it.

    The missing value and the classes of an estimator are in schema.json.
    """
    output = convert(tmp_path, compress((MODELS / name).read_bytes()), name)
    rows, expected = read_sample(name)
    predictions = predict_with_server(tmp_path, rows)
    marker = "the missing value -999 and " if schema and "missing_value" in schema else "and "

    assert f"same predictions as {tmp_path / name} for 1,000 rows with random numbers" in output
    assert f"{marker}NaN (largest difference 0)\n" in output
    assert f"Next: make check FOLDER={tmp_path}\n" in output
    np.testing.assert_allclose(predictions, expected, rtol=1e-6)
    schema_file = tmp_path / "schema.json"
    assert (json.loads(schema_file.read_text()) if schema_file.exists() else None) == schema
    needed = schema is not None and "missing_value" in schema
    assert ("which the server needs too: {" in output) == needed
    assert ("which names the classes: {" in output) == (schema is not None and not needed)


def test_binary_models_with_a_standard_name(tmp_path: Path) -> None:
    """A binary model has to be moved if the server would load it instead of the converted one."""
    content = (MODELS / "1.7-xgboost-model").read_bytes()
    output = convert(tmp_path, content, "xgboost-model")
    rows, expected = read_sample("1.7-xgboost-model")

    assert "Next: move xgboost-model to another directory, because the server would try" in output
    assert "make convert" not in output
    (tmp_path / "xgboost-model").unlink()
    np.testing.assert_allclose(predict_with_server(tmp_path, rows), expected, rtol=1e-6)


def test_the_directory_of_the_target_is_created(tmp_path: Path) -> None:
    """OUT may be in a directory that does not exist; a failed conversion does not create it."""
    target = tmp_path / "new" / "folder" / "model.ubj"
    (tmp_path / "bad").write_bytes(b"no model")
    process = run_convert(tmp_path / "bad", "--out", target)
    assert process.returncode == 1
    assert not (tmp_path / "new").exists()
    content = (MODELS / "1.7-xgboost-model").read_bytes()
    output = convert(tmp_path, content, "xgboost-model", "--out", target)

    assert f"Next: make check FOLDER={target.parent}\n" in output
    assert target.exists()


def test_what_an_early_stop_chose_is_kept(tmp_path: Path) -> None:
    """A converted estimator keeps its best iteration, its column names and its kind."""
    content = (MODELS / "0.90-stopped.joblib").read_bytes()
    target = tmp_path / "served" / "model.ubj"
    target.parent.mkdir()
    (target.parent / "schema.json").write_text('{"libsvm_base": 1, "prediction": {"unit": "m"}}')
    output = convert(tmp_path, content, "stopped", "--out", target)
    booster = xgboost.Booster(model_file=target)

    assert "the server predicts with the first 12 of 15 rounds, as the estimator does" in output
    assert booster.attr("best_iteration") == "11"
    assert booster.feature_names == ["a", "b", "c"]
    assert json.loads(booster.attr("scikit_learn") or "")["_estimator_type"] == "regressor"
    assert f"Next: make check FOLDER={target.parent}\n" in output
    assert f"Added to {target.parent / 'schema.json'}, which the server needs too" in output
    assert json.loads((target.parent / "schema.json").read_text()) == {
        "libsvm_base": 1,
        "prediction": {"unit": "m"},
        "missing_value": -999,
    }


@pytest.mark.parametrize(
    ("name", "schema", "message"),
    [
        (
            "3.0-search.pkl",
            '{"missing_value": -1}',
            '"missing_value": expected -999, as in the estimator, got -1: correct the file, or',
        ),
        (
            "3.0-search.pkl",
            '{"features": [{}, {"missing_value": null}, {}]}',
            'feature 2: "missing_value": expected -999, as in the estimator, got null',
        ),
        (
            "1.2-classifier.pkl",
            '{"prediction": {"classes": ["small", "medium", "large"]}}',
            '"classes": expected "large", "medium", "small", as in the estimator, got "small", ',
        ),
        ("3.0-search.pkl", '{"missing_values": -1}', 'did you mean "missing_value"?'),
        ("3.0-search.pkl", '{"features": [{}]}', "describes 1 feature, but the model has 3"),
    ],
)
def test_contradictions_in_schema_json(
    tmp_path: Path, name: str, schema: str, message: str
) -> None:
    """A schema.json that contradicts the estimator is an error, and nothing is written."""
    (tmp_path / "schema.json").write_text(schema)
    shutil.copy(MODELS / name, tmp_path)
    process = run_convert(tmp_path / name, TRUST)

    assert process.returncode == 1
    assert message in process.stderr
    assert process.stderr.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [name, "schema.json"]
    assert (tmp_path / "schema.json").read_text() == schema


def test_schema_json_of_another_model_is_not_changed(tmp_path: Path) -> None:
    """The schema.json of a model that is served is not changed for another one."""
    shutil.copy(MODELS / "2.1.ubj", tmp_path / "model.ubj")
    shutil.copy(MODELS / "3.0-search.pkl", tmp_path)
    process = run_convert(tmp_path / "3.0-search.pkl", TRUST)

    assert process.returncode == 1
    assert f"but {tmp_path / 'model.ubj'} uses this file: write the model to" in process.stderr
    assert not (tmp_path / "schema.json").exists()


def test_another_model_is_served_from_the_same_directory(tmp_path: Path) -> None:
    """The output says if the server would serve another model."""
    shutil.copy(MODELS / "2.1.ubj", tmp_path / "model.ubj")
    output = convert(tmp_path, (MODELS / "1.7.pkl").read_bytes(), "other.pkl")

    assert f"The server would serve {tmp_path / 'model.ubj'} instead: move other.ubj" in output


def refuse_all(contents: dict[str, bytes], tmp_path: Path, *options: str) -> dict[str, str]:
    """Return the only line that each conversion prints; none of them prepares anything."""
    processes = {}
    for name, content in contents.items():
        path = tmp_path / name
        path.write_bytes(content)
        command = [sys.executable, str(ROOT / "model" / "convert.py"), str(path), *options]
        processes[name] = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    lines = {}
    for name, process in processes.items():
        output, lines[name] = process.communicate(timeout=120)

        assert (process.returncode, output) == (1, "")
        assert lines[name].startswith(f"cannot convert {tmp_path / name}: ")
        assert lines[name].count("\n") == 1
    return lines


def test_pickles_of_anything_else_are_named(tmp_path: Path) -> None:
    """A pickle without exactly one XGBoost model is refused with what it is and what to do."""
    booster = xgboost.Booster(model_file=MODELS / "3.2.ubj")
    content = (MODELS / "3.0-search.pkl").read_bytes()
    messages = {
        "3.0-pipeline.pkl": 'steps "scale (StandardScaler)", "model (XGBRegressor)": the server '
        "runs only the XGBoost model; save that alone with joblib.dump(pipeline[-1]",
        "3.0-search-pipeline.pkl": "it is a GridSearchCV whose best_estimator_ is a scikit-learn "
        'Pipeline with the steps "scale (StandardScaler)", "model (XGBRegressor)": the server '
        "runs only the XGBoost model; save that alone with joblib.dump(search.best_estimator_[-1]",
        "3.0-calibrated.pkl": "scikit-learn CalibratedClassifierCV, which changes the prob",
        "3.0-scaler.pkl": "it is a scikit-learn StandardScaler: expected an XGBoost model",
        "3.0-dict.pkl": """dict with the keys "scaler", "booster": expected one XGBoost model; \
save it alone with joblib.dump(contents['booster']""",
        "3.0-list.pkl": 'it is a list of "XGBRegressor", "XGBRegressor": expected one',
        "3.0-unfitted.pkl": "it is an XGBRegressor that was not fitted",
        "wrapper": "it is a tests.model.test_convert.Wrapper, which contains an XGBoost model",
        "number": "it is a float: expected an XGBoost model",
        "empty_dict": "it is an empty dict: expected an XGBoost model",
        "truncated": "the pickle is truncated or damaged",
        "truncated.gz": "it is compressed with gzip, but truncated or damaged",
    }
    contents = {name: (MODELS / name).read_bytes() for name in messages if name[:1] == "3"}
    contents |= {
        "wrapper": pickle.dumps(Wrapper(booster)),
        "number": pickle.dumps(0.5),
        "empty_dict": pickle.dumps({}),
        "truncated": content[:-2000],
        "truncated.gz": gzip.compress(content)[:-2000],
    }
    lines = refuse_all(contents, tmp_path, TRUST)

    for name, message in messages.items():
        assert message in lines[name]


def test_truncated_binary_models(tmp_path: Path) -> None:
    """A model that XGBoost cannot load is refused in one line, and nothing is written."""
    content = (MODELS / "1.7-xgboost-model").read_bytes()
    path = tmp_path / "model.bin"
    path.write_bytes(content[:1500])
    process = run_convert(path)

    assert process.returncode == 1
    assert process.stderr.startswith(f"cannot convert {path}: XGBoost cannot load it (")
    assert process.stderr.endswith("): copy the file again\n")
    assert process.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == [path]


def test_pickles_run_no_code(tmp_path: Path) -> None:
    """A function in a pickle is not called."""

    class Malicious:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.write_text, (tmp_path / "written", "by a pickle")

    refuse_all({"model.pkl": pickle.dumps([Malicious()])}, tmp_path, TRUST)

    assert not (tmp_path / "written").exists()


def test_files_that_are_not_converted(tmp_path: Path) -> None:
    """An untrusted pickle, a current format, and what is not a model are refused."""
    messages = {
        "untrusted.pkl": "it is a pickle of a Booster, and pickles can run arbitrary code when",
        "untrusted.joblib.z": "if you trust the file, add TRUST=yes",
        "model.json": "nothing to convert",
        "model.ubj": "nothing to convert",
        "empty": "it is empty: save the model again",
        "text": "it is a text dump of trees, from which no model can be loaded: save the model",
        "compressed.gz": "it is a compressed model in a current format: decompress it",
        "unknown": "or a pickle or joblib file of a model, got a file that starts with b'hello'",
        "archive.zip": "it is an archive: extract it",
        "joblib.lz4": "it is compressed with LZ4, but the package lz4 is not installed",
        "exists.pkl": "exists.ubj exists already: remove it, or name another file with OUT=",
    }
    binary = (MODELS / "2.1.pkl").read_bytes()
    contents = {
        "untrusted.pkl": binary,
        "untrusted.joblib.z": zlib.compress(binary),
        "model.json": (MODELS / "2.1.json").read_bytes(),
        "model.ubj": (MODELS / "2.1.ubj").read_bytes(),
        "empty": b"",
        "text": b"booster[0]:\n0:[f0<0.5] yes=1,no=2,missing=1\n",
        "compressed.gz": gzip.compress((MODELS / "2.1.ubj").read_bytes()),
        "unknown": b"hello",
        "archive.zip": b"PK\3\4\x14\0\0\0",
        "joblib.lz4": b"\x04\x22\x4d\x18" + bytes(20),
    }
    lines = refuse_all(contents, tmp_path)
    (tmp_path / "exists.ubj").touch()
    lines |= refuse_all({"exists.pkl": binary}, tmp_path, TRUST)

    for name, message in messages.items():
        assert message in lines[name]
    assert (tmp_path / "exists.ubj").read_bytes() == b""


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("", "no file to convert; usage: make convert MODEL=path/to/file"),
        ("missing", "file not found; usage: make convert MODEL=path/to/file"),
        ("tests", "it is a directory: name the model file in it"),
    ],
)
def test_paths_that_are_not_files(path: str, message: str) -> None:
    """A path that is missing or a directory is refused."""
    process = run_convert(path)

    assert process.returncode == 1
    assert message in process.stderr
    assert "Traceback" not in process.stderr


@pytest.mark.parametrize("path", ["/proc/model.ubj", "/proc/new/folder/model.ubj"])
def test_a_directory_that_cannot_be_written(path: str) -> None:
    """A model in a directory that cannot be written is refused before anything is prepared."""
    process = run_convert(MODELS / "1.7-xgboost-model", "--out", path)

    assert process.returncode == 1
    assert "cannot write to /proc (" in process.stderr
    assert "name a file in another directory with OUT=path/to/model.ubj" in process.stderr


def pickle_estimator(missing: float) -> bytes:
    """Return a pickled XGBRegressor, made without scikit-learn."""
    rows = np.random.default_rng(0).random((50, 3), np.float32)
    booster = xgboost.train({"nthread": 1}, xgboost.DMatrix(rows, rows[:, 0]), 2)
    estimator = object.__new__(xgboost.XGBRegressor)
    estimator.__dict__.update(missing=missing, _Booster=booster)
    return pickle.dumps(estimator, 4)


@pytest.mark.parametrize("missing", [1e40, -(10**400)])
def test_missing_values_beyond_float32(tmp_path: Path, missing: float) -> None:
    """A missing value that XGBoost rounds to infinity is not written to schema.json."""
    (tmp_path / "model.pkl").write_bytes(pickle_estimator(missing))
    process = run_convert(tmp_path / "model.pkl", TRUST)

    assert (process.returncode, process.stderr) == (0, "")
    assert "The estimator treats infinity as missing; the server rejects infinity" in process.stdout
    assert not (tmp_path / "schema.json").exists()


def test_an_attribute_that_is_ignored_is_named(tmp_path: Path) -> None:
    """If the server ignores best_iteration, as its warning says, the output says so."""
    rows = np.random.default_rng(0).random((50, 3), np.float32)
    parameters = {"nthread": 1, "max_depth": 2}
    booster = xgboost.train(parameters, xgboost.DMatrix(rows, rows[:, 0]), 100)
    booster.set_attr(best_iteration="19")
    output = convert(tmp_path, pickle.dumps(booster), "model.pkl")

    assert "All 100 rounds predict, although the attribute best_iteration is 19, bec" in output
    assert "set SERVE_EARLY_STOPPING=true to use the first 20" in output
