"""Runs the ASGI front end under any gunicorn worker class.

Usage: worker_class.py WORKER_CLASS PORT
"""

import sys
from dataclasses import replace

from bench.paths import ROOT
from container.server import Server
from serve.settings import Settings


def main() -> None:
    """Serve the sample model until a signal arrives."""
    worker_class, port = sys.argv[1], int(sys.argv[2])
    server = Server(
        replace(Settings(), port=port, model_folder=ROOT / "model" / "artifact", workers=2)
    )
    server.cfg.set("worker_class", worker_class)
    server.run()


if __name__ == "__main__":
    main()
