"""Contract 5 and 7.9 to 7.11: batch transform, and this server as one container of several."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import requests

from tests.support.boosters import predictions, saved, train
from tests.support.diamonds import ARTIFACT, CSV, FEATURES, NAMES, OBJECTS, ROWS, expected
from tests.support.responses import error_of, scores, strict
from tests.support.server import Server, refusal, running

CSV_TYPE, LINES = "text/csv", "application/jsonlines"
DIAMONDS = 53_940


def parameters(server: Server) -> dict[str, object]:
    response = requests.get(f"{server.url}/execution-parameters", timeout=5)

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    told: dict[str, object] = strict(response.text)
    return told


def random_diamonds(count: int) -> list[list[str]]:
    """Return rows within the ranges and categories of the schema, of a fixed seed."""
    random = np.random.default_rng(3)
    columns = [
        random.choice(feature["categories"], count)
        if "categories" in feature
        else np.round(random.uniform(feature["range"][0], feature["range"][1], count), 2)
        for feature in FEATURES
    ]
    return [list(map(str, row)) for row in zip(*columns, strict=True)]


@pytest.mark.parametrize(
    ("env", "told"),
    [
        ({"SAGEMAKER_MODEL_SERVER_WORKERS": "3"}, (3, 6)),
        (
            {"SAGEMAKER_MODEL_SERVER_WORKERS": "1", "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "40"},
            (40, 2),
        ),
        ({"SAGEMAKER_MODEL_SERVER_WORKERS": "3", "SAGEMAKER_MAX_PAYLOAD_IN_MB": "50"}, (2, 50)),
        ({"SAGEMAKER_MODEL_SERVER_WORKERS": "3", "SAGEMAKER_MAX_PAYLOAD_IN_MB": "500"}, (1, 100)),
        ({"SAGEMAKER_MODEL_SERVER_WORKERS": "3", "SAGEMAKER_MAX_PAYLOAD_IN_MB": "0"}, (3, 0)),
        (
            {
                "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
                "MAX_CONTENT_LENGTH": "3000000",
                "SAGEMAKER_BATCH_STRATEGY": "MULTI_RECORD",
            },
            (1, 2),
        ),
    ],
)
def test_execution_parameters(env: dict[str, str], told: tuple[int, int]) -> None:
    """5.2, 5.3 and 12.5: as many at once as there are workers, within 100 MB in all; no BatchStrategy, which ends local mode."""
    with running(ARTIFACT, **env) as server:
        assert parameters(server) == {"MaxConcurrentTransforms": told[0], "MaxPayloadInMB": told[1]}


@pytest.mark.parametrize(
    ("text", "batch"), [("True", True), ("true", True), ("false", False), ("0", False)]
)
def test_batch_is_a_boolean(text: str, *, batch: bool) -> None:
    """8.2: SAGEMAKER_BATCH is on as the service and local mode write it, and off as false; AWS's image takes false for on."""
    with running(ARTIFACT, SAGEMAKER_BATCH=text) as server:
        reply = server.post(CSV)

    assert server.events()[0]["batch"] is batch
    assert reply.text.endswith("\n")
    np.testing.assert_array_equal(scores(reply), expected())


def test_as_many_random_diamonds_as_there_are_real_ones_in_batch_slices(diamonds: Server) -> None:
    """5.6, 5.9 and 5.12: 53,940 rows in mini-batches, their replies glued and one sent twice, are the booster's own, line for line.

    The rows are random within the schema's ranges: the package with the real ones has 50 MB, too much for these tests.
    """
    rows = random_diamonds(DIAMONDS)
    batches = [
        "".join(",".join(row) + "\n" for row in rows[start : start + 5_000])
        for start in range(0, DIAMONDS, 5_000)
    ]
    replies = [diamonds.post(batch) for batch in batches]

    assert diamonds.post(batches[2]).content == replies[2].content
    assert all(int(reply.headers["Content-Length"]) == len(reply.content) for reply in replies)
    glued = "".join(reply.text for reply in replies).splitlines()
    assert len(glued) == DIAMONDS
    np.testing.assert_array_equal(np.array(glued, dtype=np.float32), expected(rows))


@pytest.mark.parametrize("media_type", [CSV_TYPE, LINES])
def test_a_reply_is_a_request_of_the_next_container(
    diamonds: Server, tmp_path: Path, media_type: str
) -> None:
    """7.9 and 7.10: the score lines of one container, on its own port, go into another that has one feature."""
    prices = expected()[:, None]
    booster = train(prices, names=["score"])
    first = diamonds.post(CSV, Accept=media_type)
    with running(saved(booster, tmp_path)) as second:
        reply = second.post(first.content, first.headers["Content-Type"])

    np.testing.assert_array_equal(scores(reply), predictions(booster, prices))


@pytest.fixture(scope="module")
def lenient(front_end: str) -> Iterator[Server]:
    """A server of this front end that scores what it can."""
    with running(ARTIFACT, SERVE_ROW_ERRORS="true", SAGEMAKER_MODEL_SERVER_WORKERS="1") as server:
        yield server


BAD = {2: "x" + CSV.splitlines()[0], 3: "", 5: "1,2", 7: '0.5,"Ideal'}


@pytest.mark.parametrize("accept", [CSV_TYPE, LINES])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("header", [False, True])
def test_bad_lines_of_csv_cost_only_their_own_prediction(
    lenient: Server, accept: str, ends: str, *, header: bool
) -> None:
    """5.9: a line out for each line in, in order; a bad one gets ERROR or an object with an error, the rest are scored."""
    lines = CSV.splitlines()
    for place, line in sorted(BAD.items()):
        lines.insert(place, line)
    names = [",".join(NAMES)] * header
    reply = lenient.post(ends.join([*names, *lines]) + ends, Accept=accept)

    assert reply.status_code == 200
    assert int(reply.headers["Content-Length"]) == len(reply.content)
    out = reply.text.splitlines()
    assert len(out) == len(lines)
    if accept == CSV_TYPE:
        assert [place for place, line in enumerate(out) if line == "ERROR"] == sorted(BAD)
        good = [float(line) for line in out if line != "ERROR"]
    else:
        told = [strict(line) for line in out]
        for place in BAD:
            assert told[place]["error"].startswith(f"row {place + 1}")
        assert 'row 3, column "carat": expected a number, got "x' in told[2]["error"]
        good = [each["score"] for each in told if "score" in each]
    np.testing.assert_array_equal(np.array(good, dtype=np.float32), expected())


def test_bad_json_lines_cost_only_their_own_prediction(lenient: Server) -> None:
    """5.9: the same of JSON lines, whatever is wrong with one."""
    good = OBJECTS
    sent = ["{", *map(json.dumps, good), "", '"text"', '{"carat": 1}', "[1]", "nul"]
    out = [strict(line) for line in lenient.post("\n".join(sent), LINES).text.splitlines()]

    assert len(out) == len(sent)
    assert [place for place, each in enumerate(out) if "error" in each] == [
        0,
        *range(len(good) + 1, len(sent)),
    ]
    np.testing.assert_array_equal(
        np.array([each["score"] for each in out if "score" in each], dtype=np.float32), expected()
    )


def test_what_is_wrong_as_a_whole_is_still_400(lenient: Server, diamonds: Server) -> None:
    """5.9: a header of other names, a bad parameter, application/json, and all without the setting are no matter of one row."""
    header = ",".join(NAMES).replace("carat", "karat")
    json_reply = lenient.post(json.dumps({"instances": [ROWS[0], ["x"]]}), "application/json")

    assert "karat" in error_of(lenient.post(f"{header}\n{CSV}"))
    assert "karat" in error_of(lenient.post(f"{header}\n{CSV}", "text/csv; header=present"))
    assert lenient.post(CSV, "text/csv; header=no").status_code == 400
    assert json_reply.status_code == 400
    assert lenient.post(CSV + "x\n", Accept="application/json").status_code == 400
    assert diamonds.post(CSV + "x\n").status_code == 400


@pytest.mark.parametrize("bad_each", [1, 2, 1_000])
def test_many_bad_lines(lenient: Server, bad_each: int) -> None:
    """5.9: twenty thousand bad lines keep nobody for long, and their places are right across slices."""
    good = CSV.splitlines()[0]
    lines = [
        "bad" if row % bad_each == 0 else good for row in range(20_000 if bad_each == 1 else 40_000)
    ]
    reply = lenient.post("\n".join(lines))

    score = str(expected()[0])
    wanted = ["ERROR" if line == "bad" else score for line in lines]
    assert reply.text.splitlines() == wanted


@pytest.mark.parametrize("place", [0, 30, 63, 64, 126])
def test_a_line_end_in_quotes_moves_no_record(lenient: Server, place: int) -> None:
    """5.9: two lines that quotes make one field of are two bad records, and those around them keep their places."""
    good = CSV.splitlines()[0]
    cells, _, last = good.rpartition(",")
    lines = [good] * place + [f'{cells},"{last}', '"'] + [good] * 30 + ["bad"] + [good] * 31
    reply = lenient.post("\n".join(lines) + "\n")

    assert reply.text.splitlines() == [
        str(expected()[0]) if line == good else "ERROR" for line in lines
    ]


def test_bad_lines_are_counted_in_the_log_and_never_quoted() -> None:
    """5.9 and 10.1: one event tells how many records were bad, and none what was sent."""
    with running(ARTIFACT, SERVE_ROW_ERRORS="true") as server:
        server.post(CSV + "secret,1\n" * 3)

    events = [each for each in server.events() if each["event"] == "row errors"]
    assert [(each["bad_records"], each["level"]) for each in events] == [(3, "WARNING")]
    assert "secret" not in "".join(server.output)


def test_a_body_of_100_mb_in_bounded_memory() -> None:
    """5.3: the largest payload is answered, and its worker grows by no more than four times the body."""
    body = CSV.encode() * ((100 << 20) // len(CSV))
    with running(ARTIFACT, SAGEMAKER_MODEL_SERVER_WORKERS="1") as server:
        server.post(CSV)
        before = peak_bytes(server)
        reply = server.post(body)
        grown = peak_bytes(server) - before

    assert int(reply.headers["Content-Length"]) == len(reply.content)
    assert reply.content.count(b"\n") == body.count(b"\n")
    assert grown <= 4 * len(body)


def peak_bytes(server: Server) -> int:
    """Return the most memory that a worker has had."""
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


def test_a_multi_model_setting_is_refused() -> None:
    """8.1: a server that cannot do what SAGEMAKER_MULTI_MODEL asks for says so; false asks for nothing."""
    assert "not supported" in refusal(ARTIFACT, SAGEMAKER_MULTI_MODEL="true")
    with running(ARTIFACT, SAGEMAKER_MULTI_MODEL="false") as server:
        np.testing.assert_array_equal(scores(server.post(CSV)), expected())
