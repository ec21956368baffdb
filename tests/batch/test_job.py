"""Mini-batches, concurrency, retries and failures of a batch transform job."""

import os
import signal
import subprocess
import sys
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
from tests.support.diamonds import ARTIFACT, CSV, ROWS, expected
from tests.support.server import ROOT, Server, running


def test_job_starts_its_own_container(tmp_path: Path) -> None:
    """The output has XGBoost's prediction for each row, in order (contract 5.1, 5.9)."""
    source = write_input(tmp_path, CSV * 300)
    outcome = run_batch(source)

    assert outcome.returncode == 0, outcome.stderr
    np.testing.assert_array_equal(
        np.array(read_output(source), dtype=np.float32), np.tile(expected(), 300)
    )
    assert f"{len(ROWS) * 300:,} rows in" in outcome.stdout
    assert "rows/s" in outcome.stdout
    assert "MaxConcurrentTransforms=" in outcome.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"rows.csv", "rows.csv.out"}


def test_concurrent_responses_are_written_in_order(diamonds: Server, tmp_path: Path) -> None:
    """The output of concurrent mini-batches is in the order of the file (contract 5.6, 5.9)."""
    indices = np.random.default_rng(5).integers(0, len(ROWS), 60_000)
    source = write_input(tmp_path, "".join(LINES[index] for index in indices))
    limits = ("--max-payload-in-mb", "1", "--max-concurrent-transforms", "3")
    outcome = run_batch(source, "--endpoint", diamonds.url, *limits)

    assert outcome.returncode == 0, outcome.stderr
    np.testing.assert_array_equal(
        np.array(read_output(source), dtype=np.float32), expected()[indices]
    )


def test_multi_record_packs_whole_lines(tmp_path: Path) -> None:
    """MultiRecord packs as many whole lines into a payload as fit (contract 5.5)."""
    line = b"x" * (MIB // 4 - 1) + b"\n"
    source = write_input(tmp_path, line * 9 + b"last")
    parameters: dict[str, object] = {
        "MaxPayloadInMB": 1,
        "MaxConcurrentTransforms": 2,
        "BatchStrategy": "MULTI_RECORD",
    }
    with run_container(RecordingContainer(parameters)) as container:
        outcome = run_batch(source, "--endpoint", container.url)

    assert outcome.returncode == 0, outcome.stderr
    assert sorted(container.payloads, key=len) == [line + b"last", line * 4, line * 4]
    assert source.with_name("rows.csv.out").read_bytes() == line * 9 + b"last\n"


def test_single_record_sends_one_line_per_payload(tmp_path: Path) -> None:
    """SingleRecord sends each line unchanged, with the job's headers (contract 5.5)."""
    source = write_input(tmp_path, "1\r\n\r\n3\n")
    options = ("--strategy", "SingleRecord", "--accept", "text/csv")
    with run_container(RecordingContainer()) as container:
        outcome = run_batch(source, "--endpoint", container.url, *options)
    media_types = {(headers["Content-Type"], headers["Accept"]) for headers in container.headers}

    assert outcome.returncode == 0, outcome.stderr
    assert container.payloads == [b"1\r\n", b"\r\n", b"3\n"]
    assert media_types == {("text/csv", "text/csv")}


def test_concurrency_equals_max_concurrent_transforms(tmp_path: Path) -> None:
    """With MaxConcurrentTransforms=3 three requests are in flight, never more (contract 5.2)."""
    source = write_input(tmp_path, "".join(f"{row}\n" for row in range(30)))
    parameters: dict[str, object] = {
        "MaxConcurrentTransforms": 3,
        "BatchStrategy": "SINGLE_RECORD",
    }
    with run_container(RecordingContainer(parameters), concurrency=3) as container:
        outcome = run_batch(source, "--endpoint", container.url)

    assert outcome.returncode == 0, outcome.stderr
    assert container.max_in_flight == 3
    assert read_output(source) == [str(row) for row in range(30)]


def test_unlimited_payload_is_sent_in_chunks(tmp_path: Path) -> None:
    """MaxPayloadInMB=0 sends the whole file without Content-Length (contract 5.3, 5.16)."""
    source = write_input(tmp_path, "1.5\n" * MIB)
    with run_container(RecordingContainer()) as container:
        outcome = run_batch(source, "--endpoint", container.url, "--max-payload-in-mb", "0")

    assert outcome.returncode == 0, outcome.stderr
    assert [len(payload) for payload in container.payloads] == [source.stat().st_size]
    assert "Content-Length" not in container.headers[0]


@pytest.mark.parametrize(("statuses", "exit_code"), [([500, 503, 429], 0), ([500] * 4, 1)])
def test_failed_requests_are_retried(tmp_path: Path, statuses: list[int], exit_code: int) -> None:
    """A payload is retried three times; a fourth failure ends the job (contract 5.12)."""
    source = write_input(tmp_path, "1\n2\n")
    with run_container(RecordingContainer(statuses=list(statuses))) as container:
        outcome = run_batch(source, "--endpoint", container.url)
    has_failed = exit_code == 1

    assert outcome.returncode == exit_code
    assert container.payloads == [b"1\n2\n"] * 4
    assert source.with_name("rows.csv.out").exists() == (not has_failed)
    assert ("HTTP 500 from the container after 4 attempts" in outcome.stderr) == has_failed


def test_killed_container_fails_the_job(tmp_path: Path) -> None:
    """If the container stops responding, the job fails and leaves no output (contract 5.13)."""
    source = write_input(tmp_path, CSV * 3_000)
    with running(ARTIFACT, SAGEMAKER_MODEL_SERVER_WORKERS="1") as server:
        command = [sys.executable, "-m", "local_test.batch", str(source)]
        command += ["--endpoint", server.url, "--strategy", "SingleRecord", "--retries", "1"]
        job = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert job.stderr
        assert "MaxConcurrentTransforms" in job.stderr.readline()
        assert server.process
        workers = subprocess.run(
            ["pgrep", "-P", str(server.process.pid)], capture_output=True, text=True, check=True
        ).stdout.split()
        for pid in (server.process.pid, *map(int, workers)):
            os.kill(pid, signal.SIGKILL)
        _, stderr = job.communicate(timeout=60)

    assert job.returncode == 1
    assert "no response from the container after 2 attempts" in stderr
    assert "Traceback" not in stderr
    assert list(tmp_path.iterdir()) == [source]
