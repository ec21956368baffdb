"""Load tests against servers with known limits: the rates they find, and the report."""

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
    Respond,
    respond_one_at_a_time,
    run_capacity,
    run_null_server,
    run_server,
    send_empty_response,
    up_to_three_attempts,
)
from tests.support.server import ROOT, Server

# Such a small fraction of the generator limit that any server sustains it, so the test is short.
EASY = ["--generator-share", "0.01", "--start-rps", "1000", "--p99-ms", "2000"]
TEXT = "{http://www.w3.org/2000/svg}text"


@up_to_three_attempts
def test_the_measured_rate_never_exceeds_the_servers_limit(tmp_path: Path) -> None:
    """A server limited to 20 requests/s is never reported to sustain more.

    The axes of the plot have round ticks that enclose every step.
    """
    plot = tmp_path / "plot.svg"
    with run_server(respond_one_at_a_time(0.05)) as url:
        report = run_capacity(
            "--json", "--url", url, "--start-rps", "16", "--p99-ms", "300", "--plot", str(plot)
        ).report
    labels = [
        str(text.text).replace(",", "")
        for text in ET.fromstring(plot.read_text()).iter(TEXT)  # noqa: S314
    ]
    numbers = [float(label) for label in labels if label.replace(".", "").isdecimal()]
    latencies, rates = numbers[: numbers.index(0)], numbers[numbers.index(0) :]

    assert report["max_rps"] is None or report["max_rps"] <= 20.1
    assert not report["lower_bound"] or report["violation"] == "generator"
    assert all(f"{latency:e}"[0] in "125" for latency in latencies)
    assert f"{rates[1]:e}"[0] in "125"
    assert {round(later - earlier, 6) for earlier, later in pairwise(rates)} == {rates[1]}
    assert rates[-1] >= max(step["offered_rps"] for step in report["steps"])
    assert latencies[-1] >= max(step["p99_ms"] for step in report["steps"])


def respond_500(handler: BaseHTTPRequestHandler) -> None:
    send_empty_response(handler, 500)


def respond_slowly(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(2)
    send_empty_response(handler)


@pytest.mark.parametrize(
    ("respond", "violation"), [(respond_500, "errors"), (respond_slowly, "latency")]
)
@up_to_three_attempts
def test_the_rate_is_bisected_and_confirmed(
    respond: Callable[[BaseHTTPRequestHandler], None], violation: str
) -> None:
    """The search bisects between the passing and the failing rate to within 10%, then confirms.

    The probe and the steps of half a second at 40 and 60 requests/s are the first 51 requests. The
    steps at 90 and at the middle of 60 and 90 are the next 45 and 37; these fail.
    """
    middle = math.sqrt(60 * 90)
    lower = math.sqrt(60 * middle)
    highest = math.sqrt(lower * middle)

    def respond_to(handler: BaseHTTPRequestHandler, number: int) -> None:
        if 51 <= number < 51 + 45 + 37:
            respond(handler)
        else:
            send_empty_response(handler)

    with run_server(respond_to) as url:
        options = ["--url", url, "--start-rps", "40", "--p99-ms", "1500"]
        report = run_capacity("--json", *options).report

    assert [step["offered_rps"] for step in report["steps"]] == pytest.approx(
        [40, 60, 90, middle, lower, highest, highest]
    )
    assert report["highest_passing"] == report["steps"][-1]
    assert report["lowest_failing"] == report["steps"][3]
    assert report["lowest_failing"]["failures"] == (
        {"status 500": 37} if respond is respond_500 else {}
    )
    assert report["violation"] == violation
    assert not report["lower_bound"]


@up_to_three_attempts
def test_a_growing_queue_fails_the_step() -> None:
    """A rate the server cannot keep up with fails, even if p99 is still within the objective."""
    with run_server(respond_one_at_a_time(0.05)) as url:
        run = run_capacity("--url", url, "--seconds", "1", "--start-rps", "60", "--p99-ms", "9000")

    assert run.exit_code == 1
    assert "the server did not keep up" in run.stdout


@up_to_three_attempts
def test_an_unconfirmed_rate_is_not_reported_as_capacity() -> None:
    """If no rate passes a second time, the exit code is 1 and the report names the violation."""

    def respond(handler: BaseHTTPRequestHandler, number: int) -> None:
        send_empty_response(handler, 500 if number >= 51 else 200)

    with run_server(respond) as url:
        run = run_capacity("--url", url, "--start-rps", "40", "--p99-ms", "5000")

    assert run.exit_code == 1
    assert "No rate met the objective twice" in run.stdout
    assert "status 500" in run.stdout
    assert "TargetValue" not in run.stdout


@up_to_three_attempts
def test_a_rate_limited_by_the_generator_is_a_lower_bound() -> None:
    """For a server faster than the generator, the report gives a lower bound and says why."""
    with run_null_server() as url:
        run = run_capacity(
            "--url", url, "--generator-share", "0.2", "--start-rps", "1000", "--p99-ms", "1000"
        )

    assert run.exit_code == 0, run.stderr
    assert "Saturation: not reached" in run.stdout
    assert "the load generator, not the server, was the limit" in run.stdout
    assert "LOWER BOUND" in run.stdout


@up_to_three_attempts
def test_a_step_is_repeated_if_the_generator_stalled() -> None:
    """A step whose requests were sent late is repeated, and does not count against the server."""
    with run_null_server() as url:
        command = [*COMMAND[:-2], "--json", "--url", url, "--seconds", "2", "--start-rps", "50"]
        process = subprocess.Popen(
            [*command, "--p99-ms", "500", "--generator-share", "0.01"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr
        while "offered/s" not in process.stderr.readline():
            assert process.poll() is None
        time.sleep(0.5)
        process.send_signal(signal.SIGSTOP)
        time.sleep(1)
        process.send_signal(signal.SIGCONT)
        output, _ = process.communicate(timeout=60)
    stalled, repeated, *_ = json.loads(output)["steps"]

    assert process.returncode == 0
    assert stalled["send_delay_p99_ms"] > 250
    assert repeated["offered_rps"] == stalled["offered_rps"]
    assert repeated["send_delay_p99_ms"] <= 250


@up_to_three_attempts
def test_the_estimate_follows_the_documented_formulas(diamonds: Server) -> None:
    """Scaling targets follow AWS's formula and Little's law, scaled to the instance's vCPUs."""
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
    options += ["--safety-factor", "0.4", "--peak-rps", "90000"]
    report = run_capacity("--json", *options).report
    passing, estimate = report["highest_passing"], report["estimate"]
    instance_rps = passing["throughput_rps"] / 2 * 3

    assert report["max_rps"] == passing["throughput_rps"]
    assert estimate["rps_per_vcpu"] == pytest.approx(passing["throughput_rps"] / 2)
    assert estimate["invocations_per_instance"] == pytest.approx(instance_rps * 0.4 * 60)
    assert estimate["concurrent_requests_per_model"] == pytest.approx(
        instance_rps * passing["mean_ms"] / 1000 * 0.4
    )
    assert report["lower_bound"]
    assert passing["offered_rps"] == pytest.approx(0.01 * report["generator"]["limit_rps"])
    assert estimate["instances"] == math.ceil(90_000 / (instance_rps * 0.4))


@up_to_three_attempts
def test_the_text_report_and_the_plot(tmp_path: Path) -> None:
    """The command starts the container, prints the whole report, and draws the plot."""
    plot = tmp_path / "plot.svg"
    run = run_capacity(*EASY, "--peak-rps", "1", "--processors", "3", "--plot", str(plot))

    assert run.exit_code == 0, run.stderr
    for text in (
        "p99 latency at most 2000 ms, error rate at most 0%",
        "requests/s per processor (3 processors)",
        "x safety factor 0.5 x 60 = ",
        "Little's law",
        "at least 2 = 2",
        "of the 3 processors; a server that has them all",
        "Estimate for ml.c6i.large with 2 vCPUs",
        "not an ml.* instance",
        str(plot),
    ):
        assert text in run.stdout
    assert "Load generator limit" in run.stderr


def respond_without_length(handler: BaseHTTPRequestHandler, number: int) -> None:
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(b"1.5\n")
    handler.close_connection = True


def respond_in_chunks(handler: BaseHTTPRequestHandler, number: int) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"4;note=1\r\n1.5\n\r\nb\r\n0\r\n\r\n123456\r\n0\r\nTrailer: 1\r\n\r\n")


@pytest.mark.parametrize(
    ("respond", "protocol"),
    [(respond_without_length, "HTTP/1.0"), (respond_in_chunks, "HTTP/1.1")],
)
@up_to_three_attempts
def test_responses_without_a_content_length_count(respond: Respond, protocol: str) -> None:
    """Responses that end with the connection or are chunked count as successful."""
    with run_server(respond, protocol) as url:
        report = run_capacity("--json", "--url", url, *EASY).report

    assert report["highest_passing"]["failures"] == {}
    assert report["highest_passing"]["throughput_rps"] > 0
