"""Model files and directories that users may supply: accepted or rejected with the reason."""

import json
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
import xgboost

from tests.support.artifacts import OLD_MODELS
from tests.support.boosters import predict_with_xgboost, random_features, save_artifact, train
from tests.support.responses import scores
from tests.support.server import ROOT, running, startup_error

STANDARD_NAMES = ("model.ubj", "model.json", "xgboost-model")
XGBOOST_VERSION = tuple(map(int, xgboost.__version__.split(".")[:2]))
BOOSTER = train(random_features(100, 2), names=["a", "b"])


def load_expected(version: str) -> tuple[str, list[float]]:
    """Return a payload and the predictions of the XGBoost version that wrote the model."""
    sample = json.loads((OLD_MODELS / f"{version}.expected.json").read_text())
    return json.dumps(sample["rows"]), sample["expected"]


@pytest.mark.parametrize("suffix", [".json", ".ubj", "-xgboost-model"])
@pytest.mark.parametrize("version", ["1.7", "2.1", "3.0", "3.2", "3.4"])
def test_models_of_other_versions_predict_the_same_or_are_rejected(
    tmp_path: Path, version: str, suffix: str
) -> None:
    """4.1: A model predicts as in the XGBoost that wrote it, or is rejected with the reason."""
    name = {".json": "model.json", ".ubj": "model.ubj"}.get(suffix, "xgboost-model")
    shutil.copy(OLD_MODELS / f"{version}{suffix}", tmp_path / name)
    body, expected = load_expected(version)

    if tuple(map(int, version.split("."))) > XGBOOST_VERSION:
        assert f"was written by XGBoost {version}" in startup_error(tmp_path)
        return
    if (version, suffix) == ("1.7", "-xgboost-model"):
        line = startup_error(tmp_path)
        assert "is in the binary format that XGBoost 3.1 removed" in line
        assert f"make convert MODEL={tmp_path / name}" in line
        return
    with running(tmp_path) as server:
        np.testing.assert_allclose(
            scores(server.post(body, "application/json")), np.array(expected, np.float32), rtol=1e-6
        )


@pytest.mark.parametrize("version", ["1.7", "2.1", "3.0", "3.2", "3.4"])
def test_pickles_are_rejected(tmp_path: Path, version: str) -> None:
    """4.1: A pickle, which can run arbitrary code, is never loaded."""
    shutil.copy(OLD_MODELS / f"{version}.pkl", tmp_path / "xgboost-model")

    assert "is a pickle, which is never loaded because it can run arbitrary code" in startup_error(
        tmp_path
    )


def test_a_model_of_a_newer_xgboost_is_rejected_unless_allowed(tmp_path: Path) -> None:
    """A model of a newer XGBoost, which may predict incorrectly, needs SERVE_ALLOW_NEWER_MODEL."""
    model = (save_artifact(BOOSTER, tmp_path) / "model.ubj").read_bytes()
    major, minor = XGBOOST_VERSION
    newer = model.replace(
        bytes([ord("i"), major, ord("i"), minor]), bytes([ord("i"), major, ord("i"), minor + 1])
    )
    (tmp_path / "model.ubj").write_bytes(newer)

    assert f"written by XGBoost {major}.{minor + 1}" in startup_error(tmp_path)
    with running(tmp_path, SERVE_ALLOW_NEWER_MODEL="true") as server:
        assert server.post("1,2").status_code == 200


@pytest.mark.parametrize("name", [*STANDARD_NAMES, "my-model", "version/1/my-model.bin"])
def test_a_model_is_recognized_by_its_name_or_its_bytes(tmp_path: Path, name: str) -> None:
    """4.4, 4.5 and 4.9: Other files, hidden files, code/ and model.tar.gz do not hide the model."""
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    BOOSTER.save_model(tmp_path / "m.json")
    if path.suffix == ".json":
        (tmp_path / "m.json").rename(path)
    else:
        path.write_bytes(BOOSTER.save_raw("ubj"))
        (tmp_path / "m.json").unlink()
    (tmp_path / "code").mkdir()
    save_artifact(BOOSTER, tmp_path / "code")
    (tmp_path / "requirements.txt").write_text("pandas\n")
    (tmp_path / "metadata.json").write_text('{"learner_rate": 1}')
    (tmp_path / ".model.ubj").write_bytes(BOOSTER.save_raw("ubj"))
    (tmp_path / "empty").touch()
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as tarball:
        tarball.add(path, arcname=name)

    with running(tmp_path) as server:
        np.testing.assert_array_equal(
            scores(server.post("1,2")),
            predict_with_xgboost(BOOSTER, np.array([[1, 2]], np.float32)),
        )


def test_a_standard_name_takes_precedence_over_other_models(tmp_path: Path) -> None:
    """4.9: Another model in the directory is reported in a warning and not loaded."""
    save_artifact(BOOSTER, tmp_path)
    train(random_features(100, 5)).save_model(tmp_path / "old.ubj")

    with running(tmp_path) as server:
        assert server.post("1,2").status_code == 200
    warnings = [event for event in server.events() if event["event"] == "model files ignored"]
    assert warnings[0]["level"] == "WARNING"
    assert warnings[0]["files"] == {
        "old.ubj": "a model, but a file with a standard name takes precedence"
    }


def test_several_models_are_rejected(tmp_path: Path) -> None:
    """4.9: The server does not guess which of several models to serve."""
    save_artifact(BOOSTER, tmp_path)
    BOOSTER.save_model(tmp_path / "model.json")
    other_names = tmp_path / "other-names"
    other_names.mkdir()
    for name in ("a.ubj", "b.ubj"):
        BOOSTER.save_model(other_names / name)

    assert 'contains several models ("model.json", "model.ubj")' in startup_error(tmp_path)
    assert 'contains several models ("a.ubj", "b.ubj")' in startup_error(other_names)


@pytest.mark.parametrize("name", ["model.ubj", "model.json"])
def test_truncated_models_are_rejected(tmp_path: Path, name: str) -> None:
    """4.3: A truncated model, which may crash XGBoost, is rejected with one line."""
    BOOSTER.save_model(tmp_path / name)
    model = (tmp_path / name).read_bytes()
    for length in (100, 150, len(model) // 2, len(model) - 2, len(model) - 1):
        (tmp_path / name).write_bytes(model[:length])

        assert "is truncated" in startup_error(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (
            b"\0\0\0\x3f\4\0\0\0",
            r"in UBJSON or JSON format, got a file that starts with b'\x00\x00\x00?",
        ),
        (b"\0\0\0\x3f\4\0\0\0", "make convert MODEL="),
        (b"\x1f\x8b\x08\0", "is an archive: extract it"),
        (b"PK\3\4", "is an archive: extract it"),
        (
            b"import xgboost",
            "in UBJSON or JSON format, got a file that starts with b'import xgboost'",
        ),
        (b'{"features": []}', "expected an XGBoost model in UBJSON or JSON format"),
        (b'{"learner": {}, "version": [3, 0, 0]}', "cannot load"),
    ],
)
def test_files_in_other_formats_are_rejected(tmp_path: Path, content: bytes, message: str) -> None:
    """4.3: A file that is not a model is rejected with its format and the fix."""
    (tmp_path / "xgboost-model").write_bytes(content)

    assert message in startup_error(tmp_path)


def test_a_directory_without_a_model_is_rejected(tmp_path: Path) -> None:
    """4.3: The message lists the files of the directory, or explains the likely model file."""
    assert "it is empty" in startup_error(tmp_path)
    assert "is not a directory" in startup_error(tmp_path / "missing")
    (tmp_path / "notes.txt").write_text("no model")
    assert 'it contains "notes.txt"' in startup_error(tmp_path)
    (tmp_path / "model.tar.gz").write_bytes(b"\x1f\x8b\x08\0")
    assert "model.tar.gz is an archive: extract it" in startup_error(tmp_path)


def test_a_failed_self_test_prevents_startup(tmp_path: Path) -> None:
    """2.6: The artifact's own request must produce its own expected response."""
    save_artifact(BOOSTER, tmp_path)
    folder = tmp_path / "self-test"
    folder.mkdir()
    (folder / "request.json").write_text("[[1, 2], [3, 4]]")
    expected = predict_with_xgboost(BOOSTER, np.array([[1, 2], [3, 4]], np.float32)).tolist()

    assert "expected one request.* and one expected.* file, found 1 and 0" in startup_error(
        tmp_path
    )
    (folder / "expected.jsonl").write_text(
        "".join(json.dumps({"score": score}) + "\n" for score in expected)
    )
    with running(tmp_path) as server:
        assert server.post("1,2").status_code == 200
    assert (
        next(event for event in server.events() if event["event"] == "server started")[
            "self_test_records"
        ]
        == 2
    )
    (folder / "expected.jsonl").write_text(
        "".join(json.dumps({"score": score + 0.001}) + "\n" for score in expected)
    )
    assert "self-test failed: row 1: expected" in startup_error(tmp_path)
    (folder / "expected.jsonl").write_text(json.dumps({"score": expected[0]}) + "\n")
    assert "self-test failed: expected 1 prediction, got 2" in startup_error(tmp_path)
    (folder / "expected.jsonl").write_text("invalid")
    assert "expected a response of this server" in startup_error(tmp_path)
    (folder / "request.json").write_text("[[1]]")
    assert "self-test failed" in startup_error(tmp_path)


def test_the_sample_artifact_is_small_and_portable() -> None:
    """The sample has at most 300 trees and 1.5 MB, and the oldest supported XGBoost wrote it."""
    artifact = ROOT / "model" / "artifact"
    booster = xgboost.Booster(model_file=artifact / "model.ubj")

    assert booster.num_boosted_rounds() <= 300
    assert (artifact / "model.ubj").stat().st_size <= 1_500_000
    assert b"version[#L\0\0\0\0\0\0\0\x03i\x03i\x02i\0}" in (artifact / "model.ubj").read_bytes()
    assert (artifact / "self-test" / "request.csv").stat().st_size <= 50_000
