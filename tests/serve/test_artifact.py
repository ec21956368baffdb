"""Models as users bring them: what is loaded, and what is refused and how."""

import json
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
import xgboost

from tests.support.boosters import numbers, predictions, saved, train
from tests.support.responses import scores
from tests.support.server import ROOT, refusal, running

MODELS = ROOT / "tests" / "support" / "old_models"
NAMES = ("model.ubj", "model.json", "xgboost-model")
RUNTIME = tuple(map(int, xgboost.__version__.split(".")[:2]))
BOOSTER = train(numbers(100, 2), names=["a", "b"])


def expectations(version: str) -> tuple[str, list[float]]:
    """Return a payload and what the model's own XGBoost predicted for it."""
    written = json.loads((MODELS / f"{version}.expected.json").read_text())
    return json.dumps(written["rows"]), written["expected"]


@pytest.mark.parametrize("suffix", [".json", ".ubj", "-xgboost-model"])
@pytest.mark.parametrize("version", ["1.7", "2.1", "3.0", "3.2", "3.4"])
def test_models_of_other_versions_predict_as_their_writer_did(
    tmp_path: Path, version: str, suffix: str
) -> None:
    """4.1: a model of any version predicts as it did where it was written, or is refused with the reason."""
    name = {".json": "model.json", ".ubj": "model.ubj"}.get(suffix, "xgboost-model")
    shutil.copy(MODELS / f"{version}{suffix}", tmp_path / name)
    body, expected = expectations(version)

    if tuple(map(int, version.split("."))) > RUNTIME:
        assert f"was written by XGBoost {version}" in refusal(tmp_path)
        return
    if (version, suffix) == ("1.7", "-xgboost-model"):
        line = refusal(tmp_path)
        assert "is in the binary format that XGBoost 3.1 gave up" in line
        assert f"make convert MODEL={tmp_path / name}" in line
        return
    with running(tmp_path) as server:
        np.testing.assert_allclose(
            scores(server.post(body, "application/json")), np.array(expected, np.float32), rtol=1e-6
        )


@pytest.mark.parametrize("version", ["1.7", "2.1", "3.0", "3.2", "3.4"])
def test_pickles_are_refused_and_never_unpickled(tmp_path: Path, version: str) -> None:
    """4.1: a pickle can run any code: it is named, not read."""
    shutil.copy(MODELS / f"{version}.pkl", tmp_path / "xgboost-model")

    assert "is a pickle, which can run any code and is never unpickled here" in refusal(tmp_path)


def test_a_model_of_a_newer_xgboost_is_refused_unless_a_setting_insists(tmp_path: Path) -> None:
    """Peers load such a model in silence and predict wrongly."""
    model = (saved(BOOSTER, tmp_path) / "model.ubj").read_bytes()
    major, minor = RUNTIME
    newer = model.replace(
        bytes([ord("i"), major, ord("i"), minor]), bytes([ord("i"), major, ord("i"), minor + 1])
    )
    (tmp_path / "model.ubj").write_bytes(newer)

    assert f"written by XGBoost {major}.{minor + 1}" in refusal(tmp_path)
    with running(tmp_path, SERVE_ALLOW_NEWER_MODEL="true") as server:
        assert server.post("1,2").status_code == 200


@pytest.mark.parametrize("name", [*NAMES, "my-model", "version/1/my-model.bin"])
def test_a_model_is_found_by_its_name_or_by_its_bytes(tmp_path: Path, name: str) -> None:
    """4.4, 4.5 and 4.9: beside stray files, hidden ones, code/ and the tarball itself, in a folder below too."""
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    BOOSTER.save_model(tmp_path / "m.json")
    if path.suffix == ".json":
        (tmp_path / "m.json").rename(path)
    else:
        path.write_bytes(BOOSTER.save_raw("ubj"))
        (tmp_path / "m.json").unlink()
    (tmp_path / "code").mkdir()
    saved(BOOSTER, tmp_path / "code")
    (tmp_path / "requirements.txt").write_text("pandas\n")
    (tmp_path / "metadata.json").write_text('{"learner_rate": 1}')
    (tmp_path / ".model.ubj").write_bytes(BOOSTER.save_raw("ubj"))
    (tmp_path / "empty").touch()
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as tarball:
        tarball.add(path, arcname=name)

    with running(tmp_path) as server:
        np.testing.assert_array_equal(
            scores(server.post("1,2")), predictions(BOOSTER, np.array([[1, 2]], np.float32))
        )


def test_a_known_name_wins_over_other_models(tmp_path: Path) -> None:
    """4.9: another file that is a model too is named in a warning, and not loaded."""
    saved(BOOSTER, tmp_path)
    train(numbers(100, 5)).save_model(tmp_path / "old.ubj")

    with running(tmp_path) as server:
        assert server.post("1,2").status_code == 200
    warnings = [event for event in server.events() if event["event"] == "ignored"]
    assert warnings[0]["level"] == "WARNING"
    assert warnings[0]["files"] == {"old.ubj": "a model too, but its name is not one of the known"}


def test_several_models_are_refused(tmp_path: Path) -> None:
    """4.9: which of several is meant is not guessed."""
    saved(BOOSTER, tmp_path)
    BOOSTER.save_model(tmp_path / "model.json")
    unknown = tmp_path / "unknown"
    unknown.mkdir()
    for name in ("a.ubj", "b.ubj"):
        BOOSTER.save_model(unknown / name)

    assert 'holds several models, "model.json", "model.ubj"' in refusal(tmp_path)
    assert 'holds several models, "a.ubj", "b.ubj"' in refusal(unknown)


@pytest.mark.parametrize("name", ["model.ubj", "model.json"])
def test_models_that_are_cut_off_are_refused(tmp_path: Path, name: str) -> None:
    """4.3: XGBoost dies of some of these by a segmentation fault; here each is a line."""
    BOOSTER.save_model(tmp_path / name)
    model = (tmp_path / name).read_bytes()
    for length in (100, 150, len(model) // 2, len(model) - 2, len(model) - 1):
        (tmp_path / name).write_bytes(model[:length])

        assert "is cut off" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\0\0\0\x3f\4\0\0\0", r"is neither JSON nor UBJSON, it starts with b'\x00\x00\x00?"),
        (b"\0\0\0\x3f\4\0\0\0", "make convert MODEL="),
        (b"\x1f\x8b\x08\0", "is an archive: unpack it"),
        (b"PK\3\4", "is an archive: unpack it"),
        (b"import xgboost", "is neither JSON nor UBJSON, it starts with b'import xgboost'"),
        (b'{"features": []}', "is neither JSON nor UBJSON"),
        (b'{"learner": {}, "version": [3, 0, 0]}', "cannot read it"),
    ],
)
def test_what_is_no_model_is_refused_by_name(tmp_path: Path, content: bytes, message: str) -> None:
    """4.3: what lies under a model's name but is none is refused, with what it is and what to do."""
    (tmp_path / "xgboost-model").write_bytes(content)

    assert message in refusal(tmp_path)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    """4.3: what is there instead is listed; what was perhaps meant is named."""
    assert "it is empty" in refusal(tmp_path)
    assert "is no folder" in refusal(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("no model")
    assert 'it holds "notes.txt"' in refusal(tmp_path)
    (tmp_path / "model.tar.gz").write_bytes(b"\x1f\x8b\x08\0")
    assert "model.tar.gz is an archive: unpack it" in refusal(tmp_path)


def test_early_stopping_is_honoured(tmp_path: Path) -> None:
    """A model that was stopped early predicts with its best iteration, unless a setting says with all."""
    features, target = numbers(300, 3, missing=0), np.random.default_rng(0).random(300)
    matrix = xgboost.DMatrix(features, target)
    other = xgboost.DMatrix(
        numbers(100, 3, seed=9, missing=0), np.random.default_rng(1).random(100)
    )
    booster = xgboost.train(
        {"nthread": 1},
        matrix,
        50,
        evals=[(other, "other")],
        early_stopping_rounds=5,
        verbose_eval=False,
    )
    best = booster.predict(matrix, iteration_range=(0, booster.best_iteration + 1))
    body = "\n".join(",".join(map(repr, row)) for row in features.tolist())

    assert not np.array_equal(best, booster.predict(matrix))
    with running(saved(booster, tmp_path)) as server:
        np.testing.assert_array_equal(scores(server.post(body)), best)
    started = next(event for event in server.events() if event["event"] == "started")
    assert started["rounds_that_predict"] == booster.best_iteration + 1 < started["rounds"]
    with running(tmp_path, SERVE_EARLY_STOPPING="false") as server:
        np.testing.assert_array_equal(scores(server.post(body)), booster.predict(matrix))


def test_the_self_test_guards_the_start(tmp_path: Path) -> None:
    """2.6: an artifact's own request must give its own expected reply, or nothing is served."""
    saved(BOOSTER, tmp_path)
    folder = tmp_path / "self-test"
    folder.mkdir()
    (folder / "request.json").write_text("[[1, 2], [3, 4]]")
    expected = predictions(BOOSTER, np.array([[1, 2], [3, 4]], np.float32)).tolist()

    assert "must hold one request.* and one expected.*; it holds 1 and 0" in refusal(tmp_path)
    (folder / "expected.jsonl").write_text(
        "".join(json.dumps({"score": score}) + "\n" for score in expected)
    )
    with running(tmp_path) as server:
        assert server.post("1,2").status_code == 200
    assert (
        next(event for event in server.events() if event["event"] == "started")["self_test_records"]
        == 2
    )
    (folder / "expected.jsonl").write_text(
        "".join(json.dumps({"score": score + 0.001}) + "\n" for score in expected)
    )
    assert "the self-test failed: row 1: expected" in refusal(tmp_path)
    (folder / "expected.jsonl").write_text(json.dumps({"score": expected[0]}) + "\n")
    assert "the self-test failed: 1 predictions are expected, 2 came" in refusal(tmp_path)
    (folder / "expected.jsonl").write_text("nonsense")
    assert "expected a reply of this server" in refusal(tmp_path)
    (folder / "request.json").write_text("[[1]]")
    assert "the self-test failed" in refusal(tmp_path)


def test_the_sample_artifact_is_within_its_bounds() -> None:
    """The committed artifact: at most 300 trees and 1.5 MB, written by the oldest supported XGBoost, with its self-test."""
    artifact = ROOT / "model" / "artifact"
    booster = xgboost.Booster(model_file=artifact / "model.ubj")

    assert booster.num_boosted_rounds() <= 300
    assert (artifact / "model.ubj").stat().st_size <= 1_500_000
    assert b"version[#L\0\0\0\0\0\0\0\x03i\x03i\x02i\0}" in (artifact / "model.ubj").read_bytes()
    assert len((artifact / "self-test" / "request.csv").read_text().splitlines()) == 11
