"""The image under restrictions of Docker, and its graceful shutdown."""

import shutil
import tarfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import requests

from tests.support.diamonds import ARTIFACT, CSV, expected
from tests.support.docker import IMAGE, container, docker, inspect
from tests.support.responses import scores
from tests.support.server import Server

HARDENED = [
    "--read-only",
    "--tmpfs",
    "/tmp",  # noqa: S108
    "--cap-drop",
    "ALL",
    "--security-opt",
    "no-new-privileges",
]


@pytest.mark.parametrize(
    "options",
    [
        [],
        HARDENED,
        [*HARDENED, "--user", "12345:12345"],
        ["--user", "1234"],
        ["--ipc", "none"],
        ["--tty", "--interactive"],
        ["--memory", "512m", "--cpus", "1"],
        ["--memory", "256m", "--cpus", "0.5"],
    ],
    ids=lambda options: " ".join(options) or "plain",
)
def test_serves_under_restrictions(options: list[str]) -> None:
    """1.5, 4.1, 4.8, 7.6, 7.8 and 12.1: the container serves under each restriction."""
    with container(*options) as (name, server):
        np.testing.assert_array_equal(scores(server.post(CSV)), expected())
        docker("stop", "--time", "30", name)

        assert inspect(name)["State"]["ExitCode"] == 0


def test_workers_follow_the_limits() -> None:
    """7.6: with a CPU quota of one processor there is one worker, and the log has the reason."""
    with container("--memory", "512m", "--cpus", "1") as (name, _):
        assert (
            '"sizing": "1 worker, limited by processors (processors: 1, memory: 512 MiB'
            in docker("logs", name).stdout
        )


def test_port_can_be_set() -> None:
    """1.6 and 7.10: the server listens on SAGEMAKER_BIND_TO_PORT."""
    with container(
        "--env",
        "SAGEMAKER_BIND_TO_PORT=9123",
        "--env",
        "SAGEMAKER_SAFE_PORT_RANGE=9000-9999",
        port=9123,
    ) as (
        _,
        server,
    ):
        np.testing.assert_array_equal(scores(server.post(CSV)), expected())


def test_serves_without_a_network() -> None:
    """1.12: under network isolation the server starts and responds on the loopback."""
    mount = f"{ARTIFACT}:/opt/ml/model:ro"
    name = docker(
        "run", "--detach", "--network", "none", "--volume", mount, IMAGE, "serve"
    ).stdout.strip()
    ping = (
        "import urllib.request; "
        "print(urllib.request.urlopen('http://127.0.0.1:8080/ping', timeout=2).status)"
    )
    try:
        deadline = time.monotonic() + 60
        outcome = docker("exec", name, "python3", "-c", ping, check=False)
        while outcome.returncode and time.monotonic() < deadline:
            time.sleep(0.2)
            outcome = docker("exec", name, "python3", "-c", ping, check=False)
    finally:
        docker("rm", "--force", name)

    assert outcome.stdout.strip() == "200"


def test_stray_files_are_ignored(tmp_path: Path) -> None:
    """4.4, 4.9 and 12.3: a tarball, nested folders and other files beside the model are ignored."""
    shutil.copytree(ARTIFACT, tmp_path / "model")
    with tarfile.open(tmp_path / "model" / "model.tar.gz", "w:gz") as tarball:
        tarball.add(ARTIFACT / "model.ubj", arcname="model.ubj")
    (tmp_path / "model" / "code" / "deep").mkdir(parents=True)
    (tmp_path / "model" / "code" / "requirements.txt").write_text("pandas\n")
    with container(folder=tmp_path / "model") as (_, server):
        np.testing.assert_array_equal(scores(server.post(CSV)), expected())


def test_missing_writable_folder_prevents_startup() -> None:
    """4.8: without a writable folder, startup fails with the docker option that adds one."""
    outcome = docker(
        "run",
        "--rm",
        "--read-only",
        "--ipc",
        "none",
        "--volume",
        f"{ARTIFACT}:/opt/ml/model:ro",
        IMAGE,
        check=False,
    )

    assert outcome.returncode == 1
    assert "add --tmpfs /tmp" in outcome.stderr


def list_workers(name: str) -> list[int]:
    """Return the process IDs of a container's workers, as the container sees them."""
    program = "print(open('/proc/1/task/1/children').read())"
    return [int(pid) for pid in docker("exec", name, "python3", "-c", program).stdout.split()]


def test_a_refused_fork_does_not_stop_the_server() -> None:
    """2.6: at the limit of processes, the other workers keep serving, and it is tried again."""
    with container("--env", "SAGEMAKER_MODEL_SERVER_WORKERS=2") as (name, server):
        before = list_workers(name)
        kill = f"import os, time; time.sleep(2); os.kill({before[0]}, 9)"
        docker("exec", "--detach", name, "python3", "-c", kill)
        docker("update", "--pids-limit", "1", name)
        time.sleep(5)
        np.testing.assert_array_equal(scores(server.post(CSV)), expected())
        docker("update", "--pids-limit", "100", name)
        time.sleep(3)
        after = list_workers(name)
        log = docker("logs", name).stdout

    assert len(after) == 2
    assert after[0] == before[1]
    assert log.count('"cannot start a worker"') == 1


def test_a_refused_fork_prevents_startup() -> None:
    """1.5: if not even one worker can be started, startup fails with one line."""
    outcome = docker(
        "run",
        "--rm",
        "--user",
        "54321",
        "--ulimit",
        "nproc=1",
        "--volume",
        f"{ARTIFACT}:/opt/ml/model:ro",
        IMAGE,
        check=False,
    )

    assert outcome.returncode == 1
    assert outcome.stdout == ""
    assert outcome.stderr.splitlines() == [
        "cannot serve: cannot start a worker process: Resource temporarily unavailable"
    ]


def test_docker_stop_under_load() -> None:
    """1.3: docker stop lets invocations in flight finish, and the exit code is 0."""
    responses: list[requests.Response] = []

    def call(server: Server) -> None:
        responses.append(server.post(CSV * 5_000))

    with container() as (name, server):
        clients = [threading.Thread(target=call, args=(server,)) for _ in range(4)]
        for client in clients:
            client.start()
        time.sleep(0.3)
        docker("stop", "--time", "30", name)
        for client in clients:
            client.join()

        assert inspect(name)["State"]["ExitCode"] == 0
    assert len(responses) == 4
    for response in responses:
        np.testing.assert_array_equal(scores(response), np.tile(expected(), 5_000))
