"""Names that are nearly those of schema.json and of the self-test."""

import json
from pathlib import Path

import pytest

from tests.support.artifacts import EXPECTED, MODEL, REQUEST, SCHEMA, SELF_TEST
from tests.support.check import check, write_files


def read_warnings(folder: Path, files: dict[str, bytes]) -> list[str]:
    """Return the warnings of `check`, except that the columns have no names."""
    report = check(write_files(folder, files), "--json")

    assert report.error == ""
    return [line for line in json.loads(report.output)["warnings"] if "no names" not in line]


@pytest.mark.parametrize(
    "name",
    [
        "shema.json",
        "schema.json.txt",
        "schema (1).json",
        "schema.jsn",
        "model.schema.json",
        "Schema.Json.TXT",
        "schemas.json",
        "scheme.json",
        "schema",
        "schema - Copy.json",
        "schema_v2.json",
        "schema.json.bak",
        "schema.json~",
        "schema.json.gz",
        "model-schema.json",
        "meta/sechma.json",
    ],
)
def test_names_like_schema_json_cause_a_warning(tmp_path: Path, name: str) -> None:
    """A file whose name is nearly schema.json is named in a warning, with the right name."""
    warnings = read_warnings(tmp_path, {"model.ubj": MODEL, name: SCHEMA})

    assert warnings == [f'"{name}": not used: rename it to schema.json, or remove it']


def test_the_name_of_the_model_before_schema_json(tmp_path: Path) -> None:
    """A schema named after the model, as in my.schema.json, causes the warning too."""
    warnings = read_warnings(tmp_path, {"my.ubj": MODEL, "my.schema.json": SCHEMA})

    assert warnings == ['"my.schema.json": not used: rename it to schema.json, or remove it']


def test_a_second_schema_causes_a_warning(tmp_path: Path) -> None:
    """Beside a schema.json that is used, a file with a similar name is to be removed."""
    files = {"model.ubj": MODEL, "schema.json": SCHEMA, "schema (1).json": SCHEMA}

    assert read_warnings(tmp_path, files) == [
        '"schema (1).json": not used: remove it, because "schema.json" is used'
    ]


@pytest.mark.parametrize(
    "names",
    [
        ["self_test/request.csv", "self_test/expected.csv"],
        ["selftest/request.csv", "selftest/expected.csv"],
        ["Self-Test/request.csv", "Self-Test/expected.csv"],
        ["self-tests/request.csv", "self-tests/expected.csv"],
        ["self test/request.csv", "self test/expected.csv"],
        ["slef-test/request.csv", "slef-test/expected.csv"],
        ["self-test/Request.csv", "self-test/Expected.csv"],
        ["self-test/input.csv", "self-test/output.csv"],
        ["self-test/sub/request.csv", "self-test/sub/expected.csv"],
        ["self-test"],
        ["self-test.zip"],
        ["art/selftest/request.csv"],
    ],
)
def test_names_like_self_test_cause_a_warning(tmp_path: Path, names: list[str]) -> None:
    """Files that seem to be a self-test, but are not used, are named with the right names."""
    files = {name: REQUEST if "req" in name.lower() else EXPECTED for name in names}
    warnings = read_warnings(tmp_path, {"model.ubj": MODEL, **files})

    assert len(warnings) == 1
    assert all(f'"{name}"' in warnings[0] for name in names)
    assert "not used: name the folder self-test, and its files request.csv and exp" in warnings[0]


def test_half_a_self_test_is_an_error_for_any_name(tmp_path: Path) -> None:
    """A request whose response is misspelled is an error, because the test was meant to run."""
    files = {"self-test/request.csv": REQUEST, "self-test/Expected.csv": EXPECTED}
    error = check(write_files(tmp_path, {"model.ubj": MODEL, **files})).error

    assert "expected one request.* and one expected.* file, found 1 and 0" in error


def test_another_request_causes_a_warning(tmp_path: Path) -> None:
    """A further request in self-test/ is not used, and named in a warning."""
    files = {"model.ubj": MODEL, **SELF_TEST, "self-test/request-2.csv": REQUEST}

    assert read_warnings(tmp_path, files) == [
        '"self-test/request-2.csv": not used: remove it, because "self-test/request.csv" is used'
    ]


OTHER_FILES = """
MLmodel input_example.json serving_input_example.json conda.yaml signature.json input_schema.json
output_schema.json feature_schema.json data.schema.json schema.yaml schema.pbtxt schema.avsc
schema.sql schema.py schema.md schema.json.sha256 metadata.json config.json scaler.json
schedule.json sketch.json features.json test/request.csv tests/test_request.csv unit-test/x.csv
smoke-test/request.csv self/x.csv request.csv expected.csv self-test/README.md self_test.py
code/requirements.txt code/selftest/request.csv code/shema.json .schema.json.swp ._shema.json
"""


def test_names_of_other_files_cause_no_warning(tmp_path: Path) -> None:
    """Files of other tools, whose names only resemble, cause no warning."""
    others = dict.fromkeys(OTHER_FILES.split(), b"{}")

    assert read_warnings(tmp_path, {"model.ubj": MODEL, **SELF_TEST, **others}) == []


def test_a_schema_above_an_ensemble_is_named_once(tmp_path: Path) -> None:
    """The warning for a schema.json above the models of an ensemble names it once."""
    files = {"m/xgboost-model-0": MODEL, "m/xgboost-model-1": MODEL, "schema.json": SCHEMA}

    assert read_warnings(tmp_path, files) == [
        '"schema.json": used, but not beside the model, "m/xgboost-model-0": move it there'
    ]


@pytest.mark.parametrize("place", ["schema.json", "schema.json/x", "m/schema.json", "../schema"])
def test_a_folder_named_schema_json(tmp_path: Path, place: str) -> None:
    """4.3: A folder with the name of schema.json, or a link to one, is an error in words."""
    write_files(tmp_path, {"m/model.ubj": MODEL})
    if place.startswith(".."):
        (tmp_path / "folder").mkdir()
        (tmp_path / "schema.json").symlink_to("folder")
    else:
        (tmp_path / place).mkdir(parents=True)
    error = check(tmp_path).error

    assert "schema.json is a " in error
    assert "director" in error
    assert ": replace it with the " in error
    assert "Errno" not in error
