"""Starts the server on the sample model, posts real diamonds to it, and stops it: the whole way of a prediction."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import requests
from predict import show

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60.0
STOP_SECONDS = 30.0


def main() -> None:
    """Run the demonstration; exits 1 if the server does not start, answer or stop as it should."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {"SM_MODEL_DIR": str(ROOT / "model" / "artifact"), "SAGEMAKER_BIND_TO_PORT": str(port)}
    print(f"Starting container/entrypoint.py serve, with {' '.join(f'{name}={value}' for name, value in settings.items())}")
    server = subprocess.Popen([sys.executable, str(ROOT / "container" / "entrypoint.py"), "serve"], env=os.environ | settings)
    try:
        print(f"GET {url}/ping: 200 after {seconds_until_ready(server, url):.1f} s")
        show(url, "diamonds.csv")
        show(url, "diamonds.json")
    finally:
        server.send_signal(signal.SIGTERM)
        exit_code = server.wait(STOP_SECONDS)
    print(f"\nStopped the server: exit code {exit_code}")
    sys.exit(exit_code)


def seconds_until_ready(server: "subprocess.Popen[bytes]", url: str) -> float:
    """Return how long it took until /ping answered 200."""
    start = time.monotonic()
    while time.monotonic() - start < START_SECONDS and server.poll() is None:
        try:
            if requests.get(f"{url}/ping", timeout=2).ok:
                return time.monotonic() - start
        except requests.ConnectionError:
            time.sleep(0.05)
    sys.exit("the server did not start")


def free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
