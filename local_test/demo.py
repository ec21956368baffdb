"""Starts the server on the sample model, posts real diamonds to it, and stops it: the whole way of a prediction."""

import os
import subprocess
import sys
import time

from container.local_server import (
    ROOT,
    SAMPLE_ARTIFACT,
    NotServing,
    free_port,
    stop,
    wait_until_ready,
)
from local_test.predict import show


def main() -> None:
    """Run the demonstration; exits 1 if the server does not start, answer or stop as it should."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {"SM_MODEL_DIR": str(SAMPLE_ARTIFACT), "SAGEMAKER_BIND_TO_PORT": str(port)}
    print(
        f"Starting container/entrypoint.py serve, with {' '.join(f'{name}={value}' for name, value in settings.items())}"
    )
    start = time.monotonic()
    server = subprocess.Popen(
        [sys.executable, str(ROOT / "container" / "entrypoint.py"), "serve"],
        env=os.environ | settings,
    )
    try:
        wait_until_ready(server, url)
        print(f"GET {url}/ping: 200 after {time.monotonic() - start:.1f} s")
        show(url, "diamonds.csv")
        show(url, "diamonds.json")
    except NotServing as error:
        sys.exit(str(error))
    finally:
        exit_code = stop(server)
    print(f"\nStopped the server: exit code {exit_code}")
    sys.exit(exit_code)


if __name__ == "__main__":
    main()
