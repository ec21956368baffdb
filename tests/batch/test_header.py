"""A header line in the input of a batch transform job."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xgboost

from tests.support.batch_jobs import (
    LINES,
    RecordingContainer,
    read_output,
    run_batch,
    run_container,
    write_input,
)
from tests.support.boosters import predict_with_xgboost, random_features, save_artifact, train
from tests.support.diamonds import ARTIFACT, CSV, NAMES, ROWS, expected
from tests.support.server import Server, running

DEBTOR_NAMES = ["age", "income", "debt", "years"]


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_header_with_the_names_is_repeated(diamonds: Server, tmp_path: Path, line_end: str) -> None:
    """By default a header with the model's names is sent with every payload, in any order."""
    lines = [",".join(reversed(row)) for row in (NAMES, *ROWS * 3_000)]
    source = write_input(tmp_path, line_end.join(lines) + line_end)
    outcome = run_batch(source, "--endpoint", diamonds.url, "--max-payload-in-mb", "1")

    assert outcome.returncode == 0, outcome.stderr
    assert "in 2 mini-batches:" in outcome.stdout
    assert "Header with the model's column names" in outcome.stderr
    np.testing.assert_array_equal(
        np.array(read_output(source), dtype=np.float32), np.tile(expected(), 3_000)
    )


def test_header_with_other_names_is_an_error(diamonds: Server, tmp_path: Path) -> None:
    """A header with other names stops the job with the names before any payload (5.5)."""
    source = write_input(tmp_path, ",".join([*NAMES[:-1], "price"]) + "\n" + CSV)
    outcome = run_batch(source, "--endpoint", diamonds.url)

    assert outcome.returncode == 1
    assert 'does not match the model\'s columns: missing column "z"' in outcome.stderr
    assert 'unknown column "price"' in outcome.stderr
    assert list(tmp_path.iterdir()) == [source]


def test_header_requires_a_mode_without_names(tmp_path: Path) -> None:
    """If the model or the container has no names to compare, the job asks for a mode (5.5)."""
    artifact = save_artifact(train(random_features(60, 2)), tmp_path / "model")
    source = write_input(tmp_path, "a,b\n0.5,1.5\n")
    unnamed = run_batch(source, "--folder", str(artifact))
    with run_container(RecordingContainer()) as container:
        unreported = run_batch(source, "--endpoint", container.url)

    for outcome, reason in ((unnamed, "no column names"), (unreported, "does not check")):
        assert outcome.returncode == 1
        assert reason in outcome.stderr
        for choice in ("HEADER=drop", "HEADER=repeat", "HEADER=send"):
            assert choice in outcome.stderr
    assert not source.with_name("rows.csv.out").exists()


def test_numbered_columns_and_records_of_text(tmp_path: Path) -> None:
    """0,1,2,… are the names of a matrix in pandas; a record of labels is not a header."""
    features = random_features(60, 4, missing=0)
    numbered = train(features, names=list("0123"))
    cities = pd.DataFrame({"city": pd.Categorical(["Lima", "Rome"] * 30)})
    by_city = train(cities)
    frame = pd.DataFrame(features[:3])
    source = write_input(tmp_path, frame.to_csv(index=False))
    outcome = run_batch(source, "--folder", str(save_artifact(numbered, tmp_path / "numbered")))
    city_source = write_input(tmp_path, "Lima\nRome\n", "cities.csv")
    city = run_batch(city_source, "--folder", str(save_artifact(by_city, tmp_path / "cities")))

    assert outcome.returncode == 0, outcome.stderr
    assert city.returncode == 0, city.stderr
    np.testing.assert_array_equal(
        np.array(read_output(source), np.float32), predict_with_xgboost(numbered, features[:3])
    )
    np.testing.assert_array_equal(
        np.array(read_output(city_source), np.float32), predict_with_xgboost(by_city, cities[:2])
    )


def test_names_that_float_accepts_are_a_header(tmp_path: Path) -> None:
    """2019_2020 is a name, as it is for the server, although Python's float() accepts it."""
    outcome = run_batch(write_input(tmp_path, "2019_2020,2021_2022\n0.5,1.5\n"))

    assert outcome.returncode == 1
    assert 'unknown columns "2019_2020", "2021_2022"' in outcome.stderr


def test_repeated_header_matches_columns_by_name(diamonds: Server, tmp_path: Path) -> None:
    """HEADER=repeat sends the names in every payload, so columns may be in any order."""
    lines = [",".join(reversed(row)) + "\n" for row in ROWS] * 3_000
    source = write_input(tmp_path, ",".join(reversed(NAMES)) + "\n" + "".join(lines))
    options = ("--header", "repeat", "--max-payload-in-mb", "1")
    outcome = run_batch(source, "--endpoint", diamonds.url, *options)

    assert outcome.returncode == 0, outcome.stderr
    assert "in 2 mini-batches:" in outcome.stdout
    np.testing.assert_array_equal(
        np.array(read_output(source), dtype=np.float32), np.tile(expected(), 3_000)
    )


@pytest.mark.parametrize("mode", ["drop", "send"])
def test_header_has_no_output_line(diamonds: Server, tmp_path: Path, mode: str) -> None:
    """The header has no line in the output, whether it is dropped or sent."""
    source = write_input(tmp_path, ",".join(NAMES) + "\n" + CSV)
    outcome = run_batch(source, "--endpoint", diamonds.url, "--header", mode)

    assert outcome.returncode == 0, outcome.stderr
    assert "lines in the response" not in outcome.stderr
    np.testing.assert_array_equal(np.array(read_output(source), dtype=np.float32), expected())


@pytest.mark.parametrize(
    ("column_order", "message"),
    [
        ([1, 0, *range(2, 9)], 'column 1: expected "carat", got "cut"'),
        ([*range(6), 7, 6, 8], 'column 7: expected "x", got "y"'),
    ],
    ids=["invalid-records", "wrong-numbers"],
)
@pytest.mark.parametrize("delimiter", [",", ";", "|"])
def test_header_in_another_order_is_not_dropped(
    diamonds: Server, tmp_path: Path, column_order: list[int], message: str, delimiter: str
) -> None:
    """HEADER=drop fails with the first column that is not at the model's position."""
    lines = [delimiter.join(row[index] for index in column_order) for row in (NAMES, *ROWS)]
    source = write_input(tmp_path, "\n".join(lines))
    options = ("--header", "drop", "--content-type", f'text/csv; delimiter="{delimiter}"')
    outcome = run_batch(source, "--endpoint", diamonds.url, *options)

    assert outcome.returncode == 1
    assert message in outcome.stderr
    assert list(tmp_path.iterdir()) == [source]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("weight", 'missing column "carat"; unknown column "weight"'),
        ("Carat", 'unknown column "Carat"; did you mean "carat"?'),
        (",carat", 'unknown column ""; write the file with to_csv(index=False)'),
        ("cut", 'missing column "carat"; repeated column "cut"'),
    ],
)
def test_header_with_other_names_is_not_dropped(
    diamonds: Server, tmp_path: Path, name: str, message: str
) -> None:
    """HEADER=drop fails with the names that differ, and what to rename; an order does not help."""
    source = write_input(tmp_path, ",".join([name, *NAMES[1:]]) + "\n" + CSV)
    outcome = run_batch(source, "--endpoint", diamonds.url, "--header", "drop")

    assert outcome.returncode == 1
    assert "rename" in outcome.stderr
    assert message in outcome.stderr
    assert "reorder" not in outcome.stderr
    assert "HEADER=repeat" not in outcome.stderr
    assert list(tmp_path.iterdir()) == [source]


def test_space_as_delimiter_and_around_names(diamonds: Server, tmp_path: Path) -> None:
    """A header may be delimited by spaces; spaces around a name are not part of it."""
    spaced = [" ".join(reversed(row)) for row in (NAMES, *ROWS) if " " not in "".join(row)]
    source = write_input(tmp_path, "\n".join(spaced))
    options = ("--header", "drop", "--content-type", "text/csv; delimiter=space")
    rejected = run_batch(source, "--endpoint", diamonds.url, *options)
    valid_source = write_input(tmp_path, " , ".join(NAMES) + "\n" + CSV, "valid.csv")
    accepted = run_batch(valid_source, "--endpoint", diamonds.url, "--header", "drop")

    assert 'column 1: expected "carat", got "z"' in rejected.stderr
    assert accepted.returncode == 0, accepted.stderr


@pytest.fixture(scope="module")
def debtors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose four features may all be missing, and that reports bad rows in their place."""
    booster = train(random_features(60, 4), names=DEBTOR_NAMES)
    artifact = save_artifact(booster, tmp_path_factory.mktemp("debtors"))
    with running(artifact, SERVE_ROW_ERRORS="true", SAGEMAKER_MODEL_SERVER_WORKERS="1") as server:
        yield server


@pytest.mark.parametrize("records", ["x,2,3,4\n1,2,3,4\n", "x,x,x,x\n1,2,3,4\n", "x,x,x,x\n", ""])
def test_order_is_checked_without_a_valid_record(
    debtors: Server, tmp_path: Path, records: str
) -> None:
    """HEADER=drop compares the order although no record, or only a later one, is valid (5.9)."""
    reordered = write_input(tmp_path, ",".join(reversed(DEBTOR_NAMES)) + "\n" + records)
    ordered = write_input(tmp_path, ",".join(DEBTOR_NAMES) + "\n" + records, "ordered.csv")
    rejected = run_batch(reordered, "--endpoint", debtors.url, "--header", "drop")
    accepted = run_batch(ordered, "--endpoint", debtors.url, "--header", "drop")

    assert rejected.returncode == 1
    assert 'column 1: expected "age", got "years"; reorder' in rejected.stderr
    assert "not checked" not in rejected.stderr
    assert accepted.returncode == 0, accepted.stderr
    assert "not checked" not in accepted.stderr
    assert len(read_output(ordered)) == records.count("\n")


def test_order_is_learned_from_a_later_record(tmp_path: Path) -> None:
    """If the model requires values, the first valid record gives the order, or the job stops."""
    bad, header = "x" + LINES[0], ",".join(NAMES) + "\n"
    reordered = [",".join(reversed(line.strip().split(","))) + "\n" for line in (header, *LINES)]
    reordered.insert(1, "x" + reordered[1])
    with running(ARTIFACT, SERVE_ROW_ERRORS="true", SAGEMAKER_MODEL_SERVER_WORKERS="1") as server:
        options = ("--endpoint", server.url, "--header", "drop")
        rejected = run_batch(write_input(tmp_path, "".join(reordered)), *options)
        accepted = run_batch(write_input(tmp_path, header + bad + CSV, "later.csv"), *options)
        unknown = run_batch(write_input(tmp_path, header + bad * 3, "unknown.csv"), *options)

    assert 'column 1: expected "carat", got "z"; reorder' in rejected.stderr
    assert accepted.returncode == 0, accepted.stderr
    assert len(read_output(tmp_path / "later.csv")) == len(ROWS) + 1
    assert unknown.returncode == 1
    assert "expected a valid record in the first 3 records, got row 1, column" in unknown.stderr
    assert "remove the header if the columns are in the model's order" in unknown.stderr


def test_order_of_a_model_with_vector_leaves(tmp_path: Path) -> None:
    """HEADER=drop stops with the reason if the container cannot report the columns' order.

    XGBoost explains models with vector leaves since version 3.4.
    """
    features = random_features(60, 2)
    targets = np.nan_to_num(features)
    booster = train(features, targets, names=["a", "b"], multi_strategy="multi_output_tree")
    artifact = save_artifact(booster, tmp_path / "model")
    source = write_input(tmp_path, "a,b\n0.5,1.5\n")
    outcome = run_batch(source, "--folder", str(artifact), "--header", "drop")

    if can_explain(booster):
        assert outcome.returncode == 0, outcome.stderr
    else:
        assert outcome.returncode == 1
        assert "the order of the columns cannot be checked: Accept: explain:" in outcome.stderr
        assert "not supported by XGBoost" in outcome.stderr
        assert "remove the header if" in outcome.stderr


def can_explain(booster: xgboost.Booster) -> bool:
    matrix = xgboost.DMatrix(np.zeros((1, 2)), feature_names=booster.feature_names)
    try:
        booster.predict(matrix, pred_contribs=True)
    except xgboost.core.XGBoostError:
        return False
    return True


def test_header_is_found_above_bad_records(debtors: Server, tmp_path: Path) -> None:
    """A header is found if a later record has a number, and in any spelling of the media type."""
    source = write_input(tmp_path, ",".join(DEBTOR_NAMES) + "\nx,x,x,x\n1,2,3,4\n")
    outcome = run_batch(source, "--endpoint", debtors.url, "--content-type", "Text/CSV")

    assert outcome.returncode == 0, outcome.stderr
    assert read_output(source)[0] == "ERROR"
    assert len(read_output(source)) == 2


@pytest.mark.parametrize(
    ("parameter", "options", "message"),
    [
        ("present", ["--header", "drop"], ""),
        ("present", ["--header", "repeat"], ""),
        ("present", [], ""),
        ("absent", ["--header", "drop"], "header=absent has no header; remove HEADER"),
    ],
)
def test_media_type_declares_the_header(
    diamonds: Server, tmp_path: Path, parameter: str, options: list[str], message: str
) -> None:
    """The parameter header of the input's media type decides whether the file has a header."""
    source = write_input(tmp_path, ",".join(NAMES) + "\n" + CSV)
    media_type = ("--content-type", f"text/csv; header={parameter}")
    outcome = run_batch(source, "--endpoint", diamonds.url, *media_type, *options)

    assert outcome.returncode == (1 if message else 0)
    assert message in outcome.stderr
    assert message or len(read_output(source)) == len(ROWS)


def test_declared_record_is_not_a_header(tmp_path: Path) -> None:
    """With header=absent, a first line without numbers is sent as a record."""
    source = write_input(tmp_path, "NA,NA\n1,2\n")
    with run_container(RecordingContainer()) as container:
        options = ("--endpoint", container.url, "--content-type", "text/csv; header=absent")
        outcome = run_batch(source, *options)

    assert outcome.returncode == 0, outcome.stderr
    assert container.payloads == [b"NA,NA\n1,2\n"]


def test_header_of_a_model_without_names(tmp_path: Path) -> None:
    """Any names match a model without names; a container that reports none is not checked."""
    source = write_input(tmp_path, "a,b\n0.5,1.5\n")
    artifact = save_artifact(train(random_features(60, 2)), tmp_path / "model")
    unnamed = run_batch(source, "--folder", str(artifact), "--header", "drop")
    with run_container(RecordingContainer()) as container:
        unreported = run_batch(source, "--endpoint", container.url, "--header", "drop")

    assert (unnamed.returncode, unreported.returncode) == (0, 0)
    assert "1 row in" in unnamed.stdout
    assert "not checked" not in unnamed.stderr
    assert "not checked" in unreported.stderr


def test_proxy_is_not_used(
    diamonds: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No request to the container goes through the proxy of the environment."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    source = write_input(tmp_path, ",".join(NAMES) + "\n" + CSV)
    outcome = run_batch(source, "--endpoint", diamonds.url, "--header", "drop")

    assert outcome.returncode == 0, outcome.stderr


def test_header_in_another_order_is_sent_with_a_warning(diamonds: Server, tmp_path: Path) -> None:
    """HEADER=send behaves as SageMaker does, and warns that later payloads are misread."""
    source = write_input(tmp_path, "\n".join(",".join(reversed(row)) for row in (NAMES, *ROWS)))
    outcome = run_batch(source, "--endpoint", diamonds.url, "--header", "send")

    assert outcome.returncode == 0, outcome.stderr
    assert (
        "all payloads except the first will be misread: "
        'the columns do not match the model\'s: column 1: expected "carat"' in outcome.stderr
    )


def test_mode_without_a_header(diamonds: Server, tmp_path: Path) -> None:
    """--header is rejected, in one line, for a file without a header (contract 5.3)."""
    source = write_input(tmp_path, CSV)
    outcome = run_batch(source, "--endpoint", diamonds.url, "--header", "drop")

    assert outcome.returncode == 1
    assert f"(--header drop): the first line of {source} is not a header" in outcome.stderr
    assert len(outcome.stderr.strip().splitlines()) == 1
