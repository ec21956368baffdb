"""`make schema` writes schema.json from a model and a sample, as far as it is certain."""

import gzip
import io
import json
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from model.schema.__main__ import main
from tests.support.boosters import predict_with_xgboost, save_artifact, train
from tests.support.check import Outcome, check
from tests.support.described_models import (
    LEVELS,
    MATRIX,
    MODELS,
    SPECIES,
    TOTAL,
    Described,
    categorical,
    describe,
    multi_class,
    regression,
    without_names,
)
from tests.support.server import running


def write_schema(*arguments: str | Path) -> Outcome:
    """Run the command in this process; the error is empty if it succeeded."""
    output, error = io.StringIO(), ""
    with redirect_stdout(output):
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as exit_:
            error = str(exit_.code)
    return Outcome(output.getvalue(), error)


def read_schema(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "schema.json").read_text())
    return document


def describe_expected(described: Described) -> list[dict[str, Any]]:
    """Return what the sample itself says of each column, computed by pandas."""
    expected = []
    for name, column in described.frame.items():
        entry: dict[str, Any] = {"name": name, "missing": bool(column.isna().any())}
        if isinstance(column.dtype, pd.CategoricalDtype):
            entry["categories"] = list(column.cat.categories)
        elif column.dtype != bool:
            # A float32 as pandas writes it.
            entry["range"] = [float(str(column.min())), float(str(column.max()))]
        expected.append(entry)
    return expected


@pytest.mark.parametrize("kind", MODELS)
def test_ten_models(kind: str, tmp_path: Path) -> None:
    """The schema has the sample's names, labels, ranges and gaps, and passes `check`."""
    described = describe(kind, tmp_path)
    folder, sample = described.save(tmp_path)
    outcome = write_schema(folder, sample, "--target", "target")
    assert outcome.error == ""
    features = read_schema(folder)["features"]
    report = check(folder, "--json")

    for feature, expected in zip(features, describe_expected(described), strict=True):
        assert {key: feature.get(key) for key in expected} == expected
        assert feature["description"] == ""
    assert read_schema(folder)["prediction"].get("classes", []) == described.classes
    assert report.error == ""
    reported = json.loads(report.output)
    assert [feature["name"] for feature in reported["feature_list"]] == list(described.frame)
    assert [feature["missing"] for feature in reported["feature_list"]] == [
        feature["missing"] for feature in features
    ]


@pytest.mark.parametrize("kind", MODELS)
def test_without_a_sample(kind: str, tmp_path: Path) -> None:
    """Without a sample, the schema has what the model contains, and passes `check`."""
    described = describe(kind, tmp_path)
    folder, _ = described.save(tmp_path)
    outcome = write_schema(folder)
    if kind == "categorical":  # XGBoost before 3.4 truncated the labels
        assert outcome.error == "" or "set SAMPLE to a file with all of them" in outcome.error
        return
    features = read_schema(folder)["features"]

    assert outcome.error == ""
    assert check(folder).error == ""
    assert [feature.get("name") for feature in features] == (
        list(described.frame) if described.names else [None] * 3
    )
    assert all(feature["missing"] for feature in features)
    assert not any("range" in feature for feature in features)
    assert "which values may be missing, and the ranges of numbers: set SAMPLE" in outcome.output
    classes = list(range(len(described.classes)))
    assert read_schema(folder)["prediction"].get("classes", []) == classes


def test_served_predictions_are_unchanged(tmp_path: Path) -> None:
    """A server with the written schema predicts the sample's own rows as XGBoost does."""
    described = categorical()
    folder, sample = described.save(tmp_path)
    write_schema(folder, sample, "--target", "target")
    payload = described.frame.to_csv(index=False)
    with running(folder) as server:
        response = server.post(payload)

    expected = predict_with_xgboost(described.booster, described.frame)
    np.testing.assert_array_equal(np.array(response.text.split(), np.float32), expected)


def save_classifier(folder: Path, target: list[str], noise: float = 0) -> tuple[Path, Path]:
    """Save a model of three classes, and a sample with these texts for its codes."""
    codes = LEVELS
    if noise:
        codes = np.random.default_rng(1).permutation(LEVELS)
    booster = train(MATRIX, codes, objective="multi:softprob", num_class=3, names=list("abc"))
    labels = [target[code] for code in LEVELS]
    return Described(booster, pd.DataFrame(MATRIX, columns=list("abc")), labels).save(folder)


def test_sorted_classes_are_confirmed(tmp_path: Path) -> None:
    """Sorted labels are the classes if the predictions confirm them, and the report says so."""
    folder, sample = multi_class().save(tmp_path)
    outcome = write_schema(folder, sample, "--target", "target")

    assert read_schema(folder)["prediction"]["classes"] == SPECIES
    assert '0 is "setosa", 1 is "versicolor", 2 is "virginica": the sorted' in outcome.output


def test_other_order_of_classes(tmp_path: Path) -> None:
    """Labels that training did not sort get the order that the predictions show."""
    folder, sample = save_classifier(tmp_path, ["low", "middle", "high"])
    outcome = write_schema(folder, sample, "--target", "target")

    assert read_schema(folder)["prediction"]["classes"] == ["low", "middle", "high"]
    assert 'not the sorted labels of "target"' in outcome.output


def test_uncertain_classes(tmp_path: Path) -> None:
    """If the predictions do not show which label is which, the classes remain codes."""
    folder, sample = save_classifier(tmp_path, SPECIES, noise=1)
    outcome = write_schema(folder, sample, "--target", "target")

    assert read_schema(folder)["prediction"]["classes"] == [0, 1, 2]
    assert 'write "classes": ["setosa", "versicolor", "virginica"]' in outcome.output


def test_too_few_labels(tmp_path: Path) -> None:
    """A sample without some class names none, because codes could be skipped."""
    folder, sample = save_classifier(tmp_path, ["a", "b", "b"])
    outcome = write_schema(folder, sample, "--target", "target")

    assert read_schema(folder)["prediction"]["classes"] == [0, 1, 2]
    assert 'the model has 3, but "target" contains 2 labels: "a", "b"' in outcome.output


def test_numeric_labels_are_sorted_as_numbers(tmp_path: Path) -> None:
    """Labels that are numbers are sorted as numbers, as LabelEncoder sorts them."""
    folder, sample = save_classifier(tmp_path, ["2", "10", "33"])
    write_schema(folder, sample, "--target", "target")

    assert read_schema(folder)["prediction"]["classes"] == [2, 10, 33]


def test_codes_do_not_replace_names(tmp_path: Path) -> None:
    """Names that a person wrote remain if the target contains only codes, here in column "1"."""
    booster = train(MATRIX, LEVELS, objective="multi:softprob", num_class=3, names=list("abc"))
    frame = pd.DataFrame(MATRIX, columns=list("abc"))
    folder, sample = Described(booster, frame, list(LEVELS)).save(tmp_path)
    sample.write_text(sample.read_text().replace("target", "1", 1))
    (folder / "schema.json").write_text(json.dumps({"prediction": {"classes": SPECIES}}))
    write_schema(folder, sample, "--target", "1", "--force")

    prediction = read_schema(folder)["prediction"]
    assert (prediction["name"], prediction["classes"]) == ("1", SPECIES)


def test_independent_labels(tmp_path: Path) -> None:
    """Labels that are predicted independently of each other may have names, as classes have."""
    labels = np.stack([TOTAL > 0, MATRIX[:, 0] > 0], axis=1).astype(int)
    booster = train(MATRIX, labels, objective="binary:logistic", names=list("abc"))
    folder = save_artifact(booster, tmp_path / "model")
    outcome = write_schema(folder)
    document = read_schema(folder)
    document["prediction"]["classes"] = ["large", "right"]
    (folder / "schema.json").write_text(json.dumps(document))

    assert "the names of the 2 labels, each with a probability: add" in outcome.output
    assert check(folder).error == ""
    assert "the names of the 2 labels" not in write_schema(folder, "--force").output
    assert read_schema(folder)["prediction"]["classes"] == ["large", "right"]


def test_an_existing_schema_is_kept(tmp_path: Path) -> None:
    """Without --force, an existing schema.json is not replaced."""
    folder, sample = regression().save(tmp_path)
    (folder / "schema.json").write_text('{"libsvm_base": 1}')
    error = write_schema(folder, sample).error

    assert f"{folder / 'schema.json'} exists: set FORCE=yes" in error
    assert read_schema(folder) == {"libsvm_base": 1}


def test_force_keeps_what_a_person_wrote(tmp_path: Path) -> None:
    """With --force, inferred keys are replaced; what only a person can know remains."""
    folder, sample = regression().save(tmp_path)
    features = [
        {"name": "a", "description": "weight", "unit": "kg", "range": [0, 1], "missing": True},
        {"name": "b", "missing_value": -1},
        {"name": "c"},
    ]
    target = {"name": "old", "unit": "US dollars", "description": "price"}
    document = {"features": features, "prediction": target, "libsvm_base": 1}
    (folder / "schema.json").write_text(json.dumps(document))
    outcome = write_schema(folder, sample, "--target", "target", "--force")
    schema = read_schema(folder)

    assert f"\nReplaced {folder / 'schema.json'}: " in outcome.output
    first, second, _ = schema["features"]
    assert (first["description"], first["unit"], first["missing"]) == ("weight", "kg", False)
    assert first["range"] == [float(str(MATRIX[:, 0].min())), float(str(MATRIX[:, 0].max()))]
    assert second["missing_value"] == -1
    assert second["missing"] == bool((MATRIX[:, 1] == -1).any())
    assert schema["libsvm_base"] == 1
    assert schema["prediction"] == {**target, "name": "target"}


@pytest.mark.parametrize("form", ["gzip", "semicolon", "no-header", "shuffled"])
def test_forms_of_a_sample(form: str, tmp_path: Path) -> None:
    """Gzip, other delimiters, and columns in another order give the same schema."""
    described = multi_class()
    folder, sample = described.save(tmp_path)
    write_schema(folder, sample, "--target", "target")
    expected = read_schema(folder)
    frame = described.frame.assign(target=described.target)
    target = "target"
    if form == "gzip":
        sample.write_bytes(gzip.compress(sample.read_bytes()))
    elif form == "semicolon":
        sample.write_text("\ufeff" + frame.to_csv(index=False, sep=";", lineterminator="\r\n"))
    elif form == "no-header":
        frame[["target", "a", "b", "c"]].to_csv(sample, index=False, header=False)
        target = "1"
    else:
        frame.assign(id=range(len(frame)))[["c", "id", "target", "b", "a"]].to_csv(sample)
    outcome = write_schema(folder, sample, "--target", target, "--force")

    assert outcome.error == ""
    assert read_schema(folder) == expected
    assert ('add "ignore": ["", "id"] at the top' in outcome.output) == (form == "shuffled")


def test_texts_that_pandas_reads_as_missing(tmp_path: Path) -> None:
    """NA counts as missing, as in training with pandas, and the report says what to send."""
    folder, sample = regression().save(tmp_path)
    lines = sample.read_text().splitlines()
    sample.write_text("\n".join([*lines, "1,NA,2,3"]))
    outcome = write_schema(folder, sample, "--target", "target")

    assert [feature["missing"] for feature in read_schema(folder)["features"]] == [
        False,
        True,
        False,
    ]
    assert 'missing values written as "NA": the server reads only a blank cell' in outcome.output


def test_numbers_that_may_mean_missing(tmp_path: Path) -> None:
    """-999 is reported, because no model says whether it means missing."""
    folder, sample = regression().save(tmp_path)
    sample.write_text(sample.read_text() + "1,-999,2,3\n" * 2)
    outcome = write_schema(folder, sample, "--target", "target")

    assert 'column "b": -999 occurs 2 times: if training took it for a missing' in outcome.output


def test_codes_without_labels(tmp_path: Path) -> None:
    """Labels that the model does not contain are proposed, but not written."""
    codes = np.column_stack([MATRIX[:, 0], LEVELS]).astype(np.float32)
    booster = train(codes, TOTAL + LEVELS, names=["a", "cut"], types=["float", "c"])
    cuts = [["Fair", "Good", "Ideal"][level] for level in LEVELS]
    frame = pd.DataFrame({"a": MATRIX[:, 0], "cut": cuts})
    folder, sample = Described(booster, frame, list(TOTAL)).save(tmp_path)
    outcome = write_schema(folder, sample, "--target", "target")
    cut = read_schema(folder)["features"][1]

    assert "categories" not in cut
    assert cut["codes"] <= 3
    assert 'pandas sorts them by default: "Fair", "Good", "Ideal"' in outcome.output
    assert check(folder).error == ""


@pytest.mark.parametrize(
    ("header", "target", "message"),
    [
        ("a,b,c,target", "Target", "TARGET=Target: not a column of"),
        ("a,b,c,target", "a", "TARGET=a: this is a feature of the model"),
        ("a,B,c,target", "target", 'no column "b", which is a feature of the model'),
        ("a,b,b,target", "target", 'repeated columns: "b"'),
        ("1,2,3,4", "target", "has no header: expected 3 columns, in the model's order"),
        ("a,b,c,target\n1,2", "target", "line 2: expected 4 cells, as in the first line, got 2"),
        ("a,b,c,target", None, "the sample has no records"),
        ("", None, "expected a CSV file with a header"),
    ],
)
def test_samples_that_do_not_fit(
    header: str, target: str | None, message: str, tmp_path: Path
) -> None:
    """A sample that does not fit the model is one line that says what to change."""
    folder, sample = regression().save(tmp_path)
    sample.write_text(f"{header}\n")
    outcome = write_schema(folder, sample, *(["--target", target] if target else []))

    assert message in outcome.error
    assert len(outcome.error.splitlines()) == 1
    assert not (folder / "schema.json").exists()


def test_columns_for_a_model_without_names(tmp_path: Path) -> None:
    """For a model without names, other columns than its features are an error."""
    folder, sample = without_names(tmp_path).save(tmp_path)
    frame = pd.read_csv(sample)

    assert "set TARGET to the column that the model predicts" in write_schema(folder, sample).error
    frame.assign(id=1).to_csv(sample, index=False)
    message = write_schema(folder, sample, "--target", "target").error
    assert 'the sample 4 columns ("a", "b", "c", "id"): remove the columns' in message
    frame.assign(a="text").to_csv(sample, index=False)
    message = write_schema(folder, sample, "--target", "target").error
    assert 'would reject 200 of 200 rows: row 1, column "a": expected a number' in message
    assert not (folder / "schema.json").exists()


def test_a_sample_without_records_of_a_label(tmp_path: Path) -> None:
    """Labels that XGBoost truncated are only taken from a sample that has all of them."""
    described = categorical()
    folder, sample = described.save(tmp_path)
    pd.read_csv(sample).query("city != 'Lima'").to_csv(sample, index=False)
    outcome = write_schema(folder, sample)

    if outcome.error:  # XGBoost before 3.4
        assert "the model contains only parts of its 3 labels" in outcome.error
        assert "the sample has 2 labels" in outcome.error
    else:
        assert read_schema(folder)["features"][3]["categories"] == ["Köln", "Lima", "東京"]


def test_next_to_an_ensemble(tmp_path: Path) -> None:
    """One schema.json is written for all models of an ensemble."""
    described = regression()
    folder, sample = described.save(tmp_path)
    (folder / "model.ubj").rename(folder / "xgboost-model-0")
    described.booster.save_model(folder / "m.ubj")
    (folder / "m.ubj").rename(folder / "xgboost-model-1")

    assert write_schema(folder, sample, "--target", "target").error == ""
    assert check(folder).error == ""


def test_the_model_is_in_a_folder_of_its_own(tmp_path: Path) -> None:
    """schema.json is written beside the model, where the server reads it."""
    described = regression()
    _, sample = described.save(tmp_path)
    save_artifact(described.booster, tmp_path / "outer" / "inner")
    write_schema(tmp_path / "outer", sample, "--target", "target")

    assert "warning" not in check(tmp_path / "outer").output
    assert (tmp_path / "outer" / "inner" / "schema.json").exists()
