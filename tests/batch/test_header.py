"""A header line in the input of a batch transform job."""

from pathlib import Path

import numpy as np
import pytest

from tests.support.batch_jobs import (
    RecordingContainer,
    read_output,
    run_batch,
    run_container,
    write_input,
)
from tests.support.boosters import random_features, save_artifact, train
from tests.support.diamonds import CSV, NAMES, ROWS, expected
from tests.support.server import Server


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_header_requires_a_mode(diamonds: Server, tmp_path: Path, line_end: str) -> None:
    """Without --header the job stops at a header before it sends anything (contract 5.5)."""
    source = write_input(tmp_path, line_end.join([",".join(NAMES), *CSV.splitlines()]))
    outcome = run_batch(source, "--endpoint", diamonds.url)

    assert outcome.returncode == 1
    assert "header" in outcome.stderr
    assert "HEADER=drop" in outcome.stderr
    assert "HEADER=repeat" in outcome.stderr
    assert "HEADER=send" in outcome.stderr
    assert list(tmp_path.iterdir()) == [source]


def test_names_that_float_accepts_are_a_header(tmp_path: Path) -> None:
    """2019_2020 is a name, as it is for the server, although Python's float() accepts it."""
    outcome = run_batch(write_input(tmp_path, "2019_2020,2021_2022\n0.5,1.5\n"))

    assert outcome.returncode == 1
    assert "HEADER=drop" in outcome.stderr


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


def test_header_with_an_unknown_name_is_not_dropped(diamonds: Server, tmp_path: Path) -> None:
    """HEADER=drop fails with a name that the model does not have, and the name it expected."""
    source = write_input(tmp_path, ",".join(["weight", *NAMES[1:]]) + "\n" + CSV)
    outcome = run_batch(source, "--endpoint", diamonds.url, "--header", "drop")

    assert outcome.returncode == 1
    assert 'column 1: expected "carat", got "weight"' in outcome.stderr


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


def test_header_in_another_order_is_sent_with_a_warning(diamonds: Server, tmp_path: Path) -> None:
    """HEADER=send behaves as SageMaker does, and warns that later payloads are misread."""
    source = write_input(tmp_path, "\n".join(",".join(reversed(row)) for row in (NAMES, *ROWS)))
    outcome = run_batch(source, "--endpoint", diamonds.url, "--header", "send")

    assert outcome.returncode == 0, outcome.stderr
    assert (
        "all payloads except the first will be misread: "
        'their columns do not match the model\'s: column 1: expected "carat"' in outcome.stderr
    )


def test_mode_without_a_header(diamonds: Server, tmp_path: Path) -> None:
    """--header is rejected, in one line, for a file without a header (contract 5.3)."""
    source = write_input(tmp_path, CSV)
    outcome = run_batch(source, "--endpoint", diamonds.url, "--header", "drop")

    assert outcome.returncode == 1
    assert f"(--header drop): the first line of {source} is not a header" in outcome.stderr
    assert len(outcome.stderr.strip().splitlines()) == 1
