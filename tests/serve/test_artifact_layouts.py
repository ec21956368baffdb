"""Layouts of the model directory: which file is the model, and which ones qualify it."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.support.artifacts import (
    BOOSTER,
    FEATURES,
    JSON_MODEL,
    MODEL,
    OLD_MODEL,
    OTHER,
    OTHER_MODEL,
    REQUEST,
    SCHEMA,
    SELF_TEST,
)
from tests.support.boosters import predict_with_xgboost
from tests.support.check import check, write_files
from tests.support.responses import scores
from tests.support.server import running

SERVED: dict[str, tuple[dict[str, bytes], str]] = {
    "MLflow": (
        {"MLmodel": b"flavors:\n", "conda.yaml": b"name: x\n", "model.xgb": MODEL},
        "model.xgb",
    ),
    "MLflow, packed with its folder": (
        {"m/MLmodel": b"flavors:\n", "m/input_example.json": b"{}", "m/model.ubj": MODEL},
        "m/model.ubj",
    ),
    "Triton": ({"config.pbtxt": b"", "1/xgboost.json": JSON_MODEL}, "1/xgboost.json"),
    "KServe": ({"model.bst": MODEL}, "model.bst"),
    "MLServer": (
        {"model-settings.json": b'{"name": "m"}', "settings.json": b"{}", "my.json": JSON_MODEL},
        "my.json",
    ),
    "BentoML": ({"model.yaml": b"name: m\n", "saved_model.ubj": MODEL}, "saved_model.ubj"),
    "PySpark": (
        {
            "metadata/part-00000": b'{"class":"xgboost.spark.estimator.SparkXGBRegressorModel"}',
            "metadata/_SUCCESS": b"",
            "metadata/.part-00000.crc": b"crc\0",
            "model/part-00000": JSON_MODEL + b"\n",
            "model/_SUCCESS": b"",
        },
        "model/part-00000",
    ),
    "xgboost4j-spark": (
        {
            "metadata/part-00000": b'{"class":"ml.dmlc.xgboost4j.scala.spark"}',
            "data/XGBoostRegressionModel": MODEL,
        },
        "data/XGBoostRegressionModel",
    ),
    "checkpoints of the built-in algorithm": (
        {
            "checkpoints/xgboost-checkpoint.0": OTHER_MODEL,
            "xgboost-checkpoint.1": OTHER_MODEL,
            "my.ubj": MODEL,
        },
        "my.ubj",
    ),
    "tar on macOS": (
        {
            "._model.ubj": b"\0\5\x16\7",
            ".DS_Store": b"\0\0\0\1Bud1",
            "__MACOSX/art/._model.ubj": b"\0\5\x16\7",
            "__MACOSX/model.ubj": OTHER_MODEL,
            "art/model.ubj": MODEL,
        },
        "art/model.ubj",
    ),
    "a backup": ({"model.ubj": MODEL, "old/model.ubj": OTHER_MODEL}, "model.ubj"),
    "a backup in a packed folder": (
        {"art/model.ubj": MODEL, "art/old/model.ubj": OTHER_MODEL, "art/b.ubj": OTHER_MODEL},
        "art/model.ubj",
    ),
    "upper case": ({"Model.UBJ": MODEL, "b.ubj": OTHER_MODEL}, "Model.UBJ"),
    "the source of a conversion": (
        {"xgboost-model": OLD_MODEL, "xgboost-model.ubj": MODEL},
        "xgboost-model.ubj",
    ),
    "the source of a renamed conversion": (
        {"xgboost-model": OLD_MODEL, "model.ubj": MODEL},
        "model.ubj",
    ),
    "a model.json of Keras": ({"model.json": b'{"class_name": "X"}', "m.bin": MODEL}, "m.bin"),
    "a text file": ({"model.txt": JSON_MODEL}, "model.txt"),
    "a tarball beside its content": ({"model.tar.gz": b"\x1f\x8b\x08\0", "m": MODEL}, "m"),
}


@pytest.mark.parametrize("layout", SERVED)
def test_layouts_of_other_tools_are_served(tmp_path: Path, layout: str) -> None:
    """4.4 and 4.5: The model is found in the layouts of common tools, servers and archives."""
    files, name = SERVED[layout]
    report = check(write_files(tmp_path, {**files, **SELF_TEST}), "--json")

    assert report.error == ""
    assert json.loads(report.output)["model"] == str(tmp_path / name)
    assert json.loads(report.output)["self_test_records"] == 1


REFUSED: dict[str, tuple[dict[str, bytes], str]] = {
    "two versions": (
        {"config.pbtxt": b"", "1/xgboost.json": JSON_MODEL, "2/xgboost.json": JSON_MODEL},
        'contains several models ("1/xgboost.json", "2/xgboost.json"): remove all but one',
    ),
    "two folders": (
        {"a/model.ubj": MODEL, "b/model.ubj": MODEL},
        'contains several models ("a/model.ubj", "b/model.ubj")',
    ),
    "checkpoints only": (
        {"xgboost-checkpoint.0": MODEL, "xgboost-checkpoint.1": MODEL},
        "remove all but one, because they are the checkpoints of one training job",
    ),
    "a model in code": (
        {"code/model.ubj": MODEL},
        '"code/model.ubj" is ignored (in the code directory); save it as model.ubj in ',
    ),
    "a hidden model": ({".model.ubj": MODEL}, '".model.ubj" is ignored (hidden file)'),
    "MLflow with an old model": (
        {"MLmodel": b"flavors:\n", "model.xgb": OLD_MODEL, "requirements.txt": b""},
        "model.xgb is in the binary format that XGBoost 3.1 removed",
    ),
    "an empty model beside another": ({"model.ubj": b"", "b.ubj": MODEL}, "model.ubj is empty"),
    "an empty model beside a standard name": (
        {"model.ubj": b"", "model.json": JSON_MODEL},
        "model.ubj is empty: save the model again",
    ),
    "the same number twice": (
        {"xgboost-model-0": MODEL, "xgboost-model-0.ubj": MODEL, "xgboost-model-1": MODEL},
        'several models with the number 0 ("xgboost-model-0", "xgboost-model-0.ubj")',
    ),
    "the same number with a zero": (
        {"xgboost-model-1.ubj": MODEL, "xgboost-model-01.ubj": MODEL},
        "several models with the number 1",
    ),
}


@pytest.mark.parametrize("layout", REFUSED)
def test_ambiguous_layouts_are_rejected_with_the_fix(tmp_path: Path, layout: str) -> None:
    """4.3: If the model is not certain, the message names the files and what to do."""
    files, message = REFUSED[layout]

    assert message in check(write_files(tmp_path, files)).error


@pytest.mark.parametrize("folder", ["", "art/"])
def test_numbered_files_with_extensions_are_an_ensemble(tmp_path: Path, folder: str) -> None:
    """4.9: `xgboost-model-N`, with or without .ubj or .json, form an ensemble, in numeric order."""
    names = ["xgboost-model-0.json", "xgboost-model-2", "xgboost-model-10.ubj"]
    contents = [JSON_MODEL, OTHER_MODEL, MODEL]
    files = {f"{folder}{name}": content for name, content in zip(names, contents, strict=True)}
    members = [predict_with_xgboost(model, FEATURES) for model in (BOOSTER, OTHER, BOOSTER)]
    report = check(write_files(tmp_path, files), "--json").output

    assert list(json.loads(report)["ensemble"]) == [f"{folder}{name}" for name in names]
    with running(tmp_path) as server:
        np.testing.assert_allclose(
            scores(server.post(json.dumps(FEATURES.tolist()), "application/json")),
            np.mean(np.array(members, np.float64), axis=0),
            rtol=1e-6,
        )


def test_links_to_one_file_are_one_model(tmp_path: Path) -> None:
    """A link to the model, such as `latest`, is not a second model."""
    write_files(tmp_path, {"v3.ubj": MODEL})
    (tmp_path / "latest.ubj").symlink_to("v3.ubj")

    assert check(tmp_path).error == ""


def test_schema_and_self_test_are_read_from_the_folder_of_the_model(tmp_path: Path) -> None:
    """An artifact packed with its own folder has the same schema and self-test as without."""
    self_test = {f"packed/{name}": content for name, content in SELF_TEST.items()}
    files = {"packed/model.ubj": MODEL, "packed/schema.json": SCHEMA, **self_test}
    report = json.loads(check(write_files(tmp_path, files), "--json").output)

    assert [feature["name"] for feature in report["feature_list"]] == ["a", "b", "c"]
    assert not any(feature["missing"] for feature in report["feature_list"])
    assert report["self_test_records"] == 1
    assert report["warnings"] == []


@pytest.mark.parametrize(
    ("model", "schema"), [("1/xgboost.model", "schema.json"), ("a/b/my.bin", "a/schema.json")]
)
def test_schema_and_self_test_of_a_folder_above_are_used_with_a_warning(
    tmp_path: Path, model: str, schema: str
) -> None:
    """If the model's folder has no schema.json or self-test, the nearest one above is used."""
    folder = schema.removesuffix("schema.json")
    self_test = {f"{folder}{name}": content for name, content in SELF_TEST.items()}
    write_files(tmp_path, {model: MODEL, schema: SCHEMA, **self_test})
    report = json.loads(check(tmp_path, "--json").output)
    place = f'used, but not beside the model, "{model}": move it there'

    assert [feature["name"] for feature in report["feature_list"]] == ["a", "b", "c"]
    assert report["self_test_records"] == 1
    assert report["warnings"] == [
        f'"{schema}": {place}',
        f'"{folder}self-test/request.csv", "{folder}self-test/expected.csv": {place}',
    ]


def test_the_nearest_schema_is_used(tmp_path: Path) -> None:
    """If there are several, the schema.json nearest to the model is used, with a warning."""
    write_files(tmp_path, {"art/m.ubj": MODEL, "art/schema.json": SCHEMA, "schema.json": b"[]"})
    report = json.loads(check(tmp_path, "--json").output)

    assert report["feature_list"][0]["name"] == "a"
    assert report["warnings"] == [
        '"schema.json": not used: remove it, because "art/schema.json" is used'
    ]


def test_misplaced_files_and_code_cause_warnings(tmp_path: Path) -> None:
    """A schema.json, self-test or code that is not used is named in a warning at startup."""
    files = {"model.ubj": MODEL, "meta/schema.json": SCHEMA, "code/inference.py": b"import os\n"}
    write_files(tmp_path, {**files, "x/self-test/request.csv": REQUEST})
    with running(tmp_path) as server:
        assert server.post("1,2,3").status_code == 200
    logged = [event["warning"] for event in server.events() if event["event"] == "model warning"]
    warnings = json.loads(check(tmp_path, "--json").output)["warnings"]

    assert logged == warnings
    assert '"meta/schema.json": not used: move it beside the model, "model.ubj"' in warnings
    assert any(line.startswith('"x/self-test/request.csv": not used: ') for line in warnings)
    assert any(line.startswith('"code/inference.py": not run, ') for line in warnings)


def test_a_schema_in_another_case_is_rejected(tmp_path: Path) -> None:
    """A file called Schema.json would be used on macOS but not on Linux, so it is rejected."""
    write_files(tmp_path, {"model.ubj": MODEL, "Schema.json": SCHEMA})

    assert "Schema.json: rename it to schema.json" in check(tmp_path).error


KEPT_ASIDE: dict[str, dict[str, bytes]] = {
    "a dump named model.json": {
        "model.json": BOOSTER.get_dump(dump_format="json")[0].encode(),
        "model.ubj": MODEL,
    },
    "a dump beside another name": {"model.json": b'[{"nodeid": 0}]', "my.ubj": MODEL},
    "a model of LightGBM": {"model.json": b'{"name": "tree", "version": "v4"}', "x.ubj": MODEL},
    "the archive of a standard name": {"xgboost-model": b"\x1f\x8b\x08\0", "model.ubj": MODEL},
}


@pytest.mark.parametrize("kind", KEPT_ASIDE)
def test_files_that_cannot_be_meant_do_not_hide_the_model(tmp_path: Path, kind: str) -> None:
    """4.4: A file with a standard name that is certainly not the model is ignored beside it."""
    report = json.loads(check(write_files(tmp_path, KEPT_ASIDE[kind]), "--json").output)

    assert report["model"].endswith(".ubj")


def test_a_member_of_an_ensemble_is_never_dropped(tmp_path: Path) -> None:
    """4.9: A numbered file that is not a model is an error, because the mean would lack it."""
    files = {f"xgboost-model-{number}.json": JSON_MODEL for number in range(3)}
    write_files(tmp_path, {**files, "xgboost-model-1.json": b'[{"nodeid": 0}]'})

    assert "xgboost-model-1.json is a JSON dump of trees" in check(tmp_path).error


LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n"


@pytest.mark.parametrize("name", ["schema.json", "self-test/request.csv", "self-test/expected.csv"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (LFS_POINTER, "is a git-LFS pointer, not the file itself: replace it, or remove it"),
        (b"<!DOCTYPE html><html>", "is an HTML page, such as of a failed download: replace it"),
        (b"", "is empty: replace it, or remove it"),
    ],
)
def test_damaged_files_beside_the_model_are_named(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    """4.3: A schema.json or self-test that is a pointer or a web page is named for what it is."""
    files = {"model.ubj": MODEL, "schema.json": SCHEMA, **SELF_TEST, name: content}

    assert f"{tmp_path}/{name} {message}" in check(write_files(tmp_path, files)).error


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_of_a_schema(tmp_path: Path, encoding: str) -> None:
    """A schema.json that Windows wrote, with a byte order mark or in UTF-16, is accepted."""
    schema = SCHEMA.decode().encode(encoding)

    assert check(write_files(tmp_path, {"model.ubj": MODEL, "schema.json": schema})).error == ""
