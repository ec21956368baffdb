"""Contract 5 and 7.9 to 7.11: batch transform and inference pipelines."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.support.boosters import predict_with_xgboost, save_artifact, train
from tests.support.diamonds import ARTIFACT, CSV, FEATURES, NAMES, OBJECTS, ROWS, expected
from tests.support.responses import error_of, get_execution_parameters, scores, strict
from tests.support.server import Server, running, startup_error

CSV_TYPE, LINES = "text/csv", "application/jsonlines"


def generate_diamonds(count: int) -> list[list[str]]:
    """Return random rows within the ranges and categories of the schema, from a fixed seed."""
    random = np.random.default_rng(3)
    columns = [
        random.choice(feature["categories"], count)
        if "categories" in feature
        else np.round(random.uniform(feature["range"][0], feature["range"][1], count), 2)
        for feature in FEATURES
    ]
    return [list(map(str, row)) for row in zip(*columns, strict=True)]


def test_execution_parameters(diamonds: Server) -> None:
    """5.2 and 12.5: /execution-parameters is a JSON object without BatchStrategy."""
    assert get_execution_parameters(diamonds).keys() == {
        "MaxConcurrentTransforms",
        "MaxPayloadInMB",
    }


@pytest.mark.parametrize("rows_in", [5_394, pytest.param(53_940, marks=pytest.mark.long)])
def test_concatenated_responses_of_mini_batches(diamonds: Server, rows_in: int) -> None:
    """5.6, 5.9 and 5.12: concatenated mini-batch responses match XGBoost's own predictions.

    The long run has as many random rows as there are real diamonds, whose package of 50 MB is too
    large for tests.
    A mini-batch that is sent again gets the same response.
    """
    rows = generate_diamonds(rows_in)
    step = rows_in // 10
    batches = [
        "".join(",".join(row) + "\n" for row in rows[start : start + step])
        for start in range(0, rows_in, step)
    ]
    responses = [diamonds.post(batch) for batch in batches]

    assert diamonds.post(batches[2]).content == responses[2].content
    assert all(
        int(response.headers["Content-Length"]) == len(response.content) for response in responses
    )
    lines_out = "".join(response.text for response in responses).splitlines()
    assert len(lines_out) == rows_in
    np.testing.assert_array_equal(np.array(lines_out, dtype=np.float32), expected(rows))


@pytest.mark.parametrize("media_type", [CSV_TYPE, LINES])
def test_response_is_valid_payload_of_next_container(
    diamonds: Server, tmp_path: Path, media_type: str
) -> None:
    """7.9 and 7.10: in a pipeline, the next container accepts the response with its type."""
    prices = expected()[:, None]
    booster = train(prices, names=["score"])
    first = diamonds.post(CSV, Accept=media_type)
    with running(save_artifact(booster, tmp_path)) as second:
        response = second.post(first.content, first.headers["Content-Type"])

    np.testing.assert_array_equal(scores(response), predict_with_xgboost(booster, prices))


@pytest.fixture(scope="module")
def row_errors_server(front_end: str) -> Iterator[Server]:
    """A server with this front end that reports bad rows in the response."""
    with running(ARTIFACT, SERVE_ROW_ERRORS="true", SAGEMAKER_MODEL_SERVER_WORKERS="1") as server:
        yield server


BAD_LINES = {2: "x" + CSV.splitlines()[0], 3: "", 5: "1,2", 7: '0.5,"Ideal'}


@pytest.mark.parametrize("accept", [CSV_TYPE, LINES])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("header", [False, True])
def test_bad_csv_lines_do_not_affect_others(
    row_errors_server: Server, accept: str, ends: str, *, header: bool
) -> None:
    """5.9: each bad CSV line gets ERROR or an error object in its place, the others a score."""
    lines = CSV.splitlines()
    for index, line in sorted(BAD_LINES.items()):
        lines.insert(index, line)
    names = [",".join(NAMES)] * header
    response = row_errors_server.post(ends.join([*names, *lines]) + ends, Accept=accept)

    assert response.status_code == 200
    assert int(response.headers["Content-Length"]) == len(response.content)
    out = response.text.splitlines()
    assert len(out) == len(lines)
    if accept == CSV_TYPE:
        assert [index for index, line in enumerate(out) if line == "ERROR"] == sorted(BAD_LINES)
        good = [float(line) for line in out if line != "ERROR"]
    else:
        objects = [strict(line) for line in out]
        for index in BAD_LINES:
            assert objects[index]["error"].startswith(f"row {index + 1}")
        assert 'row 3, column "carat": expected a number, got "x' in objects[2]["error"]
        good = [scored["score"] for scored in objects if "score" in scored]
    np.testing.assert_array_equal(np.array(good, dtype=np.float32), expected())


def test_bad_json_lines_do_not_affect_others(row_errors_server: Server) -> None:
    """5.9: each bad JSON line gets an error object in its place, the others a score."""
    good = OBJECTS
    sent = ["{", *map(json.dumps, good), "", '"text"', '{"carat": 1}', "[1]", "nul"]
    out = [
        strict(line) for line in row_errors_server.post("\n".join(sent), LINES).text.splitlines()
    ]

    assert len(out) == len(sent)
    assert [index for index, result in enumerate(out) if "error" in result] == [
        0,
        *range(len(good) + 1, len(sent)),
    ]
    np.testing.assert_array_equal(
        np.array([result["score"] for result in out if "score" in result], dtype=np.float32),
        expected(),
    )


def test_errors_of_the_whole_payload_are_400(row_errors_server: Server, diamonds: Server) -> None:
    """5.9: wrong headers, bad parameters, JSON and, without the setting, bad rows get a 400."""
    header = ",".join(NAMES).replace("carat", "karat")
    json_response = row_errors_server.post(
        json.dumps({"instances": [ROWS[0], ["x"]]}), "application/json"
    )

    assert "karat" in error_of(row_errors_server.post(f"{header}\n{CSV}"))
    assert "karat" in error_of(
        row_errors_server.post(f"{header}\n{CSV}", "text/csv; header=present")
    )
    assert row_errors_server.post(CSV, "text/csv; header=no").status_code == 400
    assert json_response.status_code == 400
    assert row_errors_server.post(CSV + "x\n", Accept="application/json").status_code == 400
    assert diamonds.post(CSV + "x\n").status_code == 400


@pytest.mark.parametrize(
    "bad_interval",
    [1_000, pytest.param(1, marks=pytest.mark.long), pytest.param(2, marks=pytest.mark.long)],
)
def test_many_bad_lines(row_errors_server: Server, bad_interval: int) -> None:
    """5.9: errors of up to 20,000 bad lines are in the right places, across slices."""
    good = CSV.splitlines()[0]
    lines = [
        "bad" if row % bad_interval == 0 else good
        for row in range(20_000 if bad_interval == 1 else 40_000)
    ]
    response = row_errors_server.post("\n".join(lines))

    score = str(expected()[0])
    expected_lines = ["ERROR" if line == "bad" else score for line in lines]
    assert response.text.splitlines() == expected_lines


@pytest.mark.parametrize("index", [0, 30, 63, 64, 126])
def test_quoted_line_break_shifts_no_row(row_errors_server: Server, index: int) -> None:
    """5.9: a quoted line break makes two bad rows, and the others keep their places."""
    good = CSV.splitlines()[0]
    cells, _, last = good.rpartition(",")
    lines = [good] * index + [f'{cells},"{last}', '"'] + [good] * 30 + ["bad"] + [good] * 31
    response = row_errors_server.post("\n".join(lines) + "\n")

    assert response.text.splitlines() == [
        str(expected()[0]) if line == good else "ERROR" for line in lines
    ]


def test_bad_rows_are_counted_in_the_log() -> None:
    """5.9 and 10.1: one event has the number of bad rows; no event contains payload data."""
    with running(ARTIFACT, SERVE_ROW_ERRORS="true") as server:
        server.post(CSV + "secret,1\n" * 3)

    events = [event for event in server.events() if event["event"] == "row errors"]
    assert [(event["bad_records"], event["level"]) for event in events] == [(3, "WARNING")]
    assert "secret" not in "".join(server.output)


# Each thread that predicts needs some memory whatever the payload's size, about 30 MB in all.
@pytest.mark.parametrize("mib", [50, pytest.param(100, marks=pytest.mark.long)])
def test_large_payload_in_bounded_memory(mib: int) -> None:
    """5.3: a payload of up to 100 MB succeeds, with at most four times its size in memory."""
    body = CSV.encode() * ((mib << 20) // len(CSV))
    with running(ARTIFACT, SAGEMAKER_MODEL_SERVER_WORKERS="1") as server:
        server.post(CSV)
        before = peak_bytes(server)
        response = server.post(body)
        grown = peak_bytes(server) - before

    assert int(response.headers["Content-Length"]) == len(response.content)
    assert response.content.count(b"\n") == body.count(b"\n")
    assert grown <= 4 * len(body)


def peak_bytes(server: Server) -> int:
    """Return the peak memory of the worker that used the most, in bytes."""
    assert server.process
    workers = subprocess.run(
        ["pgrep", "-P", str(server.process.pid)], capture_output=True, text=True, check=True
    ).stdout.split()
    statuses = [Path(f"/proc/{worker}/status").read_text() for worker in workers]
    return (
        max(
            int(line.split()[1])
            for status in statuses
            for line in status.splitlines()
            if line.startswith("VmHWM")
        )
        * 1024
    )


def test_multi_model_setting_prevents_startup() -> None:
    """8.1: SAGEMAKER_MULTI_MODEL=true, which is not supported, prevents startup."""
    assert "not supported" in startup_error(ARTIFACT, SAGEMAKER_MULTI_MODEL="true")
    with running(ARTIFACT, SAGEMAKER_MULTI_MODEL="false") as server:
        np.testing.assert_array_equal(scores(server.post(CSV)), expected())
