"""Runs the load generator wrk, and parses its results."""

import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).with_name("load.lua")
RESPONSE_TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class WrkRequest:
    """The payloads that wrk sends in turn, and the lengths of the expected response bodies."""

    url: str
    payloads: Sequence[Path]
    media_type: str
    min_response_bytes: int
    max_response_bytes: int


@dataclass(frozen=True, slots=True)
class WrkResult:
    """The numbers that wrk reports, and the CPU time that wrk itself used."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    socket_errors: int
    wrong_responses: int
    wrk_cpu_seconds: float


def check_wrk() -> None:
    """Exit with a message if wrk is not installed."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed; on Debian: apt-get install wrk")


def start(request: WrkRequest, connections: int, seconds: int) -> "subprocess.Popen[str]":
    """Start wrk with closed-loop connections: each waits for a response before its next request."""
    options = ["--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s"]
    timeout = ["--timeout", f"{RESPONSE_TIMEOUT_SECONDS}s"]
    lengths = [str(request.min_response_bytes), str(request.max_response_bytes)]
    script_arguments = [request.media_type, *lengths, *map(str, request.payloads)]
    return subprocess.Popen(
        ["wrk", *options, *timeout, "--script", str(SCRIPT), request.url, "--", *script_arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: "subprocess.Popen[str]") -> WrkResult:
    """Wait until wrk exits, and return its results."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    output, error_output = process.communicate(timeout=RESPONSE_TIMEOUT_SECONDS * 2)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise RuntimeError(f"wrk failed: {error_output}")
    cpu_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return WrkResult(**json.loads(output.splitlines()[-1]), wrk_cpu_seconds=cpu_seconds)
