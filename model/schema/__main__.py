"""The command line that writes schema.json from a model and a CSV sample."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

# As in the server: XGBoost's threads would only slow down a small model.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from model.schema.errors import CannotDescribe
from model.schema.report import describe
from model.schema.writing import write_schema
from serve.errors import StartupError
from serve.settings import Settings
from serve.text import printable


def main(command_line: Sequence[str] | None = None) -> None:
    """Write schema.json and print a report; print one line and exit with 1 if that fails.

    By default, the command line is that of the process.
    """
    arguments = parse_arguments(command_line)
    if arguments.sample:
        print(f"Reading {printable(arguments.sample)}", flush=True)
    try:
        written = write_schema(
            arguments.folder,
            arguments.sample,
            arguments.target,
            force=arguments.force,
            settings=Settings.from_env(),
        )
    except (CannotDescribe, StartupError, OSError) as error:
        sys.exit(f"cannot write schema.json: {printable(error)}")
    except KeyboardInterrupt:
        sys.exit("interrupted, nothing written")
    print(describe(written, str(arguments.folder)))


def parse_arguments(command_line: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m model.schema",
        description="Write the schema.json of a model from what the model and a sample of its "
        "training data contain, and report what is unknown.",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="folder of the artifact")
    parser.add_argument(
        "sample",
        type=Path,
        nargs="?",
        metavar="SAMPLE",
        help="CSV file of training data, which may be compressed by gzip: missing values, ranges, "
        "names that the model does not have, and with --target the names of classes",
    )
    parser.add_argument(
        "--target",
        metavar="COLUMN",
        help="column of the sample that the model predicts; without a header, its number",
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="replace an existing schema.json; what only a person can know is kept",
    )
    return parser.parse_args(command_line)


if __name__ == "__main__":
    main()
