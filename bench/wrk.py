"""wrk: the load, and what it tells of it."""

import json
import resource
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).with_name("load.lua")
REPLY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent again and again, and how long each reply must be."""

    url: str
    payload: Path
    media_type: str
    reply_bytes: int


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of wrk saw, and the time of the processor that wrk itself used."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    socket_errors: int
    wrong_replies: int
    wrk_cpu_seconds: float


def check_wrk() -> None:
    """End the program in one line if wrk is not installed."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing, which makes the load: apt-get install wrk")


def start(request: Request, connections: int, seconds: int) -> "subprocess.Popen[str]":
    """Start wrk with as many connections, each of which sends its next request when the reply to its last one is there."""
    options = ["--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s"]
    script = ["--timeout", f"{REPLY_SECONDS}s", "--script", str(SCRIPT), request.url]
    arguments = [str(request.payload), request.media_type, str(request.reply_bytes)]
    return subprocess.Popen(
        ["wrk", *options, *script, "--", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: "subprocess.Popen[str]") -> Load:
    """Wait for wrk's end and return what it saw."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    output, complaint = process.communicate(timeout=REPLY_SECONDS * 2)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise RuntimeError(f"wrk failed: {complaint}")
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Load(**json.loads(output.splitlines()[-1]), wrk_cpu_seconds=used)
