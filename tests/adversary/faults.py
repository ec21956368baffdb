"""Injure a server while clients use it: kill, stop and starve its workers, and pause all of it.

A request that is in flight at that moment may be lost. Exit code 1 means that a response was wrong,
that the server ended, or that it did not serve again within some seconds.
"""

import os
import random
import resource
import shutil
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import requests

from tests.adversary.numbered import COUNT, Numbered, numbered_artifact
from tests.adversary.options import build_parser
from tests.support.server import Server, running

FRONT_ENDS = ("asgi", "flask")
RECOVERY_SECONDS, STOP_SECONDS = 15.0, 0.5
CLIENTS = 2
SIGNALS = ("SIGKILL", "SIGSEGV", "SIGTERM", "SIGABRT", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR2")


class Client(threading.Thread):
    """Sends numbers until the event, and counts lost and wrong responses."""

    def __init__(
        self, server: Server, model: Numbered, seed: int, stopped: threading.Event
    ) -> None:
        super().__init__()
        self._server, self._model, self._stopped = server, model, stopped
        self._random = random.Random(seed)
        self.statuses: Counter[int] = Counter()
        self.lost = 0
        self.wrong: list[str] = []

    def run(self) -> None:
        """Send one number after the other."""
        while not self._stopped.is_set():
            row = self._random.randrange(COUNT)
            try:
                response = self._server.post(f"{row}\n")
            except requests.RequestException:
                self.lost += 1
                continue
            self.statuses[response.status_code] += 1
            expected = float(f"{self._model.predictions[row]}")
            if response.status_code == 200 and float(response.text) != expected:
                self.wrong.append(f"sent {row}, got {response.text[:80]!r}")


def stop_worker(server: Server, workers: list[int]) -> None:
    _stop_and_continue(workers[:1])


def pause_all(server: Server, workers: list[int]) -> None:
    assert server.process
    _stop_and_continue([server.process.pid, *workers])


def take_files(_server: Server, workers: list[int]) -> None:
    """Leave a worker without file descriptors for new connections for a moment."""
    limits = resource.prlimit(workers[0], resource.RLIMIT_NOFILE)
    resource.prlimit(workers[0], resource.RLIMIT_NOFILE, (4, limits[1]))
    time.sleep(STOP_SECONDS)
    resource.prlimit(workers[0], resource.RLIMIT_NOFILE, limits)


def send_signal(name: str) -> Callable[[Server, list[int]], None]:
    return lambda _server, workers: _signal(workers[:1], getattr(signal, name))


FAULTS: dict[str, Callable[[Server, list[int]], None]] = {
    **{f"{name} to a worker": send_signal(name) for name in SIGNALS},
    "SIGKILL to all workers": lambda _server, workers: _signal(workers, signal.SIGKILL),
    "stopped worker": stop_worker,
    "paused server": pause_all,
    "no files": take_files,
}


def main() -> int:
    """Injure servers until the time is up; return 1 if there are findings."""
    options = build_parser("faults", __doc__, seconds=20).parse_args()
    random_ = random.Random(options.seed)
    statuses: Counter[int] = Counter()
    findings: list[str] = []
    count = lost = 0
    with ExitStack() as stack:
        model = stack.enter_context(numbered_artifact())
        for front_end in FRONT_ENDS:
            folder = model.folder.with_name(f"{model.folder.name}-{front_end}")
            shutil.copytree(model.folder, folder)
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            env = {"SERVE_FRONTEND": front_end, "SAGEMAKER_MODEL_SERVER_WORKERS": "2"}
            server = stack.enter_context(running(folder, **env))
            shutil.rmtree(folder)  # the files are not needed any longer
            stopped = threading.Event()
            clients = [Client(server, model, options.seed + n, stopped) for n in range(CLIENTS)]
            for client in clients:
                client.start()
            deadline = time.monotonic() + options.seconds / len(FRONT_ENDS)
            while time.monotonic() < deadline:
                name = random_.choice(list(FAULTS))
                count += 1
                if problem := _injure(server, FAULTS[name]):
                    findings.append(f"{front_end}: {name}: {problem}")
                    break
            stopped.set()
            for client in clients:
                client.join()
                statuses += client.statuses
                lost += client.lost
                findings += client.wrong
    table = ", ".join(f"{status}: {number:,}" for status, number in sorted(statuses.items()))
    print(f"faults: {count:,} faults, responses ({table}), {lost:,} lost, {len(findings)} findings")
    for finding in findings:
        print(f"  {finding}")
    return 1 if findings else 0


def _injure(server: Server, fault: Callable[[Server, list[int]], None]) -> str | None:
    """Cause a fault; return what is wrong if the server does not have two workers again."""
    assert server.process
    workers = _list_workers(server)
    with suppress(ProcessLookupError, IndexError):  # a worker that is already gone
        fault(server, workers)
    deadline = time.monotonic() + RECOVERY_SECONDS
    while time.monotonic() < deadline:
        if server.process.returncode is not None:
            return f"the server ended with {server.process.returncode}"
        with suppress(requests.RequestException):
            is_ready = requests.get(f"{server.url}/ping", timeout=2).status_code == 200
            if is_ready and len(_list_workers(server)) == 2:
                return None
        time.sleep(0.05)
    return f"not ready with two workers within {RECOVERY_SECONDS:.0f} s"


def _list_workers(server: Server) -> list[int]:
    assert server.process
    pid = server.process.pid
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def _stop_and_continue(processes: list[int]) -> None:
    _signal(processes, signal.SIGSTOP)
    time.sleep(STOP_SECONDS)
    _signal(processes, signal.SIGCONT)


def _signal(processes: list[int], number: int) -> None:
    for pid in processes:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


if __name__ == "__main__":
    sys.exit(main())
