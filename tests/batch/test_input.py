"""Batch transform on this machine: what may be in an input, and what may not."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from tests.support.batch_jobs import LINES, MIB, StandIn, batch, output_of, standing_in, written
from tests.support.boosters import numbers, saved, train
from tests.support.diamonds import CSV, NAMES, PAYLOADS, ROWS, expected
from tests.support.server import Server


def test_a_refusal_names_the_row_of_the_file(diamonds: Server, tmp_path: Path) -> None:
    """One bad line far down ends the job in one line with its slice and row; an output of before stays (contract 5.9 and 5.13)."""
    lines = LINES * 4_000
    lines[33_332] = "abc" + lines[33_332]
    source, old = written(tmp_path, "".join(lines)), written(tmp_path, "old", "rows.csv.out")
    outcome = batch(source, "--endpoint", diamonds.url, "--max-payload-in-mb", "1")

    assert outcome.returncode == 1
    assert "slice 2 (rows" in outcome.stderr
    assert "answered 400" in outcome.stderr
    assert "row 33,333 of the file" in outcome.stderr
    assert old.read_text() == "old"
    assert {path.name for path in tmp_path.iterdir()} == {source.name, old.name}


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_header_is_explained(diamonds: Server, tmp_path: Path, ends: str) -> None:
    """Only the first slice would have it, so that the job asks before it sends anything (contract 5.5)."""
    source = written(tmp_path, ends.join([",".join(NAMES), *CSV.splitlines()]))
    outcome = batch(source, "--endpoint", diamonds.url)

    assert outcome.returncode == 1
    assert all(
        word in outcome.stderr for word in ("header", "HEADER=drop", "HEADER=repeat", "HEADER=send")
    )
    assert list(tmp_path.iterdir()) == [source]


def test_names_that_float_accepts_are_a_header(tmp_path: Path) -> None:
    """A cell such as 2019_2020 is a name, as it is to the server, although Python's float() accepts it."""
    outcome = batch(written(tmp_path, "2019_2020,2021_2022\n0.5,1.5\n"))

    assert outcome.returncode == 1
    assert "HEADER=drop" in outcome.stderr


def test_a_repeated_header_puts_columns_into_order(diamonds: Server, tmp_path: Path) -> None:
    """HEADER=repeat has the names before each payload, so that columns in another order are read right in all of them."""
    lines = [",".join(reversed(row)) + "\n" for row in ROWS] * 3_000
    source = written(tmp_path, ",".join(reversed(NAMES)) + "\n" + "".join(lines))
    outcome = batch(
        source, "--endpoint", diamonds.url, "--header", "repeat", "--max-payload-in-mb", "1"
    )

    assert outcome.returncode == 0, outcome.stderr
    assert "in 2 slices:" in outcome.stdout
    np.testing.assert_array_equal(
        np.array(output_of(source), dtype=np.float32), np.tile(expected(), 3_000)
    )


@pytest.mark.parametrize("fate", ["drop", "send"])
def test_a_header_is_no_row(diamonds: Server, tmp_path: Path, fate: str) -> None:
    """HEADER=drop leaves it out, HEADER=send has it in the first payload only; either way it has no line of output."""
    source = written(tmp_path, ",".join(NAMES) + "\n" + CSV)
    outcome = batch(source, "--endpoint", diamonds.url, "--header", fate)

    assert outcome.returncode == 0, outcome.stderr
    assert "came back as" not in outcome.stderr
    np.testing.assert_array_equal(np.array(output_of(source), dtype=np.float32), expected())


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ([1, 0, *range(2, 9)], 'column 1: expected "carat", got "cut"'),
        ([*range(6), 7, 6, 8], 'column 7: expected "x", got "y"'),
    ],
    ids=["no-records", "wrong-numbers"],
)
@pytest.mark.parametrize("delimiter", [",", ";", "|"])
def test_a_header_of_another_order_is_never_dropped(
    diamonds: Server, tmp_path: Path, order: list[int], said: str, delimiter: str
) -> None:
    """HEADER=drop names the first column that is not the model's, instead of having rows read in another order."""
    lines = [delimiter.join(row[place] for place in order) for row in (NAMES, *ROWS)]
    source = written(tmp_path, "\n".join(lines))
    media_type = f'text/csv; delimiter="{delimiter}"'
    outcome = batch(
        source, "--endpoint", diamonds.url, "--header", "drop", "--content-type", media_type
    )

    assert outcome.returncode == 1
    assert said in outcome.stderr
    assert list(tmp_path.iterdir()) == [source]


def test_a_header_of_another_name_is_never_dropped(diamonds: Server, tmp_path: Path) -> None:
    """A name that the model does not have is told, with what was expected."""
    source = written(tmp_path, ",".join(["weight", *NAMES[1:]]) + "\n" + CSV)
    outcome = batch(source, "--endpoint", diamonds.url, "--header", "drop")

    assert outcome.returncode == 1
    assert 'column 1: expected "carat", got "weight"' in outcome.stderr


def test_a_header_between_spaces(diamonds: Server, tmp_path: Path) -> None:
    """A header is found by the delimiter that the media type names, a space too; and spaces beside a name are none of it."""
    spaced = [" ".join(reversed(row)) for row in (NAMES, *ROWS) if " " not in "".join(row)]
    source = written(tmp_path, "\n".join(spaced))
    refused = batch(
        source,
        "--endpoint",
        diamonds.url,
        "--header",
        "drop",
        "--content-type",
        "text/csv; delimiter=space",
    )
    right = written(tmp_path, " , ".join(NAMES) + "\n" + CSV, "right.csv")
    dropped = batch(right, "--endpoint", diamonds.url, "--header", "drop")

    assert 'column 1: expected "carat", got "z"' in refused.stderr
    assert dropped.returncode == 0, dropped.stderr


def test_what_a_model_without_names_drops(tmp_path: Path) -> None:
    """A model that knows no names takes the columns as they are; of a container that tells nothing the job says so."""
    source = written(tmp_path, "a,b\n0.5,1.5\n")
    unnamed = batch(
        source,
        "--folder",
        str(saved(train(numbers(60, 2)), tmp_path / "model")),
        "--header",
        "drop",
    )
    with standing_in(StandIn()) as stand_in:
        untold = batch(source, "--endpoint", stand_in.url, "--header", "drop")

    assert (unnamed.returncode, untold.returncode) == (0, 0)
    assert "1 rows in" in unnamed.stdout
    assert "was not checked" not in unnamed.stderr
    assert "was not checked" in untold.stderr


def test_a_header_of_another_order_is_sent_with_a_warning(diamonds: Server, tmp_path: Path) -> None:
    """HEADER=send does as the service does, and says which payloads that reads wrongly."""
    source = written(tmp_path, "\n".join(",".join(reversed(row)) for row in (NAMES, *ROWS)))
    outcome = batch(source, "--endpoint", diamonds.url, "--header", "send")

    assert outcome.returncode == 0, outcome.stderr
    assert (
        'All payloads but the first will be read wrongly: their columns are not the model\'s: column 1: expected "carat"'
        in outcome.stderr
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("rows.json", "write JSON lines"),
        ("rows.json.gz", "write JSON lines"),
        ("rows.parquet", "CONTENT_TYPE="),
    ],
)
def test_what_has_no_lines_is_not_sent(tmp_path: Path, name: str, said: str) -> None:
    """A file whose name tells no media type that is read line by line is refused before a container starts."""
    outcome = batch(written(tmp_path, "{}", name))

    assert outcome.returncode == 1
    assert f"{name}: " in outcome.stderr
    assert said in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1


def test_json_lines_by_their_name(diamonds: Server, tmp_path: Path) -> None:
    """A name that ends in .jsonl is JSON lines, and the endpoint's address may have its path."""
    source = written(tmp_path, (PAYLOADS / "diamonds.jsonl").read_bytes(), "rows.JSONL")
    outcome = batch(source, "--endpoint", f"{diamonds.url}/invocations", "--accept", "text/csv")

    assert outcome.returncode == 0, outcome.stderr
    assert "10 rows in" in outcome.stdout
    assert "in 1 slice:" in outcome.stdout
    np.testing.assert_array_equal(np.array(output_of(source), dtype=np.float32), expected())


def test_gzip(diamonds: Server, tmp_path: Path) -> None:
    """A packed input is unpacked before it is split; a cut-off one fails (contract 5.5)."""
    source = written(tmp_path, gzip.compress(CSV.encode()), "rows.csv.gz")
    outcome = batch(source, "--endpoint", diamonds.url)
    cut = written(tmp_path, gzip.compress(CSV.encode())[:-12], "cut.csv.gz")
    failed = batch(cut, "--endpoint", diamonds.url)

    assert outcome.returncode == 0, outcome.stderr
    np.testing.assert_array_equal(np.array(output_of(source), dtype=np.float32), expected())
    assert failed.returncode == 1
    assert "cannot be read" in failed.stderr


def test_lines_that_are_no_records_are_told(diamonds: Server, tmp_path: Path) -> None:
    """Blank last lines have no line of output, and the job says so (contract 5.7)."""
    source = written(tmp_path, CSV + "\n\n")
    outcome = batch(source, "--endpoint", diamonds.url)

    assert outcome.returncode == 0
    assert len(output_of(source)) == len(ROWS)
    assert "blank" in outcome.stderr


def test_a_line_longer_than_a_payload(tmp_path: Path) -> None:
    """A line that fits into no payload fails the job, with its row and the setting (contract 5.5)."""
    source = written(tmp_path, "1\n" + "x" * (MIB + 1) + "\n")
    with standing_in(StandIn()) as stand_in:
        outcome = batch(source, "--endpoint", stand_in.url, "--max-payload-in-mb", "1")

    assert outcome.returncode == 1
    assert "row 2 does not fit" in outcome.stderr
    assert "MAX_PAYLOAD_IN_MB" in outcome.stderr


def test_an_empty_file_has_an_empty_output(diamonds: Server, tmp_path: Path) -> None:
    """No rows in, no rows out."""
    source = written(tmp_path, "")
    outcome = batch(source, "--endpoint", diamonds.url)

    assert outcome.returncode == 0, outcome.stderr
    assert output_of(source) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--endpoint", "http://127.0.0.1:9"], "no container answers"),
        (
            ["--endpoint", "127.0.0.1:9"],
            "expected a URL such as http://127.0.0.1:8080, got '127.0.0.1:9'",
        ),
        (["--max-payload-in-mb", "60", "--max-concurrent-transforms", "2"], "100 MB in all"),
        (["--header", "drop"], "leave HEADER out"),
    ],
)
def test_wishes_that_cannot_be(
    diamonds: Server, tmp_path: Path, options: list[str], said: str
) -> None:
    """What the service would not take either is refused in one line (contract 5.3)."""
    outcome = batch(written(tmp_path, CSV), "--endpoint", diamonds.url, *options)

    assert outcome.returncode == 1
    assert said in outcome.stderr
    assert len(outcome.stderr.strip().splitlines()) == 1


def test_the_input_is_never_the_output(diamonds: Server, tmp_path: Path) -> None:
    """The input cannot be written over."""
    source = written(tmp_path, CSV)
    outcome = batch(source, str(source), "--endpoint", diamonds.url)

    assert outcome.returncode == 1
    assert source.read_text() == CSV
