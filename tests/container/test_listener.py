"""The addresses on which the server listens."""

import json
import os
import platform
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from container.local_server import stop, wait_until_ready
from tests.support.boosters import random_features, save_artifact, train
from tests.support.server import ENTRYPOINT, OWN_VARIABLES, ROOT, free_port, running, startup_error
from tests.support.without_ipv6 import SOCKET_CALLS

WITHOUT_IPV6 = ROOT / "tests" / "support" / "without_ipv6.py"


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


# The kernel itself would have to provide IPv6, which it does not in a Docker container by default.
# test_server_listens_on_ipv4_without_ipv6 tests the server's fallback there.
needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="no program can use IPv6 on this machine")


@pytest.fixture(scope="module")
def folder(models: Path) -> Path:
    return save_artifact(train(random_features(100, 2)), models / "listener")


@needs_ipv6
@pytest.mark.parametrize("front_end", ["asgi", "flask"])
def test_server_listens_on_both_ip_versions(folder: Path, front_end: str) -> None:
    """1.6: the port accepts IPv4 and IPv6, and the log has the clients' addresses as they are."""
    with running(folder, SERVE_FRONTEND=front_end) as server:
        port = server.address[1]
        statuses = [
            requests.post(
                f"http://{host}:{port}/invocations",
                data="1,2",
                headers={"Content-Type": "text/csv"},
                timeout=5,
            ).status_code
            for host in ("127.0.0.1", "[::1]")
        ]
        for host in ("127.0.0.1", "::1"):
            with socket.create_connection((host, port), timeout=5) as connection:
                connection.sendall(b"NONSENSE\r\n\r\n")
                assert connection.recv(100).startswith(b"HTTP/1.1 400 ")
    events = server.events()
    names = [event["event"] for event in events]

    assert statuses == [200, 200]
    assert events[names.index("server started")]["addresses"] == [
        f"0.0.0.0:{port}",
        f"[::]:{port}",
    ]
    assert [name.partition("=")[2] for name in names if "ip=" in name] == ["127.0.0.1", "::1"]


# A change to the machine would affect other programs. Linux can disable IPv6 for one process, by a
# filter that contains the numbers of system calls. Those for CI and the image are known here.
@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in SOCKET_CALLS,
    reason="only Linux can disable IPv6 for one process",
)
def test_server_listens_on_ipv4_without_ipv6(folder: Path) -> None:
    """1.6: where the kernel has no IPv6, the server listens on IPv4."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(OWN_VARIABLES)
    }
    process = subprocess.Popen(
        [sys.executable, str(WITHOUT_IPV6), str(ENTRYPOINT), "serve"],
        env={
            **inherited,
            "SM_MODEL_DIR": str(folder),
            "SAGEMAKER_BIND_TO_PORT": str(port),
            "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
        },
        stdout=subprocess.PIPE,
    )
    with process:
        try:
            wait_until_ready(process, url, 60)
        finally:
            stop(process)
        assert process.stdout
        events = [json.loads(line) for line in process.stdout]
    [started] = [event for event in events if event["event"] == "server started"]

    assert started["addresses"] == [f"0.0.0.0:{port}"]


@pytest.fixture
def occupied_port(request: pytest.FixtureRequest) -> Iterator[int]:
    """Return a port on which a socket listens, for one IP version and address only."""
    family, host = request.param
    with socket.socket(family) as listener:
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((host, 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.parametrize(
    "occupied_port",
    [
        (socket.AF_INET, "127.0.0.1"),
        (socket.AF_INET, "0.0.0.0"),  # noqa: S104  # a port in use on all addresses
        pytest.param((socket.AF_INET6, "::1"), marks=needs_ipv6),
        pytest.param((socket.AF_INET6, "::"), marks=needs_ipv6),
    ],
    indirect=True,
)
def test_port_in_use_for_either_version_prevents_startup(folder: Path, occupied_port: int) -> None:
    """1.6: a port in use for one IP version prevents startup, instead of serving the other only."""
    line = startup_error(folder, SAGEMAKER_BIND_TO_PORT=str(occupied_port))

    assert line == (
        f"cannot serve: cannot listen on port {occupied_port}: Address already in use; "
        "set SAGEMAKER_BIND_TO_PORT to another port (make serve: PORT)\n"
    )
