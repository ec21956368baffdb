"""Valid and invalid input files and parameters of a batch transform job."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from tests.support.batch_jobs import (
    LINES,
    MIB,
    RecordingContainer,
    read_output,
    run_batch,
    run_container,
    write_input,
)
from tests.support.boosters import predict_with_xgboost, random_features, save_artifact, train
from tests.support.diamonds import ARTIFACT, CSV, PAYLOADS, ROWS, expected
from tests.support.server import Server, running


def test_error_names_the_row_of_the_file(diamonds: Server, tmp_path: Path) -> None:
    """An invalid line fails the job with its row; an old output remains (contract 5.9, 5.13)."""
    lines = LINES * 4_000
    lines[33_332] = "abc" + lines[33_332]
    source = write_input(tmp_path, "".join(lines))
    previous_output = write_input(tmp_path, "old", "rows.csv.out")
    outcome = run_batch(source, "--endpoint", diamonds.url, "--max-payload-in-mb", "1")

    assert outcome.returncode == 1
    assert "mini-batch 2 (rows" in outcome.stderr
    assert "HTTP 400 from the container" in outcome.stderr
    assert "row 33,333 of the file" in outcome.stderr
    assert previous_output.read_text() == "old"
    assert {path.name for path in tmp_path.iterdir()} == {source.name, previous_output.name}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("rows.json", "convert it to JSON Lines"),
        ("rows.json.gz", "convert it to JSON Lines"),
        ("rows.parquet", "CONTENT_TYPE="),
    ],
)
def test_files_without_lines_are_rejected(tmp_path: Path, name: str, message: str) -> None:
    """A file of no known line format is rejected, in one line, before a container starts."""
    outcome = run_batch(write_input(tmp_path, "{}", name))

    assert outcome.returncode == 1
    assert f"{name}: " in outcome.stderr
    assert message in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1


def test_suffix_jsonl_is_json_lines(diamonds: Server, tmp_path: Path) -> None:
    """A .jsonl file is JSON Lines, and --endpoint may include /invocations."""
    source = write_input(tmp_path, (PAYLOADS / "diamonds.jsonl").read_bytes(), "rows.JSONL")
    outcome = run_batch(source, "--endpoint", f"{diamonds.url}/invocations", "--accept", "text/csv")

    assert outcome.returncode == 0, outcome.stderr
    assert "10 rows in" in outcome.stdout
    assert "in 1 mini-batch:" in outcome.stdout
    np.testing.assert_array_equal(np.array(read_output(source), dtype=np.float32), expected())


def test_gzip_input(diamonds: Server, tmp_path: Path) -> None:
    """A gzip file is decompressed before it is split; a truncated one fails (contract 5.5)."""
    compressed = gzip.compress(CSV.encode())
    source = write_input(tmp_path, compressed, "rows.csv.gz")
    outcome = run_batch(source, "--endpoint", diamonds.url)
    truncated = write_input(tmp_path, compressed[:-12], "truncated.csv.gz")
    failed = run_batch(truncated, "--endpoint", diamonds.url)

    assert outcome.returncode == 0, outcome.stderr
    np.testing.assert_array_equal(np.array(read_output(source), dtype=np.float32), expected())
    assert failed.returncode == 1
    assert f"cannot read {truncated}" in failed.stderr


@pytest.mark.parametrize("strategy", ["MultiRecord", "SingleRecord"])
@pytest.mark.parametrize(
    ("name", "end"),
    [("diamonds.csv", "\n\n"), ("diamonds.csv", "\r\n \r\n"), ("diamonds.jsonl", "\n\n")],
)
def test_blank_lines_at_the_end_are_not_records(
    diamonds: Server, tmp_path: Path, name: str, end: str, strategy: str
) -> None:
    """Blank lines at the end are not rows, so the output has no lines for them (contract 5.7)."""
    source = write_input(tmp_path, (PAYLOADS / name).read_text() + end, name)
    options = ("--strategy", strategy, "--accept", "text/csv")
    outcome = run_batch(source, "--endpoint", diamonds.url, *options)

    assert outcome.returncode == 0, outcome.stderr
    assert f"{len(ROWS)} rows in" in outcome.stdout
    assert len(outcome.stderr.splitlines()) == 1
    np.testing.assert_array_equal(np.array(read_output(source), dtype=np.float32), expected())


def test_blank_lines_at_the_end_are_records_of_one_column(tmp_path: Path) -> None:
    """With one column, blank lines at the end are records whose value is missing (5.7)."""
    features = random_features(60, 1)
    booster = train(features)
    artifact = save_artifact(booster, tmp_path / "model")
    source = write_input(tmp_path, "0.5\n\n\n")
    outcome = run_batch(source, "--folder", str(artifact))
    records = np.array([[0.5], [np.nan], [np.nan]], dtype=np.float32)

    assert outcome.returncode == 0, outcome.stderr
    np.testing.assert_array_equal(
        np.array(read_output(source), dtype=np.float32), predict_with_xgboost(booster, records)
    )


def test_response_without_a_line_per_row_fails_the_job(diamonds: Server, tmp_path: Path) -> None:
    """If the output's lines would not match the rows, the job fails and writes nothing (5.9)."""
    cells, _, last = LINES[0].strip().rpartition(",")
    quoted_line_break = f'{cells},"{last}\n"\n'
    source = write_input(tmp_path, LINES[0] + quoted_line_break + CSV)
    outcome = run_batch(source, "--endpoint", diamonds.url)

    assert outcome.returncode == 1
    assert "expected 13 lines in the response, got 12" in outcome.stderr
    assert "line break in quotes" in outcome.stderr
    assert list(tmp_path.iterdir()) == [source]


def test_lines_are_counted_by_the_type_of_the_response(tmp_path: Path) -> None:
    """A response in JSON has other lines than its rows, and is not taken for CSV."""
    source = write_input(tmp_path, CSV)
    with running(ARTIFACT, SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="application/json") as server:
        outcome = run_batch(source, "--endpoint", server.url)

    assert outcome.returncode == 0, outcome.stderr
    assert len(json.loads("".join(read_output(source)))["predictions"]) == len(ROWS)


def test_line_longer_than_a_payload(tmp_path: Path) -> None:
    """A line longer than a payload fails the job with its row and the setting (contract 5.5)."""
    source = write_input(tmp_path, "1\n" + "x" * (MIB + 1) + "\n")
    with run_container(RecordingContainer()) as container:
        outcome = run_batch(source, "--endpoint", container.url, "--max-payload-in-mb", "1")

    assert outcome.returncode == 1
    assert "row 2 is longer than a payload" in outcome.stderr
    assert "MAX_PAYLOAD_IN_MB" in outcome.stderr


def test_empty_input_gives_empty_output(diamonds: Server, tmp_path: Path) -> None:
    """An empty input gives an empty output."""
    source = write_input(tmp_path, "")
    outcome = run_batch(source, "--endpoint", diamonds.url)

    assert outcome.returncode == 0, outcome.stderr
    assert read_output(source) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--endpoint", "http://127.0.0.1:9"], "cannot connect to the container"),
        (
            ["--endpoint", "127.0.0.1:9"],
            'expected a URL such as http://127.0.0.1:8080, got "127.0.0.1:9"',
        ),
        (
            ["--max-payload-in-mb", "60", "--max-concurrent-transforms", "2"],
            "expected at most 100 MB, got 2 * 60 MB",
        ),
    ],
)
def test_invalid_parameters_are_rejected(
    diamonds: Server, tmp_path: Path, options: list[str], message: str
) -> None:
    """Parameters that SageMaker would reject are rejected in one line (contract 5.3)."""
    outcome = run_batch(write_input(tmp_path, CSV), "--endpoint", diamonds.url, *options)

    assert outcome.returncode == 1
    assert message in outcome.stderr
    assert len(outcome.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--folder", str(ARTIFACT)], "remove FOLDER (--folder) or ENDPOINT"),
        (["--image", "xgb-endpoint"], "remove IMAGE (--image) or ENDPOINT"),
    ],
)
def test_endpoint_has_its_own_model(
    diamonds: Server, tmp_path: Path, options: list[str], message: str
) -> None:
    """A folder or an image beside --endpoint is rejected, because it would be ignored."""
    source = write_input(tmp_path, CSV)
    outcome = run_batch(source, "--endpoint", diamonds.url, *options)

    assert outcome.returncode == 1
    assert message in outcome.stderr
    assert list(tmp_path.iterdir()) == [source]


def test_input_is_never_overwritten(diamonds: Server, tmp_path: Path) -> None:
    """An output that is the input is rejected."""
    source = write_input(tmp_path, CSV)
    outcome = run_batch(source, str(source), "--endpoint", diamonds.url)

    assert outcome.returncode == 1
    assert source.read_text() == CSV
