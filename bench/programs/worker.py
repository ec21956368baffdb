"""The ASGI front end under a worker class by its name, to see what that does when callers misbehave.

Usage: worker.py WORKER_CLASS PORT
"""

import sys
from dataclasses import replace

from bench.places import ROOT
from container.server import Server
from serve.settings import Settings


def main() -> None:
    """Serve the sample model until a signal ends it."""
    worker_class, port = sys.argv[1], int(sys.argv[2])
    server = Server(
        replace(Settings(), port=port, model_folder=ROOT / "model" / "artifact", workers=2)
    )
    server.cfg.set("worker_class", worker_class)
    server.run()


if __name__ == "__main__":
    main()
