"""Batch transform on this machine: the job's own promises, through its command line."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.batch_jobs import LINES, MIB, StandIn, batch, output_of, standing_in, written
from tests.support.diamonds import ARTIFACT, CSV, ROWS, expected
from tests.support.server import ROOT, Server, running


def test_a_job_starts_its_own_container(tmp_path: Path) -> None:
    """INPUT.out holds XGBoost's own predictions, a line for each row, and the job tells the speed (contract 5.1 and 5.9)."""
    source = written(tmp_path, CSV * 300)
    outcome = batch(source)

    assert outcome.returncode == 0, outcome.stderr
    np.testing.assert_array_equal(
        np.array(output_of(source), dtype=np.float32), np.tile(expected(), 300)
    )
    assert f"{len(ROWS) * 300:,} rows in" in outcome.stdout
    assert "rows/s" in outcome.stdout
    assert "MaxConcurrentTransforms=" in outcome.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"rows.csv", "rows.csv.out"}


def test_slices_come_together_in_order(diamonds: Server, tmp_path: Path) -> None:
    """Rows that go out in several payloads at once come back in the order of the file (contract 5.6 and 5.9)."""
    order = np.random.default_rng(5).integers(0, len(ROWS), 60_000)
    source = written(tmp_path, "".join(LINES[place] for place in order))
    outcome = batch(
        source,
        "--endpoint",
        diamonds.url,
        "--max-payload-in-mb",
        "1",
        "--max-concurrent-transforms",
        "3",
    )

    assert outcome.returncode == 0, outcome.stderr
    np.testing.assert_array_equal(np.array(output_of(source), dtype=np.float32), expected()[order])


def test_payloads_are_packed_with_whole_lines(tmp_path: Path) -> None:
    """MultiRecord has as many whole lines in each payload as fit into it, and loses none (contract 5.5)."""
    line = b"x" * (MIB // 4 - 1) + b"\n"
    source = written(tmp_path, line * 9 + b"last")
    with standing_in(
        StandIn(
            {"MaxPayloadInMB": 1, "MaxConcurrentTransforms": 2, "BatchStrategy": "MULTI_RECORD"}
        )
    ) as stand_in:
        outcome = batch(source, "--endpoint", stand_in.url)

    assert outcome.returncode == 0, outcome.stderr
    assert sorted(stand_in.bodies, key=len) == [line + b"last", line * 4, line * 4]
    assert source.with_name("rows.csv.out").read_bytes() == line * 9 + b"last\n"


def test_single_record_sends_a_line_each(tmp_path: Path) -> None:
    """SingleRecord is one line a payload, as it lies in the file, CRLF and all; headers are those of the job (contract 5.5)."""
    source = written(tmp_path, "1\r\n\r\n3\n")
    with standing_in(StandIn()) as stand_in:
        outcome = batch(
            source, "--endpoint", stand_in.url, "--strategy", "SingleRecord", "--accept", "text/csv"
        )

    assert outcome.returncode == 0, outcome.stderr
    assert stand_in.bodies == [b"1\r\n", b"\r\n", b"3\n"]
    assert {(each["Content-Type"], each["Accept"]) for each in stand_in.headers} == {
        ("text/csv", "text/csv")
    }


def test_as_many_at_once_as_told_and_no_more(tmp_path: Path) -> None:
    """Three may be under way, three are, and never four (contract 5.2)."""
    source = written(tmp_path, "".join(f"{row}\n" for row in range(30)))
    with standing_in(
        StandIn({"MaxConcurrentTransforms": 3, "BatchStrategy": "SINGLE_RECORD"}), together=3
    ) as stand_in:
        outcome = batch(source, "--endpoint", stand_in.url)

    assert outcome.returncode == 0, outcome.stderr
    assert stand_in.most_under_way == 3
    assert output_of(source) == [str(row) for row in range(30)]


def test_no_limit_is_one_payload_in_chunks(tmp_path: Path) -> None:
    """MaxPayloadInMB=0 sends the file whole, without Content-Length (contract 5.3 and 5.16)."""
    source = written(tmp_path, "1.5\n" * MIB)
    with standing_in(StandIn()) as stand_in:
        outcome = batch(source, "--endpoint", stand_in.url, "--max-payload-in-mb", "0")

    assert outcome.returncode == 0, outcome.stderr
    assert [len(body) for body in stand_in.bodies] == [source.stat().st_size]
    assert "Content-Length" not in stand_in.headers[0]


@pytest.mark.parametrize(("statuses", "exit_code"), [([500, 503, 429], 0), ([500] * 4, 1)])
def test_failures_are_tried_again(tmp_path: Path, statuses: list[int], exit_code: int) -> None:
    """Three retries, and no more; the same payload each time (contract 5.12)."""
    source = written(tmp_path, "1\n2\n")
    with standing_in(StandIn(statuses=list(statuses))) as stand_in:
        outcome = batch(source, "--endpoint", stand_in.url)

    assert outcome.returncode == exit_code
    assert stand_in.bodies == [b"1\n2\n"] * 4
    assert source.with_name("rows.csv.out").exists() == (exit_code == 0)
    assert ("answered 500, 4 times asked" in outcome.stderr) == (exit_code == 1)


def test_a_container_that_dies(tmp_path: Path) -> None:
    """Without an answer the job fails, and leaves nothing (contract 5.13)."""
    source = written(tmp_path, CSV * 3_000)
    with running(ARTIFACT, SAGEMAKER_MODEL_SERVER_WORKERS="1") as server:
        command = [
            sys.executable,
            "-m",
            "local_test.batch",
            str(source),
            "--endpoint",
            server.url,
            "--strategy",
            "SingleRecord",
        ]
        job = subprocess.Popen(
            [*command, "--retries", "1"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert job.stderr
        assert "MaxConcurrentTransforms" in job.stderr.readline()
        assert server.process
        workers = subprocess.run(
            ["pgrep", "-P", str(server.process.pid)], capture_output=True, text=True, check=True
        ).stdout.split()
        for process in (server.process.pid, *map(int, workers)):
            os.kill(process, signal.SIGKILL)
        _, said = job.communicate(timeout=60)

    assert job.returncode == 1
    assert "no answer from the container, 2 times asked" in said
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == [source]
