"""The image's entrypoint, with the commands `serve`, `check` and `train`.

SageMaker runs `serve`, or `train` in a training job: contract 1.1 to 1.3.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

# Set before numpy and XGBoost are imported. By default, each worker would start as many threads
# as the host has processors.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
# gunicorn reads this variable on import, and crashes if it is not a number.
os.environ.pop("WEB_CONCURRENCY", None)

from container.check import check
from container.check_report import format_json, format_text
from container.server import Server
from serve.errors import StartupError
from serve.settings import Settings
from serve.text import printable


def main(command_line: Sequence[str] | None = None) -> None:
    """Run a command; if it fails, print one line to standard error, and exit with code 1.

    By default, the command line is that of the process.
    """
    # A file name that is not valid UTF-8 must not prevent a message.
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a TextIOWrapper
    arguments = _parse_arguments(command_line)
    if arguments.command == "train":
        sys.exit(
            "cannot train: this image only serves models; "
            "train with another image and deploy its model artifact with this one"
        )
    try:
        settings = Settings.from_env()
        if arguments.command == "check":
            report = check(settings, arguments.folder, arguments.sample, os.environ)
            print(format_json(report) if arguments.json else format_text(report))
            return
        server = Server(settings)
    except (StartupError, OSError) as error:  # OSError: an unreadable file of the artifact
        sys.exit(f"cannot {arguments.command}: {printable(error)}")
    server.run()


def _parse_arguments(command_line: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="entrypoint.py",
        description="Serve an XGBoost model on Amazon SageMaker, or check its artifact.",
        epilog="Environment variables configure the server: see docs/settings.md.",
    )
    commands = parser.add_subparsers(
        title="commands", dest="command", metavar="COMMAND", required=True
    )
    commands.add_parser(
        "serve",
        help="serve the model in SM_MODEL_DIR (default: /opt/ml/model)",
        description="Serve the model in SM_MODEL_DIR (default: /opt/ml/model) until SIGTERM.",
    )
    check_parser = commands.add_parser(
        "check",
        help="check an artifact without serving it",
        description="Load a model artifact as the server would, run its self-test, and print a "
        "report on the model, its features and the number of workers. Given a sample payload, "
        "also print its predictions. The exit code is 1 if the server would not start or would "
        "reject the payload.",
    )
    check_parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        metavar="FOLDER",
        help="folder of the artifact (default: SM_MODEL_DIR, otherwise /opt/ml/model)",
    )
    check_parser.add_argument(
        "sample",
        nargs="?",
        type=Path,
        metavar="SAMPLE",
        help="sample payload to predict: a .csv, .json or .jsonl file",
    )
    check_parser.add_argument("--json", action="store_true", help="print the report as JSON")
    commands.add_parser(
        "train",
        help="exit with an error: this image does not train",
        description="Exit with an error: this image does not train. "
        "SageMaker runs this command if a training job uses the image by mistake.",
    )
    return parser.parse_args(command_line)


if __name__ == "__main__":
    main()
