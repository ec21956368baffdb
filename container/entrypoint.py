"""What the image runs: `serve`.

SageMaker starts it as `docker run IMAGE serve`: contract 1.1 to 1.3.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from container.server import Server
from serve.app import create_app
from serve.errors import StartError
from serve.settings import Settings


def main() -> None:
    """Do what the one argument says; what prevents it is told in one line, with exit code 1."""
    parser = argparse.ArgumentParser(prog="entrypoint.py")
    parser.add_argument("verb", choices=["serve"])
    parser.parse_args()
    try:
        settings = Settings.from_env()
        server = Server(create_app(settings), settings)
    except StartError as error:
        sys.exit(f"cannot start: {error}")
    server.run()


if __name__ == "__main__":
    main()
