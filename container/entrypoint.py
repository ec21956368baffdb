"""What the image runs: `serve`, as SageMaker starts it (contract 1.1 to 1.3), and `check`; `train` says that it cannot."""

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

# Before numpy and XGBoost are imported: their threads would be as many as the host's processors, in every worker.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.pop(
    "WEB_CONCURRENCY", None
)  # gunicorn reads it on import, and dies of what is no number

from container.check import as_json, as_text, check
from container.server import Server
from serve.errors import StartupError
from serve.settings import Settings


def main() -> None:
    """Do what the first argument says; what prevents it is told in one line, with exit code 1."""
    arguments = _arguments()
    if arguments.verb == "train":
        sys.exit(
            "cannot train: this image only serves; train elsewhere, and put the model into the artifact"
        )
    try:
        settings = Settings.from_env()
        if arguments.verb == "check":
            report = check(settings, arguments.folder, arguments.sample)
            print(as_json(report) if arguments.json else as_text(report))
            return
        server = Server(settings)
    except (StartupError, OSError) as error:  # a file of the artifact may be unreadable
        sys.exit(f"cannot {arguments.verb}: {error}")
    server.run()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="entrypoint.py")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser(
        "serve", help="serve the model of the folder SM_MODEL_DIR, by default /opt/ml/model"
    )
    verbs.add_parser("train", help="say that this image only serves")
    checking = verbs.add_parser(
        "check", help="tell what the server would decide of an artifact, without serving it"
    )
    checking.add_argument(
        "folder", nargs="?", type=Path, help="the artifact, by default the folder SM_MODEL_DIR"
    )
    checking.add_argument(
        "sample", nargs="?", type=Path, help="a payload to score: .csv, .json or .jsonl"
    )
    checking.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
