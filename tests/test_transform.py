"""Batch transform on this machine: the job's own promises, through its command line."""

import gzip
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from tests.diamonds import ARTEFACT, CSV, NAMES, ROWS, expected
from tests.server import ROOT, Server, running

LINES = CSV.splitlines(keepends=True)
MIB = 1 << 20


def batch(source: Path, *options: str, timeout: float = 90) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "local_test.batch", str(source), *options]
    outcome = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=timeout)

    assert "Traceback" not in outcome.stderr
    return outcome


def written(folder: Path, text: str | bytes, name: str = "rows.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def output_of(source: Path) -> list[str]:
    return source.with_name(f"{source.name}.out").read_text().splitlines()


@dataclass
class StandIn:
    """A container of the test's own: it counts the lines of each payload, and remembers what it got."""

    told: dict[str, object] | None = None
    # The status of each reply, as they come; 200 when none is left.
    statuses: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0
    url: str = ""


@contextmanager
def standing_in(stand_in: StandIn, *, together: int = 1) -> Iterator[StandIn]:
    """Serve a stand-in; it answers its first invocations only when so many are under way together."""
    barrier, lock = threading.Barrier(together), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.answer(404 if stand_in.told is None else 200, json.dumps(stand_in.told).encode())

        def do_POST(self) -> None:
            body = self.chunks() if "Transfer-Encoding" in self.headers else self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                stand_in.bodies.append(body)
                stand_in.headers.append(dict(self.headers))
                stand_in.under_way += 1
                stand_in.most_under_way = max(stand_in.most_under_way, stand_in.under_way)
                status = stand_in.statuses.pop(0) if stand_in.statuses else 200
                first = len(stand_in.bodies) <= together
            if first:
                barrier.wait(20)
            with lock:
                stand_in.under_way -= 1
            self.answer(status, body if status == 200 else b"row 2 is bad")

        def chunks(self) -> bytes:
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    stand_in.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def test_a_job_starts_its_own_container(tmp_path: Path) -> None:
    """INPUT.out holds XGBoost's own predictions, a line for each row, and the job tells the speed (contract 5.1 and 5.9)."""
    source = written(tmp_path, CSV * 300)
    outcome = batch(source)

    assert outcome.returncode == 0, outcome.stderr
    np.testing.assert_array_equal(np.array(output_of(source), dtype=np.float32), np.tile(expected(), 300))
    assert f"{len(ROWS) * 300:,} rows in" in outcome.stdout
    assert "rows/s" in outcome.stdout
    assert "MaxConcurrentTransforms=" in outcome.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"rows.csv", "rows.csv.out"}


def test_slices_come_together_in_order(diamonds: Server, tmp_path: Path) -> None:
    """Rows that go out in several payloads at once come back in the order of the file (contract 5.6 and 5.9)."""
    order = np.random.default_rng(5).integers(0, len(ROWS), 60_000)
    source = written(tmp_path, "".join(LINES[place] for place in order))
    outcome = batch(source, "--endpoint", diamonds.url, "--max-payload-in-mb", "1", "--max-concurrent-transforms", "3")

    assert outcome.returncode == 0, outcome.stderr
    np.testing.assert_array_equal(np.array(output_of(source), dtype=np.float32), expected()[order])


def test_payloads_are_packed_with_whole_lines(tmp_path: Path) -> None:
    """MultiRecord has as many whole lines in each payload as fit into it, and loses none (contract 5.5)."""
    line = b"x" * (MIB // 4 - 1) + b"\n"
    source = written(tmp_path, line * 9 + b"last")
    with standing_in(StandIn({"MaxPayloadInMB": 1, "MaxConcurrentTransforms": 2, "BatchStrategy": "MULTI_RECORD"})) as stand_in:
        outcome = batch(source, "--endpoint", stand_in.url)

    assert outcome.returncode == 0, outcome.stderr
    assert sorted(stand_in.bodies, key=len) == [line + b"last", line * 4, line * 4]
    assert source.with_name("rows.csv.out").read_bytes() == line * 9 + b"last\n"


def test_single_record_sends_a_line_each(tmp_path: Path) -> None:
    """SingleRecord is one line a payload, as it lies in the file, CRLF and all; headers are those of the job (contract 5.5)."""
    source = written(tmp_path, "1\r\n\r\n3\n")
    with standing_in(StandIn()) as stand_in:
        outcome = batch(source, "--endpoint", stand_in.url, "--strategy", "SingleRecord", "--accept", "text/csv")

    assert outcome.returncode == 0, outcome.stderr
    assert stand_in.bodies == [b"1\r\n", b"\r\n", b"3\n"]
    assert {(each["Content-Type"], each["Accept"]) for each in stand_in.headers} == {("text/csv", "text/csv")}


def test_as_many_at_once_as_told_and_no_more(tmp_path: Path) -> None:
    """Three may be under way, three are, and never four (contract 5.2)."""
    source = written(tmp_path, "".join(f"{row}\n" for row in range(30)))
    with standing_in(StandIn({"MaxConcurrentTransforms": 3, "BatchStrategy": "SINGLE_RECORD"}), together=3) as stand_in:
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


def test_a_container_that_dies(tmp_path: Path) -> None:
    """Without an answer the job fails, and leaves nothing (contract 5.13)."""
    source = written(tmp_path, CSV * 3_000)
    with running(ARTEFACT, SAGEMAKER_MODEL_SERVER_WORKERS="1") as server:
        command = [sys.executable, "-m", "local_test.batch", str(source), "--endpoint", server.url, "--strategy", "SingleRecord"]
        job = subprocess.Popen([*command, "--retries", "1"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
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


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_header_is_explained(diamonds: Server, tmp_path: Path, ends: str) -> None:
    """Only the first slice would have it, so that the job asks before it sends anything (contract 5.5)."""
    source = written(tmp_path, ends.join([",".join(NAMES), *CSV.splitlines()]))
    outcome = batch(source, "--endpoint", diamonds.url)

    assert outcome.returncode == 1
    assert all(word in outcome.stderr for word in ("header", "HEADER=drop", "HEADER=repeat", "HEADER=send"))
    assert list(tmp_path.iterdir()) == [source]


def test_a_repeated_header_puts_columns_into_order(diamonds: Server, tmp_path: Path) -> None:
    """HEADER=repeat has the names before each payload, so that columns in another order are read right in all of them."""
    lines = [",".join(reversed(row)) + "\n" for row in ROWS] * 3_000
    source = written(tmp_path, ",".join(reversed(NAMES)) + "\n" + "".join(lines))
    outcome = batch(source, "--endpoint", diamonds.url, "--header", "repeat", "--max-payload-in-mb", "1")

    assert outcome.returncode == 0, outcome.stderr
    assert "in 2 slices" in outcome.stdout
    np.testing.assert_array_equal(np.array(output_of(source), dtype=np.float32), np.tile(expected(), 3_000))


@pytest.mark.parametrize("fate", ["drop", "send"])
def test_a_header_is_no_row(diamonds: Server, tmp_path: Path, fate: str) -> None:
    """HEADER=drop leaves it out, HEADER=send has it in the first payload only; either way it has no line of output."""
    source = written(tmp_path, ",".join(NAMES) + "\n" + CSV)
    outcome = batch(source, "--endpoint", diamonds.url, "--header", fate)

    assert outcome.returncode == 0, outcome.stderr
    assert "came back as" not in outcome.stderr
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
        (["--max-payload-in-mb", "60", "--max-concurrent-transforms", "2"], "100 MB in all"),
        (["--header", "drop"], "leave HEADER out"),
    ],
)
def test_wishes_that_cannot_be(diamonds: Server, tmp_path: Path, options: list[str], said: str) -> None:
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
