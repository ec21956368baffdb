"""The numbered names of an ensemble, and members that got lost."""

import gzip
import json
import pickle
from pathlib import Path

import pytest

from tests.support.artifacts import BOOSTER, JSON_MODEL, MODEL, OLD_MODEL, OTHER_MODEL
from tests.support.check import check, write_files
from tests.support.server import running

PICKLE = pickle.dumps(BOOSTER)
TWO = {"xgboost-model-0.ubj": MODEL, "xgboost-model-1.ubj": OTHER_MODEL}
MEMBER = "by its name, it belongs to the ensemble"

LOST: dict[str, tuple[dict[str, bytes], str]] = {
    "a pickle beside one model": (
        {"xgboost-model-0.ubj": MODEL, "xgboost-model-1.pkl": PICKLE},
        "xgboost-model-1.pkl is a pickle",
    ),
    "a compressed model beside one model": (
        {"xgboost-model-0": MODEL, "xgboost-model-1.ubj.gz": gzip.compress(MODEL)},
        "xgboost-model-1.ubj.gz is a model compressed with gzip: decompress it",
    ),
    "a pickle beside an ensemble": (
        {**TWO, "xgboost-model-2.pkl": PICKLE},
        "xgboost-model-2.pkl is a pickle",
    ),
    "an old binary model": ({**TWO, "xgboost-model-2.bin": OLD_MODEL}, "is in the binary format"),
    "the first member": (
        {"xgboost-model-0.joblib": PICKLE, "xgboost-model-1": MODEL, "xgboost-model-2": MODEL},
        "xgboost-model-0.joblib is a pickle",
    ),
    "unknown bytes": (
        {**TWO, "xgboost-model-2.bin": b"\x01\x02\x7f" * 99},
        "xgboost-model-2.bin: ",
    ),
    "an empty file": ({**TWO, "xgboost-model-2.bst": b""}, "xgboost-model-2.bst is empty"),
    "a dump": (
        {**TWO, "xgboost-model-2.txt": BOOSTER.get_dump()[0].encode()},
        "xgboost-model-2.txt is a text dump of trees",
    ),
    "in folders": (
        {"a/xgboost-model-0": MODEL, "b/xgboost-model-1": MODEL, "c/xgboost-model-2.pkl": PICKLE},
        "c/xgboost-model-2.pkl is a pickle",
    ),
    "in a packed folder": (
        {"art/xgboost-model-0": MODEL, "art/xgboost-model-1.pkl": PICKLE},
        "art/xgboost-model-1.pkl is a pickle",
    ),
}


@pytest.mark.parametrize("layout", LOST)
def test_members_that_are_not_models_are_rejected(tmp_path: Path, layout: str) -> None:
    """4.9: A file with a member's number that is not a model is an error, for any extension."""
    files, message = LOST[layout]
    error = check(write_files(tmp_path, files)).error

    assert message in error
    assert error.endswith(MEMBER)


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        (["xgboost-model-0", "xgboost-model-2"], '"xgboost-model-1"'),
        (["xgboost-model-1.ubj", "xgboost-model-4.ubj"], '"xgboost-model-2", "xgboost-model-3"'),
        (["xgboost-model-2", "xgboost-model-3"], '"xgboost-model-1"'),
        (["xgboost-model-2.ubj"], '"xgboost-model-1"'),
        (
            ["xgboost-model-0", "xgboost-model-1", "xgboost-model-2.metrics.json"],
            '"xgboost-model-2"',
        ),
        (["xgboost-model-0", "xgboost-model-1.dvc"], '"xgboost-model-1"'),
        (["xgboost-model-0", "xgboost-model-1", "xgboost-model-2.ubj.bak"], '"xgboost-model-2"'),
    ],
)
def test_a_gap_in_the_numbers_causes_a_warning(
    tmp_path: Path, names: list[str], missing: str
) -> None:
    """A number that no model has, although a higher one exists, is named in a warning."""
    contents = {".json": b'{"rmse": 1}', ".dvc": b"outs:\n- md5: 1\n"}
    files = {name: contents.get(Path(name).suffix, MODEL) for name in names}
    report = json.loads(check(write_files(tmp_path, files), "--json").output)

    assert report["warnings"][0].startswith(f"no model is named {missing}: if it belongs to the ")


def test_a_gap_is_logged_at_startup(tmp_path: Path) -> None:
    """The server starts with a gap, and logs it."""
    write_files(tmp_path, {"xgboost-model-0": MODEL, "xgboost-model-2": OTHER_MODEL})
    with running(tmp_path) as server:
        assert server.post("1,2,3").status_code == 200
    logged = [event["warning"] for event in server.events() if event["event"] == "model warning"]

    assert logged[0].startswith('no model is named "xgboost-model-1"')


@pytest.mark.parametrize(
    "files",
    [
        TWO,
        {"xgboost-model-1": MODEL, "xgboost-model-2": MODEL, "xgboost-model-3": MODEL},
        {"xgboost-model-0": MODEL},
        {"xgboost-model-1": MODEL},
        {"xgboost-model-20250131": MODEL, "xgboost-model-20250228": MODEL},
        {**TWO, "xgboost-model-1.pkl": PICKLE, "xgboost-model-0.metrics.json": b"{}"},
        {"xgboost-model-0.ubj": MODEL, "xgboost-model-0.pkl": PICKLE},
        {"model.ubj": MODEL, "xgboost-model-1.pkl": PICKLE},
        {**TWO, "old/xgboost-model-5.pkl": PICKLE},
    ],
    ids=[
        "from 0",
        "from 1",
        "only 0",
        "only 1",
        "dates",
        "sources",
        "source",
        "standard",
        "backup",
    ],
)
def test_complete_ensembles_cause_no_warning(tmp_path: Path, files: dict[str, bytes]) -> None:
    """Numbers from 0 or 1 without gaps are complete; other files of these numbers do not matter."""
    report = json.loads(check(write_files(tmp_path, files), "--json").output)

    assert not [line for line in report["warnings"] if "xgboost-model" in line]


@pytest.mark.parametrize("extension", [".bin", ".bst", ".model", ".pkl"])
def test_members_with_other_extensions(tmp_path: Path, extension: str) -> None:
    """4.9: A model with a number and another extension is a member of the ensemble."""
    report = check(write_files(tmp_path, {**TWO, f"xgboost-model-2{extension}": MODEL}), "--json")

    assert list(json.loads(report.output)["ensemble"]) == [*TWO, f"xgboost-model-2{extension}"]


def test_the_same_number_in_two_folders_is_rejected(tmp_path: Path) -> None:
    """4.3: Two models with the same number are versions, not the members of an ensemble."""
    write_files(tmp_path, {"1/xgboost-model-0": MODEL, "2/xgboost-model-0": JSON_MODEL})

    assert "contains several models" in check(tmp_path).error


def test_a_setting_declares_a_single_model(tmp_path: Path) -> None:
    """With SAGEMAKER_INFERENCE_ENSEMBLE=false, a numbered pickle does not belong to the model."""
    write_files(tmp_path, {"xgboost-model-0.ubj": MODEL, "xgboost-model-1.pkl": PICKLE})
    with running(tmp_path, SAGEMAKER_INFERENCE_ENSEMBLE="false") as server:
        assert server.post("1,2,3").status_code == 200
