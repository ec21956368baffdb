"""Convert a model that the current XGBoost cannot load, an old binary file or a pickle, to .ubj.

A temporary virtual environment loads the model with an older XGBoost. The converted model is kept
only if the current XGBoost makes the same predictions with it.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import numpy as np
import xgboost

HERE = Path(__file__).resolve().parent
OLD_XGBOOST = HERE / "requirements-convert.txt"
NEW_XGBOOST = HERE / "requirements-convert-new.txt"
LAST_VERSION_WITH_BINARY_FORMAT = (3, 0)
# A pickle contains the model as UBJSON, with its version. XGBoost 3.0 misreads UBJSON written by
# 3.1 and later, without an error.
UBJSON_VERSION = re.compile(rb"version\[#L\0{7}\x03i(.)i(.)i(.)", re.DOTALL)
MAX_RELATIVE_DIFFERENCE = 1e-6


def main() -> None:
    """Convert one file; exit with 1 if it cannot be loaded, or if its predictions change."""
    arguments = parse_arguments()
    source: Path = arguments.file
    check_source(source, trust_pickle=arguments.trust_pickle)
    target = source.with_name(f"{source.name.removesuffix('.pkl')}.ubj")
    with tempfile.TemporaryDirectory() as folder:
        samples = Path(folder) / "samples.npz"
        requirements = choose_requirements(source.read_bytes())
        convert(source, target, samples, requirements, Path(folder) / "venv")
        difference = measure_difference(target, samples)
    if not difference <= MAX_RELATIVE_DIFFERENCE:
        target.unlink()
        sys.exit(
            f"{source}: not converted, because XGBoost {xgboost.__version__} makes different "
            f"predictions with the converted model (relative difference {difference:g})"
        )
    print(
        f"Wrote {target}: same predictions as {source} for 1,000 random rows "
        f"(largest relative difference {difference:g})"
    )
    print(
        f"To serve it, save it as model.ubj in a directory without {source.name}: "
        "the server rejects a directory with two models"
    )


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Convert a model that the current XGBoost cannot load to .ubj, "
        "and check that its predictions stay the same."
    )
    parser.add_argument(
        "file",
        type=Path,
        help="a model in XGBoost's old binary format, or a pickle of a Booster or of a "
        "scikit-learn estimator; the converted model is written beside it",
    )
    parser.add_argument(
        "--trust-pickle",
        action="store_true",
        help="load a pickle; it can run arbitrary code, so only use this for files you trust",
    )
    return parser.parse_args()


def check_source(source: Path, *, trust_pickle: bool) -> None:
    """Exit with a message if the file cannot be converted, or must not be without consent."""
    if not source.is_file():
        sys.exit(f"{source}: file not found; usage: make convert MODEL=path/to/file")
    content = source.read_bytes()
    if content.lstrip()[:1] == b"{":
        sys.exit(f"{source}: nothing to convert, the file is already JSON or UBJSON")
    if content[:1] == b"\x80" and not trust_pickle:
        sys.exit(
            f"{source} is a pickle, which can run arbitrary code when it is loaded; "
            "if you trust the file, add TRUST=yes"
        )
    if read_writer_version(content) > tuple(map(int, xgboost.__version__.split(".")[:2])):
        sys.exit(
            f"{source} was written by a newer XGBoost than the installed {xgboost.__version__}; "
            "use a newer Python (PYTHON=...), which can install a newer XGBoost"
        )


def choose_requirements(content: bytes) -> Path:
    """Return the requirements of the environment that can load a model."""
    if read_writer_version(content) > LAST_VERSION_WITH_BINARY_FORMAT:
        return NEW_XGBOOST
    return OLD_XGBOOST


def read_writer_version(content: bytes) -> tuple[int, ...]:
    """Return the major and minor version of XGBoost that wrote a pickled model; () otherwise."""
    matches = UBJSON_VERSION.finditer(content)
    versions = (tuple(number[0] for number in match.groups()[:2]) for match in matches)
    return max(versions, default=())


def convert(
    source: Path, target: Path, samples: Path, requirements: Path, environment: Path
) -> None:
    """Write the converted model, and random rows with the original model's predictions.

    ``environment`` is the directory of the virtual environment to create.
    """
    print(f"Creating a temporary environment from {requirements.name}")
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    pip_install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    pip_options = [
        "--no-compile",
        "--require-hashes",
        "--only-binary",
        ":all:",
        "--requirement",
        requirements,
    ]
    subprocess.run([*pip_install, *pip_options], check=True)
    command = [python, HERE / "read_old.py", source, target, samples]
    if subprocess.run(command, check=False).returncode:
        sys.exit(
            f"{source}: expected a model in XGBoost's binary format or a pickle of a model; "
            "the error above is from loading it"
        )


def measure_difference(target: Path, samples: Path) -> float:
    """Return the largest relative difference between the converted and the original predictions."""
    original = np.load(samples)
    booster = xgboost.Booster(model_file=target)
    rows = xgboost.DMatrix(original["rows"], feature_types=booster.feature_types)
    predictions = booster.predict(rows, validate_features=False)
    differences = np.abs(predictions - original["predictions"])
    return float(np.max(differences / np.maximum(1, np.abs(original["predictions"]))))


if __name__ == "__main__":
    main()
