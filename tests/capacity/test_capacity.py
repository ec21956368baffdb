"""Capacity: what a short load test finds and says, against servers whose limit is known."""

import json
import math
import signal
import subprocess
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.support.load_tests import (
    COMMAND,
    Answer,
    answering,
    capacity,
    instant,
    one_at_a_time,
    thrice,
    whole,
)
from tests.support.server import ROOT, Server

# So small a share of the generator's ceiling that any server bears it, and a test is short.
EASY = ["--generator-share", "0.01", "--start-rps", "1000", "--p99-ms", "2000"]
TEXT = "{http://www.w3.org/2000/svg}text"


@thrice
def test_no_more_than_a_server_bears(tmp_path: Path) -> None:
    """A server of 20 invocations a second is never said to bear more; the plot's axes have round numbers beyond every step."""
    plot = tmp_path / "plot.svg"
    with answering(one_at_a_time(0.05)) as url:
        found = capacity(
            "--json", "--url", url, "--start-rps", "16", "--p99-ms", "300", "--plot", str(plot)
        ).found
    labels = [
        str(text.text).replace(",", "")
        for text in ET.fromstring(plot.read_text()).iter(TEXT)  # noqa: S314
    ]
    numbers = [float(label) for label in labels if label.replace(".", "").isdecimal()]
    latencies, rates = numbers[: numbers.index(0)], numbers[numbers.index(0) :]

    assert found["max_rps"] is None or found["max_rps"] <= 20.1
    assert not found["lower_bound_by_generator"] or found["broken_by"] == "generator"
    assert all(f"{latency:e}"[0] in "125" for latency in latencies)
    assert f"{rates[1]:e}"[0] in "125"
    assert {round(later - earlier, 6) for earlier, later in pairwise(rates)} == {rates[1]}
    assert rates[-1] >= max(step["asked_rps"] for step in found["steps"])
    assert latencies[-1] >= max(step["p99_ms"] for step in found["steps"])


def failing(handler: BaseHTTPRequestHandler) -> None:
    whole(handler, 500)


def slow(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(2)
    whole(handler)


@pytest.mark.parametrize(("answer", "broken_by"), [(failing, "errors"), (slow, "latency")])
@thrice
def test_the_rate_is_narrowed_down_and_confirmed(
    answer: Callable[[BaseHTTPRequestHandler], None], broken_by: str
) -> None:
    """Between the rate that held and the one that broke the search goes halfway until 10 % are left, and tries the rate once more.

    The probe and steps of half a second at 40 and 60 a second are the first 51 invocations, those at 90 and at the middle of
    60 and 90 the next 45 and 37: these are bad.
    """
    middle = math.sqrt(60 * 90)
    lower = math.sqrt(60 * middle)
    highest = math.sqrt(lower * middle)
    with answering(
        lambda handler, number: answer(handler) if 51 <= number < 51 + 45 + 37 else whole(handler)
    ) as url:
        found = capacity("--json", "--url", url, "--start-rps", "40", "--p99-ms", "1500").found

    assert [step["asked_rps"] for step in found["steps"]] == pytest.approx(
        [40, 60, 90, middle, lower, highest, highest]
    )
    assert found["held"] == found["steps"][-1]
    assert found["broke"] == found["steps"][3]
    assert found["broke"]["failures"] == ({"answered 500": 37} if answer is failing else {})
    assert found["broken_by"] == broken_by
    assert not found["lower_bound_by_generator"]


@thrice
def test_a_queue_that_grows_is_seen() -> None:
    """A rate that the server does not keep up with does not hold, even where the step is too short to break the latency."""
    with answering(one_at_a_time(0.05)) as url:
        outcome = capacity("--url", url, "--seconds", "1", "--start-rps", "60", "--p99-ms", "9000")

    assert outcome.code == 1
    assert "the server did not keep up" in outcome.out


@thrice
def test_what_held_once_is_no_capacity() -> None:
    """When no rate holds again, the exit code is 1, and the words say what broke."""
    with answering(lambda handler, number: whole(handler, 500 if number >= 51 else 200)) as url:
        outcome = capacity("--url", url, "--start-rps", "40", "--p99-ms", "5000")

    assert outcome.code == 1
    assert "No rate held twice" in outcome.out
    assert "answered 500" in outcome.out
    assert "TargetValue" not in outcome.out


@thrice
def test_the_generator_is_the_limit() -> None:
    """Of a server that is faster than the generator only a lower bound is told, which the generator set."""
    with instant() as url:
        outcome = capacity(
            "--url", url, "--generator-share", "0.2", "--start-rps", "1000", "--p99-ms", "1000"
        )

    assert outcome.code == 0, outcome.err
    assert "Broke: nothing" in outcome.out
    assert "The load generator, not the server, was the limit" in outcome.out
    assert "is a lower bound" in outcome.out


@thrice
def test_a_generator_that_stands_still_is_not_the_server() -> None:
    """A rate at which invocations left late, is tried again, and not held against the server."""
    with instant() as url:
        command = [*COMMAND[:-2], "--json", "--url", url, "--seconds", "2", "--start-rps", "50"]
        test = subprocess.Popen(
            [*command, "--p99-ms", "500", "--generator-share", "0.01"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert test.stderr
        while "asked/s" not in test.stderr.readline():
            assert test.poll() is None
        time.sleep(0.5)
        test.send_signal(signal.SIGSTOP)
        time.sleep(1)
        test.send_signal(signal.SIGCONT)
        said, _ = test.communicate(timeout=60)
    late, again, *_ = json.loads(said)["steps"]

    assert test.returncode == 0
    assert late["late_p99_ms"] > 250
    assert again["asked_rps"] == late["asked_rps"]
    assert again["late_p99_ms"] <= 250


@thrice
def test_the_formulas(diamonds: Server) -> None:
    """AWS's formula and Little's law, for an instance of so many vCPU; what the generator's ceiling allowed was asked for."""
    options = [
        "--url",
        diamonds.url,
        *EASY,
        "--processors",
        "2",
        "--instance-type",
        "ml.g5.xlarge",
        "--vcpus",
        "3",
    ]
    found = capacity("--json", *options, "--safety-factor", "0.4", "--peak-rps", "90000").found
    held, estimate = found["held"], found["estimate"]
    instance_rps = held["rps"] / 2 * 3

    assert found["max_rps"] == held["rps"]
    assert estimate["rps_per_vcpu"] == pytest.approx(held["rps"] / 2)
    assert estimate["invocations_per_instance"] == pytest.approx(instance_rps * 0.4 * 60)
    assert estimate["concurrent_requests_per_model"] == pytest.approx(
        instance_rps * held["mean_ms"] / 1000 * 0.4
    )
    assert found["lower_bound_by_generator"]
    assert held["asked_rps"] == pytest.approx(0.01 * found["generator"]["ceiling_rps"])
    assert estimate["instances"] == math.ceil(90_000 / (instance_rps * 0.4))


@thrice
def test_what_people_read(tmp_path: Path) -> None:
    """It starts the container, says the objective, the rates, the formula and the machine, and draws the plot."""
    plot = tmp_path / "plot.svg"
    outcome = capacity(*EASY, "--peak-rps", "1", "--processors", "3", "--plot", str(plot))

    assert outcome.code == 0, outcome.err
    for words in (
        "p99 within 2000 ms, and at most 0 % errors",
        "per vCPU of this machine (3 processors)",
        "x safety factor 0.5 x 60 = ",
        "Little's law",
        "at least 2 = 2",
        "CPU seconds a second of the 3 processors here",
        "For ml.c6i.large with 2 vCPU",
        "not an ml.* instance",
        str(plot),
    ):
        assert words in outcome.out
    assert "own ceiling" in outcome.err


def closing(handler: BaseHTTPRequestHandler, number: int) -> None:
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(b"1.5\n")
    handler.close_connection = True


def chunked(handler: BaseHTTPRequestHandler, number: int) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"4;note=1\r\n1.5\n\r\nb\r\n0\r\n\r\n123456\r\n0\r\nTrailer: 1\r\n\r\n")


@pytest.mark.parametrize(("answer", "protocol"), [(closing, "HTTP/1.0"), (chunked, "HTTP/1.1")])
@thrice
def test_replies_without_a_length(answer: Answer, protocol: str) -> None:
    """Replies that end with their connection, or come in chunks, are replies."""
    with answering(answer, protocol) as url:
        found = capacity("--json", "--url", url, *EASY).found

    assert found["held"]["failures"] == {}
    assert found["held"]["rps"] > 0
