"""Convert a model that the current XGBoost cannot load, an old binary file or a pickle, to .ubj.

A virtual environment of its own loads the model with an older XGBoost. The converted model is
written only if the server makes the same predictions with it.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import xgboost

from model.conversion.environment import (
    ENVIRONMENTS,
    choose_requirements,
    prepare_environment,
    read_writer_version,
)
from model.conversion.errors import CannotConvert
from model.conversion.files import write_file
from model.conversion.original import Original, read_original
from model.conversion.original_model import OriginalModel
from model.conversion.proof import Proof, prove
from model.conversion.report import describe_proof
from model.conversion.schema_file import (
    Document,
    build_schema,
    check_contradictions,
    find_additions,
    format_schema,
    merge,
    read_schema,
    save_schema,
)
from model.conversion.source import read_source
from model.conversion.target import choose_target, describe_next_step
from serve.errors import StartupError
from serve.model.files.checksum import CHECKSUM_SUFFIX, format_checksum
from serve.model.files.names import SCHEMA_NAME
from serve.text import printable


def main() -> None:
    """Convert one file; print one line and exit with 1 if that is not possible."""
    arguments = parse_arguments()
    source: Path = arguments.file
    if source == Path():
        sys.exit("no file to convert; usage: make convert MODEL=path/to/file")
    try:
        convert(source, arguments.out, arguments.environments, trust_pickle=arguments.trust_pickle)
    except CannotConvert as error:
        sys.exit(printable(f"cannot convert {source}: {error}"))
    except OSError as error:
        sys.exit(printable(f"cannot convert {source}: {error}"))
    except KeyboardInterrupt:
        sys.exit(printable(f"interrupted: {source} is not converted"))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Convert a model that the current XGBoost cannot load to .ubj, "
        "and check that the server makes the same predictions with it."
    )
    parser.add_argument(
        "file",
        type=Path,
        help="a model in XGBoost's old binary format, or a pickle or joblib file of a Booster "
        "or of a scikit-learn estimator; it may be compressed",
    )
    parser.add_argument("--out", type=Path, help="the converted model, by default beside the file")
    parser.add_argument(
        "--trust-pickle",
        action="store_true",
        help="convert a pickle; it can run arbitrary code, so only use this for files you trust",
    )
    parser.add_argument(
        "--environments",
        type=Path,
        metavar="FOLDER",
        default=ENVIRONMENTS,
        help="install the older XGBoost here, and use it if it is there (default: %(default)s)",
    )
    return parser.parse_args()


def convert(file: Path, out: Path | None, environments: Path, *, trust_pickle: bool) -> None:
    """Write the converted model, and schema.json if it needs one; raises CannotConvert."""
    original = read_original(read_source(file), trust_pickle=trust_pickle)
    check_writer_version(original)
    target = choose_target(file, out)
    existing = read_schema(target.parent)
    check_contradictions(existing, original, target.parent)
    report(f"{file} is {original.description}")
    python = prepare_environment(choose_requirements(original.booster), environments, report)
    with tempfile.TemporaryDirectory() as temporary_folder:
        folder = Path(temporary_folder)
        report("Loading the model")
        with OriginalModel(original, python, folder) as original_model:
            converted = original_model.save()
            additions = find_additions(existing, build_schema(original, converted), target.parent)
            report("Comparing its predictions with the server's")
            artifact = build_artifact(folder, converted, merge(existing, additions))
            proof = compare(original_model, artifact, original, target.parent)
        if additions:
            report(save_schema(existing, additions, target.parent))
        write_model(target, converted.read_bytes())
    report(f"Wrote {target}: {describe_proof(file, original, proof)}")
    report(describe_next_step(file, target))


def write_model(target: Path, content: bytes) -> None:
    """Write a model and, beside it, its checksum."""
    write_file(target, content)
    checksum = format_checksum(target.name, content).encode(errors="surrogateescape")
    write_file(target.with_name(f"{target.name}{CHECKSUM_SUFFIX}"), checksum)


def build_artifact(folder: Path, converted: Path, schema: Document) -> Path:
    """Return a directory with the converted model and its schema.json."""
    artifact = folder / "artifact"
    artifact.mkdir()
    shutil.copy(converted, artifact)
    if schema:
        (artifact / SCHEMA_NAME).write_text(format_schema(schema), encoding="utf-8")
    return artifact


def compare(
    original_model: OriginalModel, artifact: Path, original: Original, target_folder: Path
) -> Proof:
    """Return the comparison with the server; raises CannotConvert if it would not start."""
    try:
        return prove(original_model, artifact, original.missing)
    except StartupError as error:
        # The server names temporary files.
        message = str(error).replace(str(artifact), str(target_folder))
        raise CannotConvert(
            f"the server would not start with it: {message} "
            f"({SCHEMA_NAME} is read from {target_folder})"
        ) from error


def report(line: str) -> None:
    """Print progress at once, even into a pipe."""
    print("\n".join(map(printable, line.split("\n"))), flush=True)


def check_writer_version(original: Original) -> None:
    """Raise CannotConvert for a model that no XGBoost of this Python can load."""
    writer = read_writer_version(original.booster)
    if writer > tuple(map(int, xgboost.__version__.split(".")[:2])):
        raise CannotConvert(
            f"it was written by XGBoost {'.'.join(map(str, writer))}, which is newer than the "
            f"installed {xgboost.__version__}; use a newer Python (PYTHON=...)"
        )


if __name__ == "__main__":
    main()
